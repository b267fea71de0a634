// SPDX-License-Identifier: GPL-2.0-only
// Headers that are cut short, lie about themselves, or are not understood: never forwarded, never a
// byte changed.
#include <arpa/inet.h>
#include <bpf/bpf.h>

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

// The stack takes them to the VLAN interface, whose own hooks judge what is inside.
TEST_F(Malformed, TaggedFramesOfAGuardedVlanInterfaceGoUp) {
  const int vlans = machine_->datapath().programs().maps().vlans;
  const fw_vlan guarded{
      .ifindex = machine_->ifindex(At::kTcUp), .protocol = htons(0x88a8), .id = 100};
  const std::uint32_t interface = 4711;
  ASSERT_EQ(bpf_map_update_elem(vlans, &guarded, &interface, BPF_ANY), 0);
  const Packet packet = Ip4{.src = kClient, .dst = kSelf} / Packet{Tcp{.dport = 8080, .syn = true}};
  const Vlan service{.id = 100, .priority = 5, .tpid = 0x88a8};
  for (const At at : {At::kXdpUp, At::kTcUp, At::kOutUp}) {
    expect_untouched(at, at_up() / service / packet);
    expect_untouched(at, at_up() / service / Vlan{.id = 7} / packet);
    // Another type of tag, another number, and the right one as the inner tag.
    expect_drop(at, at_up() / Vlan{.id = 100} / packet, kCounted);
    expect_drop(at, at_up() / Vlan{.id = 101, .tpid = 0x88a8} / packet, kCounted);
    expect_drop(at, at_up() / Vlan{.id = 7} / service / packet, kCounted);
  }
  expect_drop(At::kXdpUp, truncated(at_up() / service / packet, 15), kCounted);
  for (const At at : {At::kXdpLan, At::kTcLan, At::kFromWeb})
    expect_drop(at, at_up() / service / packet, kCounted);
  EXPECT_EQ(bpf_map_delete_elem(vlans, &guarded), 0);
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

// RFC 5095, and any other routing header that is not done with: the last destination is another.
TEST_F(Malformed, RoutingHeadersThatLeadOn) {
  const Ip6 ip{.src = kClientV6, .dst = kSelfV6};
  const Tcp syn{.dport = 8080, .syn = true};
  const auto routing = [](std::uint8_t type, std::uint8_t segments_left) {
    return Ip6Ext{.type = 43, .body = {type, segments_left, 0, 0, 0, 0}};
  };
  for (const At at : kUp) {
    forget_flows();
    for (const int type : {0, 2, 3, 4, 253})
      expect_drop(at, at_up() / ip / routing(static_cast<std::uint8_t>(type), 1) / syn, kCounted);
    expect_drop(at, at_up() / ip / routing(0, 0) / syn, kCounted);
    expect_forward(at, at_up() / ip / routing(4, 0) / syn,
                   to_web() / Ip6{.src = kClientV6, .dst = kWebV6, .hop_limit = 63} /
                       routing(4, 0) / Tcp{.dport = 80, .syn = true},
                   "http internet dmz");
  }
}

TEST_F(Malformed, OptionsForEveryHopComeFirst) {
  for (const At at : kUp)
    expect_drop(at,
                at_up() / Ip6{.src = kClientV6, .dst = kSelfV6} / Ip6Ext{.type = 60} /
                    Ip6Ext{.type = 0} / Tcp{.dport = 8080, .syn = true},
                kCounted);
}

// Behind an authentication header fwd does not look: no door has it, and no rule with a port.
TEST_F(Malformed, AnAuthenticationHeaderHidesThePorts) {
  for (const At at : kUp)
    expect_drop(at,
                at_up() / Ip6{.src = kClientV6, .dst = kSelfV6} /
                    Ip6Ext{.type = 51, .body = filler(22)} / Tcp{.dport = 8080, .syn = true},
                "NOT_PUBLISHED internet host");
}

TEST_F(Malformed, SourceRoutesAreRefused) {
  const auto with = [](const Bytes& options) -> Bytes {
    return at_up() / Ip4{.src = kClient, .dst = kSelf, .options = options} /
           Tcp{.dport = 8080, .syn = true};
  };
  for (const At at : kUp) {
    forget_flows();
    for (const std::uint8_t kind : Bytes{131, 137}) {
      expect_drop(at, with({kind, 7, 4, 10, 0, 0, 1}), kCounted);
      expect_drop(at, with({1, 1, 7, 7, 4, 0, 0, 0, 0, kind, 3, 4}), kCounted);
    }
    // Behind the end of the list, or within another option, the number means nothing.
    for (const Bytes& options : {Bytes{0, 131, 3, 4}, Bytes{7, 4, 131, 3}})
      expect_forward(at, with(options),
                     to_web() / Ip4{.src = kClient, .dst = kWeb, .ttl = 63, .options = options} /
                         Tcp{.dport = 80, .syn = true},
                     "http internet dmz");
  }
}

}  // namespace
}  // namespace fw::test
