// SPDX-License-Identifier: GPL-2.0-only
// Who may start a flow, at which hook, and where is the packet counted?
#include "tests/support/datapath_fixture.h"

namespace fw::test {
namespace {

using Verdicts = PacketTest;

constexpr At kUp[] = {At::kXdpUp, At::kTcUp};
constexpr At kLan[] = {At::kXdpLan, At::kTcLan};

Packet syn4(const Eth& eth, const char* src, const char* dst, std::uint16_t dport) {
  return eth / Ip4{.src = src, .dst = dst} / Tcp{.dport = dport, .syn = true};
}
Packet syn6(const Eth& eth, const char* src, const char* dst, std::uint16_t dport) {
  return eth / Ip6{.src = src, .dst = dst} / Tcp{.dport = dport, .syn = true};
}

TEST_F(Verdicts, WhatIsNotPublishedIsDenied) {
  for (const At at : kUp) {
    expect_drop(at, syn4(at_up(), kClient, kSelf, 80), "NOT_PUBLISHED internet host");
    expect_drop(at, syn6(at_up(), kClientV6, kSelfV6, 80), "NOT_PUBLISHED internet host");
    expect_drop(at, syn4(at_up(), kClient, kSelf, 22), "NOT_PUBLISHED internet host");
    expect_drop(at, at_up() / Ip4{.src = kClient, .dst = kSelf} / Udp{.dport = 53},
                "NOT_PUBLISHED internet host");
    expect_drop(at, at_up() / Ip4{.src = kClient, .dst = kSelf, .proto = 47} / filler(40),
                "NOT_PUBLISHED internet host");
  }
}

TEST_F(Verdicts, NoRuleOpensAContainerToAnUplink) {
  for (const At at : kUp) {
    expect_drop(at, syn4(at_up(), kClient, kWeb, 80), "NOT_PUBLISHED internet dmz");
    expect_drop(at, syn4(at_up(), kClient, kApi, 8000), "NOT_PUBLISHED internet dmz");
    expect_drop(at, syn6(at_up(), kClientV6, kWebV6, 80), "NOT_PUBLISHED internet dmz");
    expect_drop(at, at_up() / Ip4{.src = kClient, .dst = kWeb} / Icmp{.id = 1},
                "NOT_PUBLISHED internet dmz");
    expect_drop(at, syn4(at_up(), kClient, kStranger, 80), "UNMANAGED internet none");
    expect_drop(at, syn4(at_up(), kClient, kKnown, 80), "NOT_PUBLISHED internet none");
  }
}

TEST_F(Verdicts, PingReachesTheHostWhereARuleSaysSo) {
  for (const At at : kUp) {
    forget_flows();
    expect_stack(at, at_up() / Ip4{.src = kClient, .dst = kSelf} / Icmp{.id = 7, .seq = 1},
                 "* -> host:ping internet host");
    expect_stack(at, at_up() / Ip6{.src = kClientV6, .dst = kSelfV6} / Icmp{.type = 128, .id = 7},
                 "* -> host:ping internet host");
  }
  expect_stack(At::kOutUp,
               from_host() / Ip4{.src = kSelf, .dst = kClient} / Icmp{.type = 0, .id = 7},
               "* -> host:ping internet host");
  expect_stack(At::kOutUp,
               from_host() / Ip6{.src = kSelfV6, .dst = kClientV6} / Icmp{.type = 129, .id = 7},
               "* -> host:ping internet host");
}

TEST_F(Verdicts, PingElsewhereIsDeniedAndAReplyNobodyAskedForToo) {
  for (const At at : kLan)
    expect_drop(at, at_lan() / Ip4{.src = kOffice, .dst = kWeb} / Icmp{.id = 1},
                "NOT_PUBLISHED office dmz");
  for (const At at : kUp)
    expect_drop(at, at_up() / Ip4{.src = kClient, .dst = kSelf} / Icmp{.type = 0, .id = 1},
                "NOT_PUBLISHED internet host");
  // Allowed to speak, but not to begin with an answer.
  expect_drop(At::kFromWeb,
              at_bridge() / Ip4{.src = kWeb, .dst = kClient} / Icmp{.type = 0, .id = 1},
              "INVALID_STATE dmz internet");
}

TEST_F(Verdicts, AdminBeatsBlockAndBlockBeatsPublish) {
  for (const At at : kUp) {
    forget_flows();
    expect_stack(at, syn4(at_up(), kLanClient, kSelf, 22), "lan -> host:22/tcp lan host");
    expect_stack(at, syn6(at_up(), "fd00:1::50", kSelfV6, 22), "lan -> host:22/tcp lan host");
    expect_drop(at, syn4(at_up(), "203.0.113.9", kSelf, 8080), "203.0.113.0/24 -> * internet host");
    expect_drop(at, at_up() / Ip4{.src = "203.0.113.9", .dst = kSelf} / Icmp{.id = 1},
                "203.0.113.0/24 -> * internet host");
    expect_drop(at, syn4(at_up(), "203.0.113.9", kClient, 80),
                "203.0.113.0/24 -> * internet internet");
  }
}

TEST_F(Verdicts, ABlockOfTheBackendClosesTheDoor) {
  enforce(std::string{kPolicy} + "  - internet -> web:80\n  - \"internet -> *:53/udp\"\n");
  for (const At at : kUp) {
    forget_flows();
    expect_drop(at, syn4(at_up(), kClient, kSelf, 8080), "internet -> web:80/tcp internet dmz");
    expect_drop(at, at_up() / Ip4{.src = kClient, .dst = kSelf} / Udp{.dport = 5353},
                "internet -> *:53/udp internet dmz");
    expect_forward(
        at, syn4(at_up(), kLanClient, kSelf, 8080),
        to_web() / Ip4{.src = kLanClient, .dst = kWeb, .ttl = 63} / Tcp{.dport = 80, .syn = true},
        "http lan dmz");
  }
}

TEST_F(Verdicts, ContainersOnOneBridgeAreToldApart) {
  const Eth to_api{.src = kWebMac, .dst = kApiMac};
  const Bytes syn = syn4(to_api, kWeb, kApi, 8000);
  expect_forward(At::kFromWeb, syn, syn, "web -> api:8000/tcp dmz dmz");
  const Bytes answer = Eth{.src = kApiMac, .dst = kWebMac} / Ip4{.src = kApi, .dst = kWeb} /
                       Tcp{.sport = 8000, .dport = 40000, .syn = true, .ack = true};
  expect_forward(At::kFromApi, answer, answer, "web -> api:8000/tcp dmz dmz");
  expect_drop(At::kFromWeb, syn4(to_api, kWeb, kApi, 22), "NO_RULE dmz dmz");
  expect_drop(At::kFromApi, syn4(Eth{.src = kApiMac, .dst = kWebMac}, kApi, kWeb, 80),
              "NO_RULE dmz dmz");
  const Bytes syn_v6 = syn6(to_api, kWebV6, "fd00:dead:beef:1::11", 8000);
  expect_forward(At::kFromWeb, syn_v6, syn_v6, "web -> api:8000/tcp dmz dmz");
}

TEST_F(Verdicts, ContainersOnTwoNetworksAreRouted) {
  expect_forward(
      At::kFromWeb, syn4(at_bridge(), kWeb, kDb, 5432),
      to_db() / Ip4{.src = kWeb, .dst = kDb, .ttl = 63} / Tcp{.dport = 5432, .syn = true},
      "web -> db:5432/tcp dmz internal");
  expect_forward(At::kFromDb,
                 at_vdb() / Ip4{.src = kDb, .dst = kWeb} /
                     Tcp{.sport = 5432, .dport = 40000, .syn = true, .ack = true},
                 to_web() / Ip4{.src = kDb, .dst = kWeb, .ttl = 63} /
                     Tcp{.sport = 5432, .dport = 40000, .syn = true, .ack = true},
                 "web -> db:5432/tcp dmz internal");
  expect_forward(
      At::kFromWeb, syn6(at_bridge(), kWebV6, kDbV6, 5432),
      to_db() / Ip6{.src = kWebV6, .dst = kDbV6, .hop_limit = 63} / Tcp{.dport = 5432, .syn = true},
      "web -> db:5432/tcp dmz internal");
  expect_drop(At::kFromDb, syn4(at_vdb(), kDb, kWeb, 80), "NO_RULE internal dmz");
  expect_drop(At::kFromDb, syn4(at_vdb(), kDb, kClient, 443), "NO_RULE internal internet");
  expect_drop(At::kFromDb, syn4(at_vdb(), kDb, "172.20.2.1", 22), "NO_RULE internal host");
}

TEST_F(Verdicts, OnlyAContainerThatNothingNamesIsUnmanaged) {
  expect_drop(At::kFromKnown, syn4(at_vknown(), kKnown, kClient, 443), "NO_RULE none internet");
  expect_drop(At::kFromKnown, syn4(at_vknown(kNobodysMac), kStranger, kClient, 443),
              "UNMANAGED none internet");
  expect_drop(At::kFromWeb, syn4(at_bridge(), kWeb, kStranger, 80), "UNMANAGED dmz none");
  expect_drop(At::kFromWeb, syn4(at_bridge(), kWeb, kKnown, 80), "NO_RULE dmz none");
}

TEST_F(Verdicts, ALanReachesWhatItIsAllowed) {
  for (const At at : kLan) {
    forget_flows();
    expect_forward(
        at, syn4(at_lan(), kOffice, kWeb, 80),
        to_web() / Ip4{.src = kOffice, .dst = kWeb, .ttl = 63} / Tcp{.dport = 80, .syn = true},
        "office -> web:80/tcp office dmz");
    expect_forward(At::kFromWeb,
                   at_bridge() / Ip4{.src = kWeb, .dst = kOffice} /
                       Tcp{.sport = 80, .dport = 40000, .syn = true, .ack = true},
                   to_office() / Ip4{.src = kWeb, .dst = kOffice, .ttl = 63} /
                       Tcp{.sport = 80, .dport = 40000, .syn = true, .ack = true},
                   "office -> web:80/tcp office dmz");
    expect_drop(at, syn4(at_lan(), kOffice, kDb, 5432), "NOT_PUBLISHED office internal");
    expect_drop(at, syn4(at_lan(), kOffice, "10.50.0.1", 22), "NOT_PUBLISHED office host");
    expect_drop(at, syn4(at_lan(), kOffice, kSelf, 8080), "NO_RULE office host");
  }
}

TEST_F(Verdicts, TheHostMayConnectOutAndIsAnswered) {
  expect_stack(At::kOutUp, syn4(from_host(), kSelf, kClient, 443), "host.egress host internet");
  const Bytes answer = at_up() / Ip4{.src = kClient, .dst = kSelf} /
                       Tcp{.sport = 443, .dport = 40000, .syn = true, .ack = true};
  expect_untouched(At::kXdpUp, answer);
  expect_stack(At::kTcUp, answer, "host.egress host internet");
  expect_stack(At::kOutUp, from_host() / Ip6{.src = kSelfV6, .dst = kClientV6} / Udp{.dport = 53},
               "host.egress host internet");
  expect_stack(At::kTcUp,
               at_up() / Ip6{.src = kClientV6, .dst = kSelfV6} / Udp{.sport = 53, .dport = 40000},
               "host.egress host internet");
  expect_drop(At::kTcUp,
              at_up() / Ip6{.src = kClientV6, .dst = kSelfV6} / Udp{.sport = 53, .dport = 40001},
              "NOT_PUBLISHED internet host");
}

TEST_F(Verdicts, TheHostReachesContainersOnlyByRuleOrDoor) {
  const Bytes syn = syn4(to_web(), "172.20.1.1", kWeb, 80);
  expect_stack(At::kOutWeb, syn, "host -> web:80/tcp host dmz");
  expect_stack(At::kFromWeb,
               at_bridge() / Ip4{.src = kWeb, .dst = "172.20.1.1"} /
                   Tcp{.sport = 80, .dport = 40000, .syn = true, .ack = true},
               "host -> web:80/tcp host dmz");
  expect_drop(At::kOutWeb, syn4(to_web(), "172.20.1.1", kWeb, 81), "NO_RULE host dmz");
  expect_stack(At::kOutDb, syn4(to_db(), "172.20.2.1", kDb, 5432), "data host internal");
  expect_drop(At::kOutDb, syn4(to_db(), "172.20.2.1", kDb, 5433), "NO_RULE host internal");
}

TEST_F(Verdicts, AHostThatMayNotConnectOut) {
  std::string policy = kPolicy;
  policy.replace(policy.find("  admin:"), 0, "  egress: deny\n");
  enforce(policy);
  expect_drop(At::kOutUp, syn4(from_host(), kSelf, kClient, 443), "NO_RULE host internet");
}

// Whatever else routes on this machine does not get past the policy on its way out.
TEST_F(Verdicts, NothingLeavesThatWasNotJudged) {
  expect_drop(At::kOutUp, syn4(from_host(), "198.51.100.77", kClient, 443),
              "NO_RULE internet internet");
  expect_drop(At::kOutWeb, syn4(to_web(), kClient, kWeb, 80), "NO_RULE internet dmz");
}

// The kernel's own forwarding of a packet that fwd has judged on its way in.
TEST_F(Verdicts, WhatWasJudgedOnItsWayInLeavesUntouched) {
  expect_forward(
      At::kTcUp, syn4(at_up(), kClient, kSelf, 8080),
      to_web() / Ip4{.src = kClient, .dst = kWeb, .ttl = 63} / Tcp{.dport = 80, .syn = true},
      "http internet dmz");
  const Bytes routed =
      to_web() / Ip4{.src = kClient, .dst = kWeb, .ttl = 63} / Tcp{.dport = 80, .syn = true};
  expect_untouched(At::kOutWeb, routed, {.ingress_ifindex = machine_->ifindex(At::kTcUp)});
}

struct Forgery {
  const char* src;
  const char* dst;
  const char* counted;
};

TEST_F(Verdicts, NoFrameComesFromWhereItCannot) {
  const Forgery v4[] = {
      {"127.0.0.1", kSelf, "MARTIAN host host"},
      {"127.8.8.8", kSelf, "MARTIAN internet host"},
      {"0.0.0.0", kSelf, "MARTIAN internet host"},
      {"224.0.0.1", kSelf, "MARTIAN internet host"},
      {"255.255.255.255", kSelf, "MARTIAN internet host"},
      {kSelf, kSelf, "MARTIAN host host"},
      {"172.20.1.1", kSelf, "MARTIAN host host"},
      {kWeb, kSelf, "MARTIAN dmz host"},
      {kStranger, kSelf, "MARTIAN none host"},
      {kOffice, kSelf, "MARTIAN office host"},
      {kClient, "127.0.0.1", "MARTIAN internet host"},
      {kClient, "127.0.0.9", "MARTIAN internet internet"},
  };
  const Forgery v6[] = {
      {"::1", kSelfV6, "MARTIAN host host"},
      {"::", kSelfV6, "MARTIAN internet host"},
      {"ff02::1", kSelfV6, "MARTIAN internet host"},
      {"::ffff:198.51.100.1", kSelfV6, "MARTIAN internet host"},
      {kSelfV6, kSelfV6, "MARTIAN host host"},
      {kWebV6, kSelfV6, "MARTIAN dmz host"},
      {"fd00:50::7", kSelfV6, "MARTIAN office host"},
      {kClientV6, "::1", "MARTIAN internet host"},
  };
  for (const At at : kUp) {
    for (const auto& [src, dst, counted] : v4)
      expect_drop(at, syn4(at_up(), src, dst, 8080), counted);
    for (const auto& [src, dst, counted] : v6)
      expect_drop(at, syn6(at_up(), src, dst, 8080), counted);
  }
}

TEST_F(Verdicts, AContainerHasOnlyItsOwnAddress) {
  const Forgery forgeries[] = {
      {kApi, kClient, "MARTIAN dmz internet"},
      {kClient, kWeb, "MARTIAN internet dmz"},
      {kSelf, kClient, "MARTIAN host internet"},
      {"172.20.1.1", kClient, "MARTIAN host internet"},
      {kOffice, kClient, "MARTIAN office internet"},
      {kDb, kClient, "MARTIAN internal internet"},
      {"127.0.0.1", kClient, "MARTIAN host internet"},
  };
  for (const auto& [src, dst, counted] : forgeries)
    expect_drop(At::kFromWeb, syn4(at_bridge(), src, dst, 443), counted);
}

// What is switched past this machine by its bridge or hub is not this machine's business.
TEST_F(Verdicts, AFrameForAnotherMachineIsLeftAlone) {
  for (const At at : kUp)
    expect_untouched(at, syn4(Eth{.src = kRouterMac, .dst = kNobodysMac}, kClient, kSelf, 8080));
}

}  // namespace
}  // namespace fw::test
