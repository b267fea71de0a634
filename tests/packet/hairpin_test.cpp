// SPDX-License-Identifier: GPL-2.0-only
// Doors used from inside: by a container, by the backend itself, and by a machine on the wire that
// the backend is on. And what nobody on a wire may use: doors on loopback addresses.
#include <spdlog/fmt/fmt.h>

#include "tests/support/datapath_fixture.h"

namespace fw::test {
namespace {

using Hairpin = PacketTest;

constexpr const char* kBridge = "172.20.1.1";
constexpr const char* kBridgeV6 = "fd00:dead:beef:1::1";
constexpr const char* kApiV6 = "fd00:dead:beef:1::11";

// From a port of the bridge to the next one, as bpf_redirect_peer sends it.
Eth to_api() {
  return Eth{.src = kBridgeMac, .dst = kApiMac};
}

TEST_F(Hairpin, AContainerUsesADoorToItsNeighbour) {
  for (const char* address : {kBridge, kSelf, "172.20.2.1"}) {
    forget_flows();
    expect_forward(
        At::kFromApi,
        at_bridge(kApiMac) / Ip4{.src = kApi, .dst = address} / Tcp{.dport = 8080, .syn = true},
        to_web() / Ip4{.src = kApi, .dst = kWeb, .ttl = 63} / Tcp{.dport = 80, .syn = true},
        "http dmz dmz");
    // The backend knows its neighbour and answers it directly; the hook is on the way.
    expect_forward(At::kFromWeb,
                   Eth{.src = kWebMac, .dst = kApiMac} / Ip4{.src = kWeb, .dst = kApi} /
                       Tcp{.sport = 80, .dport = 40000, .syn = true, .ack = true},
                   to_api() / Ip4{.src = address, .dst = kApi, .ttl = 63} /
                       Tcp{.sport = 8080, .dport = 40000, .syn = true, .ack = true},
                   "http dmz dmz");
    expect_forward(At::kFromApi,
                   at_bridge(kApiMac) / Ip4{.src = kApi, .dst = address} /
                       Tcp{.dport = 8080, .ack = true} / "GET /",
                   to_web() / Ip4{.src = kApi, .dst = kWeb, .ttl = 63} /
                       Tcp{.dport = 80, .ack = true} / "GET /",
                   "http dmz dmz");
  }
}

TEST_F(Hairpin, TheSameInIpv6) {
  expect_forward(
      At::kFromApi,
      at_bridge(kApiMac) / Ip6{.src = kApiV6, .dst = kBridgeV6} / Tcp{.dport = 8080, .syn = true},
      to_web() / Ip6{.src = kApiV6, .dst = kWebV6, .hop_limit = 63} / Tcp{.dport = 80, .syn = true},
      "http dmz dmz");
  expect_forward(At::kFromWeb,
                 Eth{.src = kWebMac, .dst = kApiMac} / Ip6{.src = kWebV6, .dst = kApiV6} /
                     Tcp{.sport = 80, .dport = 40000, .syn = true, .ack = true},
                 to_api() / Ip6{.src = kBridgeV6, .dst = kApiV6, .hop_limit = 63} /
                     Tcp{.sport = 8080, .dport = 40000, .syn = true, .ack = true},
                 "http dmz dmz");
}

TEST_F(Hairpin, AContainerOfAnotherZoneUsesADoor) {
  expect_forward(At::kFromDb,
                 at_vdb() / Ip4{.src = kDb, .dst = kSelf} / Udp{.dport = 5353} / "query",
                 to_web() / Ip4{.src = kDb, .dst = kWeb, .ttl = 63} / Udp{.dport = 53} / "query",
                 "names internal dmz");
  expect_forward(
      At::kFromWeb,
      at_bridge() / Ip4{.src = kWeb, .dst = kDb} / Udp{.sport = 53, .dport = 40000} / "answer",
      to_db() / Ip4{.src = kSelf, .dst = kDb, .ttl = 63} / Udp{.sport = 5353, .dport = 40000} /
          "answer",
      "names internal dmz");
}

// Its own answer to its own address would never leave it: the source is the host's.
TEST_F(Hairpin, AContainerUsesItsOwnDoor) {
  expect_forward(
      At::kFromWeb, at_bridge() / Ip4{.src = kWeb, .dst = kSelf} / Tcp{.dport = 8080, .syn = true},
      to_web() / Ip4{.src = kBridge, .dst = kWeb, .ttl = 63} / Tcp{.dport = 80, .syn = true},
      "http dmz dmz");
  expect_forward(At::kFromWeb,
                 at_bridge() / Ip4{.src = kWeb, .dst = kBridge} /
                     Tcp{.sport = 80, .dport = 40000, .syn = true, .ack = true},
                 to_web() / Ip4{.src = kSelf, .dst = kWeb, .ttl = 63} /
                     Tcp{.sport = 8080, .dport = 40000, .syn = true, .ack = true},
                 "http dmz dmz");
  expect_forward(
      At::kFromWeb, at_bridge() / Ip6{.src = kWebV6, .dst = kSelfV6} / Udp{.dport = 5353} / "query",
      to_web() / Ip6{.src = kBridgeV6, .dst = kWebV6, .hop_limit = 63} / Udp{.dport = 53} / "query",
      "names dmz dmz");
  expect_forward(At::kFromWeb,
                 at_bridge() / Ip6{.src = kWebV6, .dst = kBridgeV6} /
                     Udp{.sport = 53, .dport = 40000} / "answer",
                 to_web() / Ip6{.src = kSelfV6, .dst = kWebV6, .hop_limit = 63} /
                     Udp{.sport = 5353, .dport = 40000} / "answer",
                 "names dmz dmz");
}

TEST_F(Hairpin, TwoClientsOfOnePortAreToldApart) {
  for (const char* address : {kBridge, kSelf})
    ASSERT_EQ(send(At::kFromWeb,
                   at_bridge() / Ip4{.src = kWeb, .dst = address} / Tcp{.dport = 8080, .syn = true})
                  .action,
              kTcRedirect);
  const Sent first = send(At::kFromWeb, at_bridge() / Ip4{.src = kWeb, .dst = kBridge} /
                                            Tcp{.dport = 8080, .syn = true});
  const Sent second = send(
      At::kFromWeb, at_bridge() / Ip4{.src = kWeb, .dst = kSelf} / Tcp{.dport = 8080, .syn = true});
  EXPECT_NE(first.packet, second.packet) << "both come to the backend from one port";
}

// What the internet may use, containers may; what only others may, they may not.
TEST_F(Hairpin, IsOpenOnlyToWhomThePolicySays) {
  enforce(R"(
version: 1
host: {uplinks: [up0]}
zones:
  lan: {subnets: [192.168.1.0/24]}
  dmz: {subnets: [172.20.1.0/24]}
  internal: {services: [db]}
services:
  web: {addresses: [172.20.1.10], ports: {http: 80, admin: 81}}
  api: {addresses: [172.20.1.11]}
  db: {addresses: [172.20.2.20], ports: {postgres: 5432}}
  known: {addresses: [172.20.3.10]}
publish:
  http: {host: 8080, to: web:http, from: internet}
  admin: {host: 8081, to: web:admin, from: lan}
  data: {host: 5432, to: db:postgres, from: [lan, api]}
block:
  - db -> web
)");
  const auto syn = [](const char* src, std::uint16_t port) {
    return Ip4{.src = src, .dst = kSelf} / Tcp{.dport = port, .syn = true};
  };
  expect_drop(At::kFromApi, at_bridge(kApiMac) / syn(kApi, 8081), "NO_RULE dmz host");
  expect_drop(At::kFromWeb, at_bridge() / syn(kWeb, 5432), "NO_RULE dmz host");
  expect_drop(At::kFromDb, at_vdb() / syn(kDb, 8080), "db -> web internal dmz");
  expect_drop(At::kFromKnown, at_vknown() / syn(kStranger, 8080), "NO_RULE none host");
  EXPECT_EQ(send(At::kFromKnown, at_vknown() / syn(kKnown, 8080)).counted, "http none dmz");
  EXPECT_EQ(send(At::kFromApi, at_bridge(kApiMac) / syn(kApi, 5432)).counted, "data dmz internal");
}

// A client and a backend behind one LAN interface of the router: the answer must come to it.
TEST_F(Hairpin, OnOneWireTheRouterIsTheClient) {
  enforce(R"(
version: 1
host: {uplinks: [up0], datapath: {up0: xdp, lan0: xdp}}
zones:
  office: {interfaces: [lan0]}
services:
  shop: {addresses: [10.50.0.7, "fd00:50::7"], ports: {http: 8080}}
publish:
  http: {host: 80, to: shop:http, from: [internet, office]}
)");
  constexpr const char* kNeighbour = "10.50.0.200";
  for (const At at : {At::kXdpLan, At::kTcLan}) {
    forget_flows();
    expect_forward(at,
                   at_lan() / Ip4{.src = kNeighbour, .dst = kSelf} / Tcp{.dport = 80, .syn = true},
                   to_office() / Ip4{.src = "10.50.0.1", .dst = kOffice, .ttl = 63} /
                       Tcp{.dport = 8080, .syn = true},
                   "http office office");
    // The backend is its own client as well.
    expect_forward(at,
                   at_lan() / Ip4{.src = kOffice, .dst = kSelf} /
                       Tcp{.sport = 40001, .dport = 80, .syn = true},
                   to_office() / Ip4{.src = "10.50.0.1", .dst = kOffice, .ttl = 63} /
                       Tcp{.sport = 40001, .dport = 8080, .syn = true},
                   "http office office");
    expect_forward(at,
                   at_lan() / Ip4{.src = kOffice, .dst = "10.50.0.1"} /
                       Tcp{.sport = 8080, .dport = 40001, .syn = true, .ack = true},
                   to_office() / Ip4{.src = kSelf, .dst = kOffice, .ttl = 63} /
                       Tcp{.sport = 80, .dport = 40001, .syn = true, .ack = true},
                   "http office office");
    expect_forward(
        at, at_lan() / Ip6{.src = "fd00:50::7", .dst = kSelfV6} / Tcp{.dport = 80, .syn = true},
        to_office() / Ip6{.src = "fd00:50::1", .dst = "fd00:50::7", .hop_limit = 63} /
            Tcp{.dport = 8080, .syn = true},
        "http office office");
    // From outside, the backend sees the client.
    expect_forward(at == At::kXdpLan ? At::kXdpUp : At::kTcUp,
                   at_up() / Ip4{.src = kClient, .dst = kSelf} / Tcp{.dport = 80, .syn = true},
                   to_office() / Ip4{.src = kClient, .dst = kOffice, .ttl = 63} /
                       Tcp{.dport = 8080, .syn = true},
                   "http internet office");
  }
}

TEST_F(Hairpin, AnErrorAboutATranslatedSourceFindsItsWay) {
  ASSERT_EQ(
      send(At::kFromWeb, at_bridge() / Ip4{.src = kWeb, .dst = kSelf} / Udp{.dport = 5353}).action,
      kTcRedirect);
  expect_forward(At::kFromWeb,
                 at_bridge() / Ip4{.src = kWeb, .dst = kBridge} / Icmp{.type = 3, .code = 3} /
                     Ip4{.src = kBridge, .dst = kWeb, .ttl = 63} / Udp{.dport = 53},
                 to_web() / Ip4{.src = kSelf, .dst = kWeb, .ttl = 63} / Icmp{.type = 3, .code = 3} /
                     Ip4{.src = kWeb, .dst = kSelf, .ttl = 63} / Udp{.dport = 5353},
                 "names dmz dmz");
}

constexpr const char* kLocalDoors = R"(
version: 1
host: {uplinks: [up0], egress: deny, datapath: {up0: xdp, lan0: xdp}}
zones:
  office: {interfaces: [lan0]}
  dmz: {subnets: [172.20.1.0/24, "fd00:dead:beef:1::/64"]}
services:
  web: {addresses: [172.20.1.10, "fd00:dead:beef:1::10"], ports: {http: 80}}
publish:
  admin: {host: "127.0.0.1:8000", to: web:http}
  admin6: {host: "[::1]:8000", to: web:http, from: host}
allow:
  - "* -> host"
)";

TEST_F(Hairpin, NothingOnAWireOrFromAContainerReachesALoopbackDoor) {
  enforce(kLocalDoors);
  struct Row {
    At at;
    Eth link;
    const char* source4;
    const char* source6;
    const char* zone;
  };
  const Row rows[] = {{At::kXdpUp, at_up(), kClient, kClientV6, "internet"},
                      {At::kTcUp, at_up(), kClient, kClientV6, "internet"},
                      {At::kXdpLan, at_lan(), kOffice, "fd00:50::7", "office"},
                      {At::kTcLan, at_lan(), kOffice, "fd00:50::7", "office"},
                      {At::kFromWeb, at_bridge(), kWeb, kWebV6, "dmz"}};
  for (const Row& row : rows) {
    const std::string counted = fmt::format("MARTIAN {} host", row.zone);
    for (const char* source : {row.source4, "127.0.0.1", kSelf}) {
      const Sent sent = send(row.at, row.link / Ip4{.src = source, .dst = "127.0.0.1"} /
                                         Tcp{.dport = 8000, .syn = true});
      EXPECT_EQ(sent.action, is_xdp(row.at) ? kXdpDrop : kTcDrop) << source;
      if (source == row.source4) {
        EXPECT_EQ(sent.counted, counted);
      }
    }
    for (const char* source : {row.source6, "::1", kSelfV6}) {
      const Sent sent = send(
          row.at, row.link / Ip6{.src = source, .dst = "::1"} / Tcp{.dport = 8000, .syn = true});
      EXPECT_EQ(sent.action, is_xdp(row.at) ? kXdpDrop : kTcDrop) << source;
      if (source == row.source6) {
        EXPECT_EQ(sent.counted, counted);
      }
    }
    // The port on another address of the host is no door: it is the host's own port.
    EXPECT_THAT(send(row.at, row.link / Ip4{.src = row.source4, .dst = kSelf} /
                                 Tcp{.dport = 8000, .syn = true})
                    .counted,
                testing::AnyOf("", testing::HasSubstr("* -> host")));
  }
}

// What a process sends that went through a door, and nothing else, reaches the container.
TEST_F(Hairpin, PacketsOfALocalDoorAreLetOut) {
  enforce(kLocalDoors);
  const auto from_bridge = [](const char* dst, std::uint16_t port) {
    return to_web() / Ip4{.src = kBridge, .dst = dst} / Tcp{.dport = port, .syn = true};
  };
  expect_stack(At::kOutWeb, from_bridge(kWeb, 80), "admin host dmz");
  expect_drop(At::kOutWeb, from_bridge(kWeb, 81), "NO_RULE host dmz");
  expect_drop(At::kOutWeb, from_bridge(kApi, 80), "NO_RULE host dmz");
}

TEST_F(Hairpin, ABlockBeatsALocalDoor) {
  enforce(std::string{kLocalDoors} + "block:\n  - host -> web\n");
  expect_drop(At::kOutWeb,
              to_web() / Ip4{.src = kBridge, .dst = kWeb} / Tcp{.dport = 80, .syn = true},
              "host -> web host dmz");
}

}  // namespace
}  // namespace fw::test
