// SPDX-License-Identifier: GPL-2.0-only
// Does what leaves by the uplink carry this machine's address, and the answer find its way back?
#include <set>

#include "tests/support/datapath_fixture.h"

namespace fw::test {
namespace {

using Masquerade = PacketTest;

constexpr At kUp[] = {At::kXdpUp, At::kTcUp};

// The source port, or the identifier of an echo request, of an IPv4 frame.
std::uint16_t source_port(const Bytes& frame, std::size_t offset = 34) {
  return frame.size() < offset + 2
             ? std::uint16_t{0}
             : static_cast<std::uint16_t>(frame[offset] << 8U | frame[offset + 1]);
}

TEST_F(Masquerade, KeepsThePortAndBringsTheAnswerBack) {
  for (const At up : kUp) {
    forget_flows();
    expect_forward(
        At::kFromWeb,
        at_bridge() / Ip4{.src = kWeb, .dst = kClient} / Tcp{.dport = 443, .syn = true},
        to_world() / Ip4{.src = kSelf, .dst = kClient, .ttl = 63} / Tcp{.dport = 443, .syn = true},
        "web -> internet dmz internet");
    expect_forward(up,
                   at_up() / Ip4{.src = kClient, .dst = kSelf} /
                       Tcp{.sport = 443, .dport = 40000, .syn = true, .ack = true},
                   to_web() / Ip4{.src = kClient, .dst = kWeb, .ttl = 63} /
                       Tcp{.sport = 443, .dport = 40000, .syn = true, .ack = true},
                   "web -> internet dmz internet");
  }
}

TEST_F(Masquerade, TheSameInIpv6AndUdp) {
  for (const At up : kUp) {
    forget_flows();
    expect_forward(At::kFromWeb,
                   at_bridge() / Ip6{.src = kWebV6, .dst = kClientV6} / Udp{.dport = 53} / "q",
                   to_world() / Ip6{.src = kSelfV6, .dst = kClientV6, .hop_limit = 63} /
                       Udp{.dport = 53} / "q",
                   "web -> internet dmz internet");
    expect_forward(
        up,
        at_up() / Ip6{.src = kClientV6, .dst = kSelfV6} / Udp{.sport = 53, .dport = 40000} / "a",
        to_web() / Ip6{.src = kClientV6, .dst = kWebV6, .hop_limit = 63} /
            Udp{.sport = 53, .dport = 40000} / "a",
        "web -> internet dmz internet");
  }
}

TEST_F(Masquerade, ALanGoesOutFromXdpToo) {
  for (const At lan : {At::kXdpLan, At::kTcLan})
    for (const At up : kUp) {
      forget_flows();
      expect_forward(
          lan, at_lan() / Ip4{.src = kOffice, .dst = kClient} / Tcp{.dport = 443, .syn = true},
          to_world() / Ip4{.src = kSelf, .dst = kClient, .ttl = 63} /
              Tcp{.dport = 443, .syn = true},
          "office -> internet office internet");
      expect_forward(up,
                     at_up() / Ip4{.src = kClient, .dst = kSelf} /
                         Tcp{.sport = 443, .dport = 40000, .syn = true, .ack = true},
                     to_office() / Ip4{.src = kClient, .dst = kOffice, .ttl = 63} /
                         Tcp{.sport = 443, .dport = 40000, .syn = true, .ack = true},
                     "office -> internet office internet");
    }
}

// 10.60.0.5 is behind a router on the office's LAN: no prefix of a zone holds it.
TEST_F(Masquerade, ANetworkBehindTheLanGoesOutLikeTheLan) {
  expect_forward(
      At::kTcLan,
      at_lan() / Ip4{.src = "10.60.0.5", .dst = kClient} / Tcp{.dport = 443, .syn = true},
      to_world() / Ip4{.src = kSelf, .dst = kClient, .ttl = 63} / Tcp{.dport = 443, .syn = true},
      "office -> internet office internet");
}

TEST_F(Masquerade, ATakenPortIsReplacedByAFreeOne) {
  for (const At lan : {At::kXdpLan, At::kTcLan}) {
    forget_flows();
    expect_forward(
        At::kFromWeb,
        at_bridge() / Ip4{.src = kWeb, .dst = kClient} / Tcp{.dport = 443, .syn = true},
        to_world() / Ip4{.src = kSelf, .dst = kClient, .ttl = 63} / Tcp{.dport = 443, .syn = true},
        "web -> internet dmz internet");
    const Sent second =
        send(lan, at_lan() / Ip4{.src = kOffice, .dst = kClient} / Tcp{.dport = 443, .syn = true});
    const std::uint16_t port = source_port(second.packet);
    EXPECT_NE(port, 40000);
    EXPECT_GE(port, 1024);
    EXPECT_THAT(second.packet, IsPacket((to_world() / Ip4{.src = kSelf, .dst = kClient, .ttl = 63} /
                                         Tcp{.sport = port, .dport = 443, .syn = true})
                                            .bytes()));
    expect_forward(At::kTcUp,
                   at_up() / Ip4{.src = kClient, .dst = kSelf} /
                       Tcp{.sport = 443, .dport = port, .syn = true, .ack = true},
                   to_office() / Ip4{.src = kClient, .dst = kOffice, .ttl = 63} /
                       Tcp{.sport = 443, .dport = 40000, .syn = true, .ack = true},
                   "office -> internet office internet");
    // The same flow keeps its port.
    expect_forward(lan,
                   at_lan() / Ip4{.src = kOffice, .dst = kClient} / Tcp{.dport = 443, .ack = true},
                   to_world() / Ip4{.src = kSelf, .dst = kClient, .ttl = 63} /
                       Tcp{.sport = port, .dport = 443, .ack = true},
                   "office -> internet office internet");
  }
}

TEST_F(Masquerade, AnEchoIdentifierIsAPort) {
  expect_forward(
      At::kFromWeb, at_bridge() / Ip4{.src = kWeb, .dst = kClient} / Icmp{.id = 7, .seq = 1},
      to_world() / Ip4{.src = kSelf, .dst = kClient, .ttl = 63} / Icmp{.id = 7, .seq = 1},
      "web -> internet dmz internet");
  const Sent second = send(
      At::kTcLan, at_lan() / Ip4{.src = kOffice, .dst = kClient} / Icmp{.id = 7, .seq = 1} / "x");
  const std::uint16_t id = source_port(second.packet, 38);
  EXPECT_NE(id, 7);
  EXPECT_THAT(second.packet, IsPacket((to_world() / Ip4{.src = kSelf, .dst = kClient, .ttl = 63} /
                                       Icmp{.id = id, .seq = 1} / "x")
                                          .bytes()));
  for (const At up : kUp) {
    expect_forward(
        up, at_up() / Ip4{.src = kClient, .dst = kSelf} / Icmp{.type = 0, .id = 7, .seq = 1},
        to_web() / Ip4{.src = kClient, .dst = kWeb, .ttl = 63} / Icmp{.type = 0, .id = 7, .seq = 1},
        "web -> internet dmz internet");
    expect_forward(
        up, at_up() / Ip4{.src = kClient, .dst = kSelf} / Icmp{.type = 0, .id = id, .seq = 1} / "x",
        to_office() / Ip4{.src = kClient, .dst = kOffice, .ttl = 63} /
            Icmp{.type = 0, .id = 7, .seq = 1} / "x",
        "office -> internet office internet");
  }
}

TEST_F(Masquerade, Icmpv6EchoIsCoveredByItsPseudoHeader) {
  expect_forward(At::kFromWeb,
                 at_bridge() / Ip6{.src = kWebV6, .dst = kClientV6} /
                     Icmp{.type = 128, .id = 7, .seq = 1} / "data",
                 to_world() / Ip6{.src = kSelfV6, .dst = kClientV6, .hop_limit = 63} /
                     Icmp{.type = 128, .id = 7, .seq = 1} / "data",
                 "web -> internet dmz internet");
  for (const At up : kUp)
    expect_forward(up,
                   at_up() / Ip6{.src = kClientV6, .dst = kSelfV6} /
                       Icmp{.type = 129, .id = 7, .seq = 1} / "data",
                   to_web() / Ip6{.src = kClientV6, .dst = kWebV6, .hop_limit = 63} /
                       Icmp{.type = 129, .id = 7, .seq = 1} / "data",
                   "web -> internet dmz internet");
}

// A protocol without ports: one flow to each far end, and no search.
TEST_F(Masquerade, AProtocolWithoutPortsIsExhaustedByOneFlow) {
  expect_forward(
      At::kFromWeb, at_bridge() / Ip4{.src = kWeb, .dst = kClient, .proto = 47} / filler(40),
      to_world() / Ip4{.src = kSelf, .dst = kClient, .ttl = 63, .proto = 47} / filler(40),
      "web -> internet dmz internet");
  for (const At lan : {At::kXdpLan, At::kTcLan})
    expect_drop(lan, at_lan() / Ip4{.src = kOffice, .dst = kClient, .proto = 47} / filler(40),
                "NAT_EXHAUSTED office internet");
  for (const At up : kUp)
    expect_forward(up, at_up() / Ip4{.src = kClient, .dst = kSelf, .proto = 47} / filler(40),
                   to_web() / Ip4{.src = kClient, .dst = kWeb, .ttl = 63, .proto = 47} / filler(40),
                   "web -> internet dmz internet");
}

// Hundreds of clients behind one address, all with one source port.
TEST_F(Masquerade, PortsOfHundredsOfFlowsAreAllDifferent) {
  std::set<std::uint16_t> ports;
  for (unsigned i = 2; i < 255; ++i) {
    const std::string src = "10.50.0." + std::to_string(i);
    const auto sent = machine_->run(
        At::kTcLan, at_lan() / Ip4{.src = src, .dst = kClient} / Udp{.dport = 53} / "q");
    ASSERT_TRUE(sent);
    ASSERT_EQ(sent->action, kTcRedirect) << src;
    EXPECT_TRUE(ports.insert(source_port(sent->packet)).second) << src;
    EXPECT_TRUE(verify_checksums(sent->packet)) << decode(sent->packet);
  }
  EXPECT_GE(ports.size(), 200U);
}

}  // namespace
}  // namespace fw::test
