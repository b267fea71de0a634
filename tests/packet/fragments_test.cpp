// SPDX-License-Identifier: GPL-2.0-only
// Datagrams in pieces: each piece is translated as the whole would be, judged as the first one is,
// and refused where it could replace what was judged.
#include "maps/fragment.h"
#include "tests/support/datapath_fixture.h"
#include "tests/support/process.h"

namespace fw::test {
namespace {

using Fragments = PacketTest;

constexpr At kUp[] = {At::kXdpUp, At::kTcUp};
constexpr const char* kCounted = "names internet dmz";
constexpr const char* kRefused = "FRAGMENT none none";
constexpr std::size_t kPiece = 1448;  // with IPv6 and its fragment header, 1496

// A datagram through the door `names`, as it comes and as it goes on.
Bytes arriving(bool ip6, std::size_t bytes = 4000) {
  if (ip6)
    return at_up() / Ip6{.src = kClientV6, .dst = kSelfV6} / Udp{.dport = 5353} / filler(bytes);
  return at_up() / Ip4{.src = kClient, .dst = kSelf, .dont_fragment = false} / Udp{.dport = 5353} /
         filler(bytes);
}
Bytes leaving(bool ip6, std::size_t bytes = 4000) {
  if (ip6)
    return to_web() / Ip6{.src = kClientV6, .dst = kWebV6, .hop_limit = 63} / Udp{.dport = 53} /
           filler(bytes);
  return to_web() / Ip4{.src = kClient, .dst = kWeb, .dont_fragment = false, .ttl = 63} /
         Udp{.dport = 53} / filler(bytes);
}

// What waits for its first fragment is neither let through nor counted.
bool is_held(At at, const Sent& sent) {
  return sent.action == (is_xdp(at) ? kXdpPass : kTcDrop) && sent.counted.empty();
}

TEST_F(Fragments, EachPieceFollowsTheFirst) {
  for (const At at : kUp)
    for (const bool ip6 : {false, true}) {
      forget_flows();
      const auto in = fragments(arriving(ip6), kPiece, 77);
      const auto out = fragments(leaving(ip6), kPiece, 77);
      ASSERT_EQ(in.size(), 3U);
      for (std::size_t i = 0; i < in.size(); ++i) expect_forward(at, in[i], out[i], kCounted);
    }
}

TEST_F(Fragments, TwoDatagramsAtOnceAreToldApart) {
  for (const At at : kUp)
    for (const bool ip6 : {false, true}) {
      forget_flows();
      const auto web = fragments(arriving(ip6), kPiece, 1);
      const auto out = fragments(leaving(ip6), kPiece, 1);
      Bytes other = arriving(ip6);
      other[14 + (ip6 ? 40 : 20) + 2] = 0x30;  // to a port that no door has
      const auto denied = fragments(other, kPiece, 2);
      for (std::size_t i = 0; i < web.size(); ++i) {
        expect_forward(at, web[i], out[i], kCounted);
        expect_drop(at, denied[i], "NOT_PUBLISHED internet host");
      }
    }
}

TEST_F(Fragments, TheAnswerInPiecesGoesBack) {
  for (const bool ip6 : {false, true}) {
    forget_flows();
    expect_forward(At::kTcUp, arriving(ip6, 4), leaving(ip6, 4), kCounted);
    const Udp udp{.sport = 53, .dport = 40000};
    const Udp back{.sport = 5353, .dport = 40000};
    const Bytes answer =
        ip6 ? at_bridge() / Ip6{.src = kWebV6, .dst = kClientV6} / udp / filler(5000)
            : at_bridge() / Ip4{.src = kWeb, .dst = kClient, .dont_fragment = false} / udp /
                  filler(5000);
    const Bytes want =
        ip6 ? to_world() / Ip6{.src = kSelfV6, .dst = kClientV6, .hop_limit = 63} / back /
                  filler(5000)
            : to_world() / Ip4{.src = kSelf, .dst = kClient, .dont_fragment = false, .ttl = 63} /
                  back / filler(5000);
    const auto in = fragments(answer, kPiece, 9);
    const auto out = fragments(want, kPiece, 9);
    for (std::size_t i = 0; i < in.size(); ++i)
      expect_forward(At::kFromWeb, in[i], out[i], kCounted);
  }
}

TEST_F(Fragments, ALargePing) {
  const Bytes echo = at_up() / Ip4{.src = kClient, .dst = kSelf, .dont_fragment = false} /
                     Icmp{.id = 5} / filler(4000);
  for (const At at : kUp) {
    forget_flows();
    for (const Bytes& piece : fragments(echo, kPiece))
      expect_stack(at, piece, "* -> host:ping internet host");
  }
  const Bytes echo6 =
      at_up() / Ip6{.src = kClientV6, .dst = kSelfV6} / Icmp{.type = 128, .id = 5} / filler(4000);
  for (const At at : kUp) {
    forget_flows();
    for (const Bytes& piece : fragments(echo6, kPiece))
      expect_stack(at, piece, "* -> host:ping internet host");
  }
}

TEST_F(Fragments, MasqueradedPingOutOfAContainer) {
  const Icmp echo{.id = 0x1234};
  const auto in = fragments(
      at_bridge() / Ip4{.src = kWeb, .dst = kClient, .dont_fragment = false} / echo / filler(3000),
      kPiece);
  const auto out =
      fragments(to_world() / Ip4{.src = kSelf, .dst = kClient, .dont_fragment = false, .ttl = 63} /
                    echo / filler(3000),
                kPiece);
  for (std::size_t i = 0; i < in.size(); ++i)
    expect_forward(At::kFromWeb, in[i], out[i], "web -> internet dmz internet");
}

TEST_F(Fragments, TheHostsOwnLargeDatagramsGoOut) {
  for (const bool ip6 : {false, true}) {
    const Bytes datagram =
        ip6 ? from_host() / Ip6{.src = kSelfV6, .dst = kClientV6} / Udp{.dport = 9} / filler(8000)
            : from_host() / Ip4{.src = kSelf, .dst = kClient, .dont_fragment = false} /
                  Udp{.dport = 9} / filler(8000);
    for (const Bytes& piece : fragments(datagram, kPiece))
      expect_stack(At::kOutUp, piece, "host.egress host internet");
    const Bytes answer = ip6 ? at_up() / Ip6{.src = kClientV6, .dst = kSelfV6} /
                                   Udp{.sport = 9, .dport = 40000} / filler(8000)
                             : at_up() / Ip4{.src = kClient, .dst = kSelf, .dont_fragment = false} /
                                   Udp{.sport = 9, .dport = 40000} / filler(8000);
    for (const Bytes& piece : fragments(answer, kPiece))
      expect_stack(At::kTcUp, piece, "host.egress host internet");
  }
}

TEST_F(Fragments, ASwapOfThePolicyCutsADatagramInTheMiddle) {
  for (const At at : kUp) {
    enforce(kPolicy);
    forget_flows();
    const auto in = fragments(arriving(false), kPiece);
    const auto out = fragments(leaving(false), kPiece);
    expect_forward(at, in[0], out[0], kCounted);
    enforce(
        "version: 1\nhost: {uplinks: [up0], datapath: {up0: xdp}}\n"
        "zones: {dmz: {subnets: [172.20.1.0/24]}}\n");
    const Sent sent = send(at, in[1]);
    EXPECT_EQ(sent.action, is_xdp(at) ? kXdpDrop : kTcDrop);
    EXPECT_EQ(sent.counted, "NOT_PUBLISHED internet host");
  }
}

// A router on the way asks for smaller fragments; it quotes the first.
TEST_F(Fragments, AnErrorAboutAFragmentOfIpv6IsTranslated) {
  constexpr const char* kOnTheWay = "2001:db8:9::1";
  const auto quote = [](const char* from, std::uint16_t port) {
    const auto pieces = fragments(Eth{} / Ip6{.src = from, .dst = kClientV6, .hop_limit = 60} /
                                      Udp{.sport = port, .dport = 40000} / filler(3000),
                                  kPiece);
    return Bytes(pieces[0].begin() + 14, pieces[0].begin() + 14 + 40 + 8 + 8 + 40);
  };
  expect_forward(At::kTcUp, arriving(true, 4), leaving(true, 4), kCounted);
  const Icmp too_big{.type = 2, .rest = 1400};
  expect_forward(At::kTcUp,
                 at_up() / Ip6{.src = kOnTheWay, .dst = kSelfV6} / too_big / quote(kSelfV6, 5353),
                 to_web() / Ip6{.src = kOnTheWay, .dst = kWebV6, .hop_limit = 63} / too_big /
                     quote(kWebV6, 53),
                 kCounted);
}

// --- order

TEST_F(Fragments, WithoutTheFirstOneOthersWait) {
  for (const At at : kUp)
    for (const bool ip6 : {false, true}) {
      forget_flows();
      const auto in = fragments(arriving(ip6), kPiece);
      for (const std::size_t i : {2U, 1U}) {
        const Sent sent = send(at, in[i]);
        EXPECT_TRUE(is_held(at, sent)) << sent.action << " " << sent.counted;
        EXPECT_THAT(sent.packet, IsPacket(in[i]));
      }
    }
}

TEST_F(Fragments, TheFirstOneBringsThoseThatWaited) {
  for (const bool ip6 : {false, true}) {
    forget_flows();
    const auto in = fragments(arriving(ip6), kPiece);
    EXPECT_TRUE(is_held(At::kTcUp, send(At::kTcUp, in[2])));
    EXPECT_TRUE(is_held(At::kTcUp, send(At::kTcUp, in[1])));
    expect_untouched(At::kXdpUp, in[0]);  // TC knows who waits
    // All three arrive at up0 once more, where the program is attached.
    auto result = machine_->run(At::kTcUp, in[0]);
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(result->action, kTcDrop);
    std::uint64_t seen = 0;
    const std::string all = std::string{kCounted} + " x3";
    EXPECT_TRUE(eventually(milliseconds{10000}, [&] {
      const auto counted = machine_->counted();
      if (counted && *counted == all)
        seen = 3;
      else if (counted && *counted == std::string{kCounted} + " x2")
        seen += 2;
      else if (counted && *counted == kCounted)
        seen += 1;
      return seen == 3;
    }));
  }
}

TEST_F(Fragments, WhatWaitedInVainIsCounted) {
  const auto in = fragments(arriving(false), kPiece);
  EXPECT_TRUE(is_held(At::kTcUp, send(At::kTcUp, in[1])));
  EXPECT_TRUE(eventually(milliseconds{10000}, [&] {
    if (!machine_->datapath().sweep()) return false;
    const auto counted = machine_->counted();
    return counted && *counted == kRefused;
  }));
}

TEST_F(Fragments, OnlySoManyWait) {
  const auto in = fragments(arriving(false, 18 * 80), 80);
  for (std::size_t i = 1; i <= FW_HELD_SLOTS; ++i)
    EXPECT_TRUE(is_held(At::kTcUp, send(At::kTcUp, in[i]))) << i;
  expect_drop(At::kTcUp, in[FW_HELD_SLOTS + 1], kRefused);
}

TEST_F(Fragments, FromTheHostNothingWaits) {
  const Bytes datagram = from_host() / Ip4{.src = kSelf, .dst = kClient, .dont_fragment = false} /
                         Udp{.dport = 9} / filler(4000);
  expect_drop(At::kOutUp, fragments(datagram, kPiece)[1], kRefused);
}

TEST_F(Fragments, ADatagramThatIsCompleteIsForgotten) {
  for (const At at : kUp) {
    forget_flows();
    const auto in = fragments(arriving(false), kPiece);
    const auto out = fragments(leaving(false), kPiece);
    for (std::size_t i = 0; i < in.size(); ++i) expect_forward(at, in[i], out[i], kCounted);
    EXPECT_TRUE(is_held(at, send(at, in[1])));
  }
}

// --- forged

TEST_F(Fragments, OverlapsAreRefused) {
  for (const At at : kUp)
    for (const bool ip6 : {false, true}) {
      forget_flows();
      const auto small = fragments(arriving(ip6), 64);
      const auto small_out = fragments(leaving(ip6), 64);
      const auto large = fragments(arriving(ip6), kPiece);
      const auto large_out = fragments(leaving(ip6), kPiece);
      // 1448 bytes have passed: nothing may begin among them (teardrop, a second header).
      expect_forward(at, large[0], large_out[0], kCounted);
      for (const std::size_t i : {1U, 2U, 20U, 22U}) expect_drop(at, small[i], kRefused);
      expect_forward(at, large[1], large_out[1], kCounted);
      expect_drop(at, large[1], kRefused);
      expect_drop(at, small[40], kRefused);
      // A tiny first one that is whole, and an overlap right behind its header.
      expect_forward(at, fragments(arriving(ip6), 8)[0], fragments(leaving(ip6), 8)[0], kCounted);
      expect_forward(at, fragments(arriving(ip6), 8)[1], fragments(leaving(ip6), 8)[1], kCounted);
      expect_drop(at, fragments(arriving(ip6), 8)[1], kRefused);
      expect_forward(at, small[1], small_out[1], kCounted);  // behind a gap: it may still come
    }
}

// RFC 1858, 3128, 7112: policy judges what is in the first one, so that is all of the header.
TEST_F(Fragments, TinyFirstFragmentsAreRefused) {
  const Ip4 ip{.src = kClient, .dst = kSelf, .dont_fragment = false};
  const Ip6 ip6{.src = kClientV6, .dst = kSelfV6};
  const Tcp syn{.dport = 8080, .syn = true, .options = {2, 4, 5, 180}};
  for (const At at : kUp) {
    for (const std::size_t bytes : {8U, 16U}) {
      expect_drop(at, fragments(at_up() / ip / syn / filler(64), bytes)[0], kRefused);
      expect_drop(at, fragments(at_up() / ip6 / syn / filler(64), bytes)[0], kRefused);
    }
    // Without its options, and the ports behind an extension header that is cut off.
    Bytes cut = fragments(at_up() / ip / syn / filler(64), 24)[0];
    expect_forward(
        at, cut,
        fragments(to_web() / Ip4{.src = kClient, .dst = kWeb, .dont_fragment = false, .ttl = 63} /
                      Tcp{.dport = 80, .syn = true, .options = {2, 4, 5, 180}} / filler(64),
                  24)[0],
        "http internet dmz");
    expect_drop(at,
                at_up() / ip6 / Ip6Fragment{.more = true, .next = 60} /
                    Ip6Ext{.body = {1, 4, 0, 0, 0, 0}, .length = 1, .next = 6},
                kRefused);
  }
}

TEST_F(Fragments, WhatCannotBeAFragmentIsRefused) {
  const Ip4 ip{.src = kClient, .dst = kSelf, .dont_fragment = false, .proto = 17};
  const auto with = [&](bool more, unsigned offset) {
    Ip4 changed = ip;
    changed.more_fragments = more;
    changed.fragment_offset = static_cast<std::uint16_t>(offset);
    return changed;
  };
  const Ip6 ip6{.src = kClientV6, .dst = kSelfV6};
  const std::vector<Bytes> frames = {
      at_up() / with(true, 64) / filler(63),  // more to come behind an odd end
      at_up() / with(true, 0) / Udp{.dport = 5353} / filler(7),
      at_up() / with(false, 64),                 // nothing in it
      at_up() / with(false, 65528) / filler(8),  // the ping of death
      at_up() / ip6 / Ip6Fragment{.offset = 64, .more = true, .next = 17} / filler(63),
      at_up() / ip6 / Ip6Fragment{.offset = 64, .next = 17},
      at_up() / ip6 / Ip6Fragment{.offset = 65528, .next = 17} / filler(8),
      at_up() / ip6 / Ip6Fragment{.more = true} / Ip6Fragment{.more = true} / Udp{.dport = 5353} /
          filler(64),
      // Neither errors nor discovery come in pieces.
      at_up() / Ip4{.src = kClient, .dst = kSelf, .more_fragments = true} /
          Icmp{.type = 3, .code = 4} / filler(64),
      at_up() / ip6 / Ip6Fragment{.more = true} / Icmp{.type = 1} / filler(64),
      at_up() / ip6 / Ip6Fragment{.more = true} / Icmp{.type = 135} / filler(64),
  };
  for (const Bytes& frame : frames)
    for (const At at : kUp) expect_drop(at, frame, kRefused);
}

// RFC 6946: a fragment header around a whole packet.
TEST_F(Fragments, AnAtomicFragmentIsAWholePacket) {
  for (const At at : kUp) {
    forget_flows();
    for (int again = 0; again < 2; ++again)
      expect_forward(at,
                     at_up() / Ip6{.src = kClientV6, .dst = kSelfV6} / Ip6Fragment{.id = 3} /
                         Udp{.dport = 5353} / "query",
                     to_web() / Ip6{.src = kClientV6, .dst = kWebV6, .hop_limit = 63} /
                         Ip6Fragment{.id = 3} / Udp{.dport = 53} / "query",
                     kCounted);
  }
}

TEST_F(Fragments, ExtensionHeadersBeforeAndInTheFirst) {
  for (const At at : kUp) {
    forget_flows();
    const auto frame = [](const Eth& eth, const Ip6& ip, std::uint16_t port) -> Bytes {
      return eth / ip / Ip6Ext{.type = 0} / Ip6Fragment{.more = true, .id = 8} /
             Ip6Ext{.type = 60} / Udp{.dport = port, .length = 2000, .csum = given(0x1234)} /
             filler(64);
    };
    const auto later = [](const Eth& eth, const Ip6& ip) -> Bytes {
      return eth / ip / Ip6Ext{.type = 0} / Ip6Fragment{.offset = 80, .id = 8, .next = 60} /
             filler(9);
    };
    const Ip6 in{.src = kClientV6, .dst = kSelfV6};
    const Ip6 out{.src = kClientV6, .dst = kWebV6, .hop_limit = 63};
    Sent first = send(at, frame(at_up(), in, 5353));
    EXPECT_EQ(first.action, is_xdp(at) ? kXdpRedirect : kTcRedirect);
    EXPECT_EQ(first.counted, kCounted);
    expect_forward(at, later(at_up(), in), later(to_web(), out), kCounted);
  }
}

TEST_F(Fragments, AContainersForgedPieceIsAMartian) {
  const Bytes forged = at_bridge(kApiMac) /
                       Ip4{.src = kWeb, .dst = kClient, .dont_fragment = false} / Udp{.dport = 9} /
                       filler(3000);
  expect_drop(At::kFromApi, fragments(forged, kPiece)[0], "MARTIAN dmz internet");
  const auto own =
      fragments(at_bridge() / Ip4{.src = kWeb, .dst = kClient, .dont_fragment = false} /
                    Udp{.dport = 9} / filler(3000),
                kPiece);
  const Sent sent = send(At::kFromWeb, own[0]);
  EXPECT_EQ(sent.action, kTcRedirect);
  expect_drop(At::kFromApi, fragments(forged, kPiece)[1], "MARTIAN none none");
}

}  // namespace
}  // namespace fw::test
