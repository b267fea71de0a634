// SPDX-License-Identifier: GPL-2.0-only
// What does the podplay policy say to each of these flows?
#include <netinet/in.h>

#include "tests/unit/compile_model.h"

namespace fw::compile::test {
namespace {

// Where the packet is seen.
enum class At { kUplink, kOffice, kContainer, kHost };

Probe probe(At at, const char* src, const char* dst, std::uint8_t proto, std::uint16_t dport) {
  Probe made;
  made.src = ip(src);
  made.dst = ip(dst);
  made.proto = proto;
  made.sport = 40000;
  made.dport = dport;
  made.origin = at == At::kContainer ? FW_FROM_CONTAINER
                : at == At::kHost    ? FW_FROM_HOST
                                     : FW_FROM_WIRE;
  if (at == At::kOffice) made.interface_zone = 6;
  return made;
}

struct FlowCase {
  const char* name;
  At at;
  const char* src;
  const char* dst;
  std::uint8_t proto;
  std::uint16_t dport;
  fw_reason reason;     // FW_REASON_NONE: allowed
  const char* counted;  // "subject from to" of its account
  const char* backend;  // "" without one
};

class PodplayFlow : public testing::TestWithParam<FlowCase> {};

TEST_P(PodplayFlow, IsJudged) {
  const FlowCase& flow = GetParam();
  AccountBook book;
  const Image image = must_compile(podplay(), podplay_machine(), book);
  const Judgement got =
      Judge{image}.judge(probe(flow.at, flow.src, flow.dst, flow.proto, flow.dport));
  EXPECT_EQ(got.reason, flow.reason);
  EXPECT_EQ(got.allowed, flow.reason == FW_REASON_NONE);
  const AccountName& counted = book.names().at(got.account);
  EXPECT_EQ(counted.subject + " " + counted.from_zone + " " + counted.to_zone, flow.counted);
  EXPECT_EQ(got.backend ? got.backend->to_string() : "", flow.backend);
}

constexpr std::uint8_t kTcp = IPPROTO_TCP, kUdp = IPPROTO_UDP, kIcmp = IPPROTO_ICMP;
INSTANTIATE_TEST_SUITE_P(
    Flows, PodplayFlow,
    testing::Values(
        FlowCase{"DoorFromInternet", At::kUplink, "198.51.100.1", "192.168.1.20", kTcp, 8080,
                 FW_REASON_NONE, "http internet dmz", "172.20.1.10"},
        FlowCase{"DoorFromInternet6", At::kUplink, "2001:db8::1", "fd00:1::20", kTcp, 8080,
                 FW_REASON_NONE, "http internet dmz", "fd00:dead:beef:1::10"},
        FlowCase{"DoorFromLan", At::kUplink, "192.168.1.5", "192.168.1.20", kTcp, 8080,
                 FW_REASON_NONE, "http lan dmz", "172.20.1.10"},
        FlowCase{"DoorNotForOffice", At::kOffice, "10.50.0.7", "10.50.0.1", kTcp, 8080,
                 FW_REASON_NO_RULE, "NO_RULE office host", "172.20.1.10"},
        FlowCase{"DoorBlockedByPrefix", At::kUplink, "203.0.113.9", "192.168.1.20", kTcp, 8080,
                 FW_REASON_BLOCKED, "203.0.113.0/24 -> * internet host", "172.20.1.10"},
        FlowCase{"DoorBlockedByBackend", At::kUplink, "192.168.1.66", "192.168.1.20", kTcp, 8080,
                 FW_REASON_BLOCKED, "192.168.1.66 -> proxy:80/tcp lan dmz", "172.20.1.10"},
        FlowCase{"DoorOfTheOtherProtocol", At::kUplink, "198.51.100.1", "192.168.1.20", kUdp, 8080,
                 FW_REASON_NOT_PUBLISHED, "NOT_PUBLISHED internet host", ""},
        FlowCase{"ClosedPort", At::kUplink, "198.51.100.1", "192.168.1.20", kTcp, 81,
                 FW_REASON_NOT_PUBLISHED, "NOT_PUBLISHED internet host", ""},
        FlowCase{"HostsOwnDoor", At::kUplink, "192.168.1.5", "192.168.1.20", kTcp, 5353,
                 FW_REASON_NONE, "names lan host", ""},
        FlowCase{"AdminBeatsBlock", At::kUplink, "192.168.1.5", "192.168.1.20", kTcp, 22,
                 FW_REASON_NONE, "zone:lan -> host:22/tcp lan host", ""},
        FlowCase{"SshFromInternet", At::kUplink, "198.51.100.1", "192.168.1.20", kTcp, 22,
                 FW_REASON_NOT_PUBLISHED, "NOT_PUBLISHED internet host", ""},
        FlowCase{"PingTheHost", At::kUplink, "198.51.100.1", "192.168.1.20", kIcmp, 0,
                 FW_REASON_NONE, "* -> host:0/icmp internet host", ""},
        FlowCase{"AllowRuleOpensNoContainer", At::kUplink, "198.51.100.1", "172.20.2.20", kTcp,
                 5432, FW_REASON_NOT_PUBLISHED, "NOT_PUBLISHED internet internal", ""},
        FlowCase{"ContainerDirectly", At::kUplink, "198.51.100.1", "172.20.1.10", kTcp, 80,
                 FW_REASON_NOT_PUBLISHED, "NOT_PUBLISHED internet dmz", ""},
        FlowCase{"ProxyToApi", At::kContainer, "172.20.1.10", "172.20.2.12", kTcp, 8000,
                 FW_REASON_NONE, "proxy -> api:8000/tcp dmz internal", ""},
        FlowCase{"ProxyToApiOtherPort", At::kContainer, "172.20.1.10", "172.20.2.12", kTcp, 8001,
                 FW_REASON_NO_RULE, "NO_RULE dmz internal", ""},
        FlowCase{"ProxyToDb", At::kContainer, "172.20.1.10", "172.20.2.20", kTcp, 5432,
                 FW_REASON_NO_RULE, "NO_RULE dmz internal", ""},
        FlowCase{"ApiToDb", At::kContainer, "172.20.2.11", "172.20.2.20", kTcp, 5432,
                 FW_REASON_NONE, "api -> db:5432/tcp internal internal", ""},
        FlowCase{"ReplicaToReplica", At::kContainer, "172.20.2.11", "172.20.2.12", kTcp, 8000,
                 FW_REASON_NO_RULE, "NO_RULE internal internal", ""},
        FlowCase{"UnmanagedOut", At::kContainer, "172.20.2.99", "198.51.100.1", kTcp, 443,
                 FW_REASON_UNMANAGED, "UNMANAGED none internet", ""},
        FlowCase{"ToUnmanaged", At::kContainer, "172.20.2.11", "172.20.2.99", kTcp, 80,
                 FW_REASON_UNMANAGED, "UNMANAGED internal none", ""},
        FlowCase{"ContainerOut", At::kContainer, "172.20.1.10", "198.51.100.1", kTcp, 443,
                 FW_REASON_NO_RULE, "NO_RULE dmz internet", ""},
        FlowCase{"OfficeOut", At::kOffice, "10.50.0.7", "198.51.100.1", kTcp, 443, FW_REASON_NONE,
                 "zone:office -> internet office internet", ""},
        FlowCase{"BehindTheOffice", At::kOffice, "10.60.0.7", "198.51.100.1", 47, 0, FW_REASON_NONE,
                 "zone:office -> internet office internet", ""},
        FlowCase{"OfficeToContainer", At::kOffice, "10.50.0.7", "172.20.1.10", kTcp, 80,
                 FW_REASON_NONE, "zone:office -> proxy:80/tcp office dmz", ""},
        FlowCase{"OfficeToDb", At::kOffice, "10.50.0.7", "172.20.2.20", kTcp, 5432,
                 FW_REASON_NOT_PUBLISHED, "NOT_PUBLISHED office internal", ""},
        FlowCase{"UplinkToOffice", At::kUplink, "198.51.100.1", "10.50.0.7", kTcp, 80,
                 FW_REASON_NO_RULE, "NO_RULE internet office", ""},
        FlowCase{"HostOut", At::kHost, "192.168.1.20", "198.51.100.1", kTcp, 443, FW_REASON_NONE,
                 "host.egress host internet", ""},
        FlowCase{"HostToContainer", At::kHost, "172.20.1.1", "172.20.1.10", kTcp, 81,
                 FW_REASON_NO_RULE, "NO_RULE host dmz", ""},
        FlowCase{"HostToBackend", At::kHost, "172.20.1.1", "172.20.1.10", kTcp, 80, FW_REASON_NONE,
                 "http host dmz", ""},
        FlowCase{"HostToPublicDoor", At::kHost, "192.168.1.20", "192.168.1.20", kTcp, 8080,
                 FW_REASON_NONE, "http host dmz", "172.20.1.10"},
        FlowCase{"HostToPublicDoorByLoopback", At::kHost, "127.0.0.1", "127.0.0.1", kTcp, 8080,
                 FW_REASON_NONE, "http host dmz", "172.20.1.10"},
        FlowCase{"ContainerToPublicDoor", At::kContainer, "172.20.2.20", "172.20.2.1", kTcp, 8080,
                 FW_REASON_NONE, "http internal dmz", "172.20.1.10"},
        FlowCase{"ContainerToItsOwnDoor", At::kContainer, "172.20.1.10", "192.168.1.20", kTcp, 8080,
                 FW_REASON_NONE, "http dmz dmz", "172.20.1.10"},
        FlowCase{"ContainerToDoorOfTheLan", At::kContainer, "172.20.1.10", "192.168.1.20", kTcp,
                 5353, FW_REASON_NO_RULE, "NO_RULE dmz host", ""},
        FlowCase{"UnmanagedToPublicDoor", At::kContainer, "172.20.2.99", "192.168.1.20", kTcp, 8080,
                 FW_REASON_NO_RULE, "NO_RULE none host", "172.20.1.10"},
        FlowCase{"HostToLocalDoor", At::kHost, "127.0.0.1", "127.0.0.1", kTcp, 8000, FW_REASON_NONE,
                 "local host internal", "172.20.2.11"},
        FlowCase{"LocalDoorFromTheWire", At::kUplink, "192.168.1.5", "127.0.0.1", kTcp, 8000,
                 FW_REASON_MARTIAN, "MARTIAN lan host", ""},
        FlowCase{"LoopbackFromContainer", At::kContainer, "172.20.1.10", "127.0.0.1", kTcp, 8000,
                 FW_REASON_MARTIAN, "MARTIAN dmz host", ""},
        FlowCase{"FromLoopback", At::kUplink, "127.0.0.1", "192.168.1.20", kTcp, 8080,
                 FW_REASON_MARTIAN, "MARTIAN host host", ""},
        FlowCase{"FromNobody6", At::kUplink, "::", "fd00:1::20", kTcp, 8080, FW_REASON_MARTIAN,
                 "MARTIAN internet host", ""},
        FlowCase{"ContainerFromOutside", At::kUplink, "172.20.1.10", "192.168.1.20", kTcp, 8080,
                 FW_REASON_MARTIAN, "MARTIAN dmz host", ""},
        FlowCase{"GroupIsTheHost", At::kUplink, "192.168.1.5", "224.0.0.251", kUdp, 5353,
                 FW_REASON_NOT_PUBLISHED, "NOT_PUBLISHED lan host", ""}),
    [](const auto& each) { return std::string{each.param.name}; });

TEST(Judge, DoorWithoutBackendHasNoRoute) {
  Policy policy = podplay();
  policy.services["proxy"].addresses = {ip("172.20.1.10")};
  const Image image = must_compile(policy, podplay_machine());
  const auto got = Judge{image}.judge(probe(At::kUplink, "2001:db8::1", "fd00:1::20", kTcp, 8080));
  EXPECT_FALSE(got.allowed);
  EXPECT_EQ(got.reason, FW_REASON_NO_ROUTE);
}

TEST(Judge, HashChoosesAmongAllBackends) {
  Policy policy = podplay();
  policy.doors["local"].address.reset();
  const Image image = must_compile(policy, podplay_machine());
  const Judge judge{image};
  std::set<std::string> chosen;
  Probe local = probe(At::kUplink, "192.168.1.5", "192.168.1.20", kTcp, 8000);
  for (std::uint32_t hash = 0; hash < 300; ++hash) {
    local.hash = hash;
    chosen.insert(judge.judge(local).backend->to_string());
  }
  EXPECT_EQ(chosen, (std::set<std::string>{"172.20.2.11", "172.20.2.12"}));
}

TEST(Judge, EgressDeniedNeedsARule) {
  Policy policy = podplay();
  policy.host.egress_allowed = false;
  const Probe out = probe(At::kHost, "192.168.1.20", "198.51.100.1", kTcp, 443);
  const Image without = must_compile(policy, podplay_machine());
  EXPECT_EQ(Judge{without}.judge(out).reason, FW_REASON_NO_RULE);
  policy.rules.push_back(allow("host", "internet", {tcp(443)}));
  const Image with = must_compile(policy, podplay_machine());
  EXPECT_TRUE(Judge{with}.judge(out).allowed);
}

TEST(Judge, BlockOutranksTheMoreSpecificAllow) {
  Policy policy = podplay();
  policy.rules.push_back(block("zone:dmz", "*"));
  const Image image = must_compile(policy, podplay_machine());
  const auto got =
      Judge{image}.judge(probe(At::kContainer, "172.20.1.10", "172.20.2.11", kTcp, 8000));
  EXPECT_EQ(got.reason, FW_REASON_BLOCKED);
}

TEST(Judge, EmptyPolicyDeniesAndCounts) {
  AccountBook book;
  const Image image = must_compile({}, {}, book);
  const auto got = Judge{image}.judge(probe(At::kUplink, "10.0.0.1", "10.0.0.2", kTcp, 1));
  EXPECT_EQ(got.reason, FW_REASON_NO_RULE);
  EXPECT_EQ(book.names().at(got.account).subject, "NO_RULE");
}

}  // namespace
}  // namespace fw::compile::test
