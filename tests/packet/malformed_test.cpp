// SPDX-License-Identifier: GPL-2.0-only
// Headers that are cut short, lie about themselves, or are not understood: never forwarded, never a
// byte changed.
#include "tests/support/datapath_fixture.h"

namespace fw::test {
namespace {

using Malformed = PacketTest;

constexpr At kUp[] = {At::kXdpUp, At::kTcUp};
constexpr At kAll[] = {At::kXdpUp, At::kTcUp, At::kFromWeb, At::kOutUp};
constexpr const char* kCounted = "MALFORMED none none";

// Frames that are let through when they are whole, so that only the cut can be the reason.
std::vector<Bytes> whole_frames() {
  return {
      at_up() / Ip4{.src = kClient, .dst = kSelf} / Tcp{.dport = 8080, .syn = true},
      at_up() / Ip4{.src = kClient, .dst = kSelf} / Udp{.dport = 5353} / "data",
      at_up() / Ip4{.src = kClient, .dst = kSelf} / Icmp{.id = 1} / "data",
      at_up() / Ip4{.src = kClient, .dst = kSelf, .options = {7, 7, 4, 0, 0, 0, 0}} /
          Tcp{.dport = 8080, .syn = true, .options = {2, 4, 5, 180}},
      at_up() / Ip6{.src = kClientV6, .dst = kSelfV6} / Tcp{.dport = 8080, .syn = true},
      at_up() / Ip6{.src = kClientV6, .dst = kSelfV6} / Udp{.dport = 5353} / "data",
      at_up() / Ip6{.src = kClientV6, .dst = kSelfV6} / Icmp{.type = 128, .id = 1} / "data",
      at_up() / Ip6{.src = kClientV6, .dst = kSelfV6} / Ip6Ext{.type = 0} / Ip6Ext{} /
          Udp{.dport = 5353},
  };
}

// The kernel takes no frame that is a link header or less.
constexpr std::size_t kShortest = 15;

TEST_F(Malformed, TruncationAtEveryByte) {
  for (const Bytes& whole : whole_frames())
    for (std::size_t length = kShortest; length < whole.size(); ++length) {
      const Bytes frame = truncated(whole, length);
      for (const At at : kAll) {
        const auto sent = machine_->run(at, frame);
        if (!sent && !is_xdp(at) && length <= 54) continue;  // refused before the program
        ASSERT_TRUE(sent) << to_string(at) << ", " << length << " bytes: " << sent.error().message;
        EXPECT_EQ(sent->action, is_xdp(at) ? kXdpDrop : kTcDrop)
            << to_string(at) << ", " << length << " bytes of\n"
            << decode(whole);
        EXPECT_THAT(sent->packet, IsPacket(frame));
      }
    }
}

// The IP header says how long a packet is; what is behind it is the link's padding.
TEST_F(Malformed, PaddingIsNoPartOfThePacket) {
  for (const At at : kUp) {
    forget_flows();
    const Bytes pad(6, 0);
    const Bytes in = at_up() / Ip4{.src = kClient, .dst = kSelf} / Tcp{.dport = 8080, .syn = true};
    const Bytes out =
        to_web() / Ip4{.src = kClient, .dst = kWeb, .ttl = 63} / Tcp{.dport = 80, .syn = true};
    Bytes padded_in = in;
    padded_in.insert(padded_in.end(), pad.begin(), pad.end());
    Bytes padded_out = out;
    padded_out.insert(padded_out.end(), pad.begin(), pad.end());
    expect_forward(at, padded_in, padded_out, "http internet dmz");
  }
}

TEST_F(Malformed, LengthsThatLie) {
  const Ip4 ip{.src = kClient, .dst = kSelf};
  const Ip6 ip6{.src = kClientV6, .dst = kSelfV6};
  const Tcp syn{.dport = 8080, .syn = true};
  const auto with4 = [&](auto change) {
    Ip4 changed = ip;
    change(changed);
    return changed;
  };
  const auto with6 = [&](auto change) {
    Ip6 changed = ip6;
    change(changed);
    return changed;
  };
  const std::vector<Bytes> frames = {
      // IPv4: header and total length
      at_up() / with4([](Ip4& h) { h.length = 19; }) / syn,
      at_up() / with4([](Ip4& h) { h.length = 0; }) / syn,
      at_up() / with4([](Ip4& h) { h.length = 41; }) / syn,
      at_up() / with4([](Ip4& h) { h.length = 65535; }) / syn,
      at_up() / with4([](Ip4& h) { h.ihl = 4; }) / syn,
      at_up() / with4([](Ip4& h) { h.ihl = 0; }) / syn,
      at_up() / with4([](Ip4& h) { h.ihl = 15; }) / syn,
      at_up() / with4([](Ip4& h) { h.version = 6; }) / syn,
      at_up() / with4([](Ip4& h) { h.version = 0; }) / syn,
      // IPv6
      at_up() / with6([](Ip6& h) { h.length = 21; }) / syn,
      at_up() / with6([](Ip6& h) { h.length = 65535; }) / syn,
      at_up() / with6([](Ip6& h) { h.version = 4; }) / syn,
      // The IP header ends before the transport header does.
      at_up() / with4([](Ip4& h) { h.length = 20; }) / syn,
      at_up() / with4([](Ip4& h) { h.length = 39; }) / syn,
      at_up() / with6([](Ip6& h) { h.length = 0; }) / syn,
      at_up() / with6([](Ip6& h) { h.length = 19; }) / syn,
      at_up() / with4([](Ip4& h) { h.length = 27; }) / Udp{.dport = 5353} / "data",
      at_up() / with4([](Ip4& h) { h.length = 27; }) / Icmp{.id = 1} / "data",
      at_up() / with6([](Ip6& h) { h.length = 7; }) / Icmp{.type = 128} / "data",
      // TCP's and UDP's own
      at_up() / ip / Tcp{.dport = 8080, .syn = true, .header_length = 4},
      at_up() / ip / Tcp{.dport = 8080, .syn = true, .header_length = 0},
      at_up() / ip / Tcp{.dport = 8080, .syn = true, .header_length = 6},
      at_up() / ip / Tcp{.dport = 8080, .syn = true, .header_length = 15},
      at_up() / ip / Udp{.dport = 5353, .length = 7} / "data",
      at_up() / ip / Udp{.dport = 5353, .length = 0} / "data",
      at_up() / ip / Udp{.dport = 5353, .length = 13} / "data",
      at_up() / ip6 / Udp{.dport = 5353, .length = 65535} / "data",
  };
  for (const Bytes& frame : frames)
    for (const At at : kUp) expect_drop(at, frame, kCounted);
}

TEST_F(Malformed, TaggedFramesAreNotUnderstood) {
  const Packet packet = Ip4{.src = kClient, .dst = kSelf} / Packet{Tcp{.dport = 8080, .syn = true}};
  const std::vector<Bytes> frames = {
      at_up() / Vlan{.id = 5} / packet,
      at_up() / Vlan{.id = 0, .priority = 3} / packet,
      at_up() / Vlan{.id = 5, .tpid = 0x88a8} / Vlan{.id = 7} / packet,
      at_up() / Vlan{.id = 5} / Vlan{.id = 7} / packet,
  };
  for (const Bytes& frame : frames)
    for (const At at : kAll) expect_drop(at, frame, kCounted);
}

TEST_F(Malformed, Ipv4OptionsAreAccepted) {
  const Bytes options = {7, 7, 4, 0, 0, 0, 0, 1};  // record route
  for (const At at : kUp) {
    forget_flows();
    expect_forward(
        at,
        at_up() / Ip4{.src = kClient, .dst = kSelf, .options = options} / Udp{.dport = 5353} / "q",
        to_web() / Ip4{.src = kClient, .dst = kWeb, .ttl = 63, .options = options} /
            Udp{.dport = 53} / "q",
        "names internet dmz");
    expect_forward(at,
                   at_up() / Ip4{.src = kClient, .dst = kSelf, .options = filler(40)} /
                       Tcp{.dport = 8080, .syn = true, .options = filler(40)},
                   to_web() / Ip4{.src = kClient, .dst = kWeb, .ttl = 63, .options = filler(40)} /
                       Tcp{.dport = 80, .syn = true, .options = filler(40)},
                   "http internet dmz");
  }
}

Packet with_extensions(const Eth& eth, const Ip6& ip, int count, const Packet& rest) {
  Packet packet = eth / ip;
  for (int i = 0; i < count; ++i)
    packet = packet / Ip6Ext{.type = static_cast<std::uint8_t>(i == 0 ? 0 : 60)};
  return packet / rest;
}

TEST_F(Malformed, Ipv6ExtensionHeadersAreFollowedToABound) {
  for (const At at : kUp) {
    for (int count = 1; count <= 8; ++count) {
      forget_flows();
      const Bytes in = with_extensions(at_up(), {.src = kClientV6, .dst = kSelfV6}, count,
                                       Tcp{.dport = 8080, .syn = true});
      if (count <= 5)
        expect_forward(at, in,
                       with_extensions(to_web(), {.src = kClientV6, .dst = kWebV6, .hop_limit = 63},
                                       count, Tcp{.dport = 80, .syn = true}),
                       "http internet dmz");
      else
        expect_drop(at, in, kCounted);
    }
    const Ip6 ip{.src = kClientV6, .dst = kSelfV6};
    expect_drop(at, at_up() / ip / Ip6Ext{.length = 255} / Tcp{.dport = 8080, .syn = true},
                kCounted);
    expect_drop(at,
                at_up() / ip / Ip6Ext{.body = filler(256 - 2)} / Tcp{.dport = 8080, .syn = true},
                kCounted);
  }
}

TEST_F(Malformed, FragmentsAreDropped) {
  const std::vector<Bytes> frames = {
      at_up() / Ip4{.src = kClient, .dst = kSelf, .more_fragments = true} / Udp{.dport = 5353} /
          filler(64),
      at_up() / Ip4{.src = kClient, .dst = kSelf, .fragment_offset = 64, .proto = 17} / filler(64),
      at_up() /
          Ip4{.src = kClient,
              .dst = kSelf,
              .more_fragments = true,
              .fragment_offset = 8,
              .proto = 6} /
          filler(8),
      at_up() / Ip6{.src = kClientV6, .dst = kSelfV6} / Ip6Fragment{.more = true} /
          Udp{.dport = 5353} / filler(64),
      at_up() / Ip6{.src = kClientV6, .dst = kSelfV6} / Ip6Fragment{.offset = 64, .next = 17} /
          filler(64),
      // An ICMP error in fragments is a fragment first.
      at_up() / Ip4{.src = kClient, .dst = kSelf, .more_fragments = true} /
          Icmp{.type = 3, .code = 4} / filler(64),
  };
  for (const Bytes& frame : frames)
    for (const At at : kAll) expect_drop(at, frame, "FRAGMENT none none");
}

}  // namespace
}  // namespace fw::test
