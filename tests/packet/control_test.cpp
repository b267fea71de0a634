// SPDX-License-Identifier: GPL-2.0-only
// A default deny must not stop what keeps a link alive, and must stop who would redirect it.
#include "tests/support/datapath_fixture.h"

namespace fw::test {
namespace {

using Control = PacketTest;
using Types = std::initializer_list<std::uint8_t>;

constexpr At kUp[] = {At::kXdpUp, At::kTcUp};
constexpr At kLan[] = {At::kXdpLan, At::kTcLan};
constexpr const char* kBroadcast = "ff:ff:ff:ff:ff:ff";

TEST_F(Control, ArpPassesEverywhere) {
  for (const std::uint16_t operation : std::initializer_list<std::uint16_t>{1, 2})
    for (const At at :
         {At::kXdpUp, At::kTcUp, At::kXdpLan, At::kTcLan, At::kFromWeb, At::kOutUp, At::kOutWeb})
      expect_untouched(at, Eth{.src = kRouterMac, .dst = kBroadcast} / Arp{.operation = operation});
}

TEST_F(Control, NeighbourDiscoveryAndListenersPass) {
  for (const std::uint8_t type : Types{133, 134, 135, 136})
    for (const At at : {At::kXdpUp, At::kTcUp, At::kOutUp, At::kOutWeb})
      expect_untouched(at, Eth{.src = kRouterMac, .dst = "33:33:00:00:00:01"} /
                               Ip6{.src = "fe80::1", .dst = "ff02::1", .hop_limit = 255} /
                               Icmp{.type = type} / filler(16));
  for (const std::uint8_t type : Types{133, 135, 136})
    expect_untouched(At::kFromWeb, Eth{.src = kWebMac, .dst = "33:33:00:00:00:01"} /
                                       Ip6{.src = "fe80::1", .dst = "ff02::1", .hop_limit = 255} /
                                       Icmp{.type = type} / filler(16));
  for (const std::uint8_t type : Types{130, 131, 132, 143})
    for (const At at : {At::kXdpUp, At::kTcUp, At::kFromWeb, At::kOutUp})
      expect_untouched(at, Eth{.src = kRouterMac, .dst = "33:33:00:00:00:16"} /
                               Ip6{.src = "fe80::1", .dst = "ff02::16", .hop_limit = 1} /
                               Ip6Ext{.type = 0, .body = {5, 2, 0, 0, 1, 0}} / Icmp{.type = type} /
                               filler(16));
}

TEST_F(Control, NeighbourDiscoveryFromAfarIsDropped) {
  for (const At at : kUp)
    expect_drop(at,
                at_up() / Ip6{.src = kClientV6, .dst = kSelfV6, .hop_limit = 64} /
                    Icmp{.type = 134} / filler(16),
                "MARTIAN none none");
}

TEST_F(Control, ARedirectIsDropped) {
  const Bytes quoted = Ip4{.src = kSelf, .dst = kClient} / Packet{Tcp{}};
  for (const At at : kUp) {
    expect_drop(at,
                at_up() / Ip4{.src = "192.168.1.1", .dst = kSelf} /
                    Icmp{.type = 5, .code = 1, .rest = 0xc0a80102} / quoted,
                "NOT_PUBLISHED lan host");
    expect_drop(at,
                at_up() / Ip6{.src = "fe80::1", .dst = kSelfV6, .hop_limit = 255} /
                    Icmp{.type = 137} / filler(32),
                "NOT_PUBLISHED internet host");
  }
  expect_drop(At::kFromWeb,
              at_bridge() / Ip6{.src = kWebV6, .dst = "fd00:dead:beef:1::1", .hop_limit = 255} /
                  Icmp{.type = 137} / filler(32),
              "NO_RULE dmz host");
}

TEST_F(Control, DhcpAsClientOnUplinksAndAsServerElsewhere) {
  const Packet offer = Ip4{.src = "192.168.1.1", .dst = "255.255.255.255"} /
                       Packet{Udp{.sport = 67, .dport = 68}} / filler(64);
  const Packet discover = Ip4{.src = "0.0.0.0", .dst = "255.255.255.255"} /
                          Packet{Udp{.sport = 68, .dport = 67}} / filler(64);
  const Eth up{.src = kRouterMac, .dst = kBroadcast}, lan{.src = kOfficeMac, .dst = kBroadcast},
      out{.src = kUpMac, .dst = kBroadcast}, web{.src = kWebMac, .dst = kBroadcast};
  for (const At at : kUp) {
    expect_untouched(at, up / offer);
    expect_drop(at, up / discover, "MARTIAN internet host");
  }
  for (const At at : kLan) {
    expect_untouched(at, lan / discover);
    expect_drop(at,
                lan / Ip4{.src = kOffice, .dst = "255.255.255.255"} /
                    Udp{.sport = 67, .dport = 68} / filler(64),
                "NOT_PUBLISHED office host");
  }
  expect_untouched(At::kOutUp, out / discover);
  expect_untouched(At::kOutUp,
                   out / Ip4{.src = kSelf, .dst = "192.168.1.1"} / Udp{.sport = 68, .dport = 67});
  expect_drop(At::kFromWeb, web / discover, "MARTIAN internet host");
  expect_drop(
      At::kFromWeb,
      web / Ip4{.src = kWeb, .dst = "255.255.255.255"} / Udp{.sport = 67, .dport = 68} / filler(64),
      "NO_RULE dmz host");
}

TEST_F(Control, Dhcpv6Likewise) {
  const Packet advertise = Ip6{.src = "fe80::1", .dst = "fe80::2"} /
                           Packet{Udp{.sport = 547, .dport = 546}} / filler(16);
  const Packet solicit = Ip6{.src = "fe80::2", .dst = "ff02::1:2"} /
                         Packet{Udp{.sport = 546, .dport = 547}} / filler(16);
  const Eth multicast_up{.src = kRouterMac, .dst = "33:33:00:01:00:02"};
  const Eth multicast_lan{.src = kOfficeMac, .dst = "33:33:00:01:00:02"};
  for (const At at : kUp) expect_untouched(at, at_up() / advertise);
  for (const At at : kLan) expect_untouched(at, multicast_lan / solicit);
  expect_untouched(At::kOutUp, multicast_up / solicit);
  for (const At at : kUp) expect_drop(at, multicast_up / solicit, "NOT_PUBLISHED internet host");
}

// The rest of the link's protocols: the host's own business, but no way between containers.
TEST_F(Control, WhatIsNotIp) {
  const Bytes lldp =
      Eth{.src = kRouterMac, .dst = "01:80:c2:00:00:0e", .type = 0x88cc} / filler(46);
  const Bytes other = Eth{.src = kWebMac, .dst = kApiMac, .type = 0x88b5} / filler(46);
  for (const At at : {At::kXdpUp, At::kTcUp, At::kOutUp}) {
    expect_untouched(at, lldp);
    expect_untouched(at, other);
  }
  expect_drop(At::kFromWeb, other, "MALFORMED none none");
  expect_drop(At::kFromWeb, lldp, "MALFORMED none none");
}

}  // namespace
}  // namespace fw::test
