// SPDX-License-Identifier: GPL-2.0-only
// Policies that are right: every construct of the language, and what it means.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "loader/config/parse.h"

namespace fw::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// The policy in `text`, below a version; fails the test with fwd's own messages.
Policy policy(const std::string& text) {
  Parsed parsed = parse({"fwd.yaml", "version: 1\n" + text});
  std::string messages;
  for (const auto& diagnostic : parsed.diagnostics) messages += to_string(diagnostic);
  EXPECT_TRUE(parsed.policy) << messages;
  return parsed.policy ? *parsed.policy : Policy{};
}

constexpr const char* kWorld = R"(
host: {uplinks: [eth0]}
zones:
  lan:      {subnets: [192.168.1.0/24, "fd00:1::/64"]}
  internal: {services: [backend, db]}
  mgmt:     {services: [prometheus], intra: allow}
services:
  backend:    {addresses: [172.20.1.2], ports: {http: 8000, metrics: 9100}}
  db:         {addresses: [172.20.1.3, "fd00:2::3"], ports: {postgres: 5432, metrics: 9187}}
  prometheus: {addresses: [172.20.1.4], ports: {ui: 9090, metrics: 9090/tcp}}
  dns:        {host: true, ports: {dns: 53/tcp+udp, metrics: 9100}}
  rtp:        {addresses: [172.20.2.30], ports: {media: 30000-30100/udp, sip: 5060/tcp+udp}}
)";

// The canonical text of the rules that one line of `allow` makes.
std::vector<std::string> rules(const std::string& line) {
  std::vector<std::string> texts;
  for (const Rule& rule : policy(kWorld + ("allow:\n  - " + line + "\n")).rules) {
    texts.push_back(rule.text);
  }
  return texts;
}

Door door(const std::string& body) {
  return policy(kWorld + ("publish:\n  door: " + body + "\n")).doors["door"];
}

TEST(Policy, HasDefaults) {
  const Policy got = policy("");
  EXPECT_EQ(got.name, "fwd");
  EXPECT_TRUE(got.host.egress_allowed);
  EXPECT_THAT(got.host.uplinks, IsEmpty());
  EXPECT_THAT(got.rules, IsEmpty());
}

TEST(Policy, ReadsHost) {
  const Policy got = policy(R"(
name: shop
host:
  uplinks: [eth0, eth1]
  datapath: {eth0: xdp, eth1: auto, lan0: tc}
  admin: [lan -> host:22, "fd00::1 -> host:ping"]
  egress: deny
zones: {lan: {interfaces: [lan0]}})");
  EXPECT_EQ(got.name, "shop");
  EXPECT_THAT(got.host.uplinks, ElementsAre("eth0", "eth1"));
  EXPECT_EQ(got.host.datapath.at("eth0"), Datapath::kXdp);
  EXPECT_EQ(got.host.datapath.at("eth1"), Datapath::kAuto);
  EXPECT_EQ(got.host.datapath.at("lan0"), Datapath::kTc);
  EXPECT_FALSE(got.host.egress_allowed);
  ASSERT_EQ(got.rules.size(), 2U);
  EXPECT_EQ(got.rules[0].kind, RuleKind::kAdmin);
  EXPECT_EQ(got.rules[0].text, "lan -> host:22/tcp");
  EXPECT_EQ(got.rules[1].text, "fd00::1 -> host:ping");
}

TEST(Policy, ReadsZonesAndServices) {
  const Policy got = policy(R"(
zones:
  lan: {subnets: [192.168.1.0/24, "fd00:1::/64"], masquerade: false}
  office: {interfaces: [eth1], masquerade: true, intra: allow}
  dmz: {services: [api]}
services:
  api: {addresses: [172.20.2.12, 172.20.2.11], ports: {http: 80, dns: 53/tcp+udp, rtp: 30000-30100/udp}}
  ssh: {host: true})");
  EXPECT_EQ(got.zones.at("lan").subnets.size(), 2U);
  EXPECT_EQ(got.zones.at("lan").masquerade, false);
  EXPECT_EQ(got.zones.at("office").masquerade, true);
  EXPECT_THAT(got.zones.at("office").interfaces, ElementsAre("eth1"));
  EXPECT_TRUE(got.zones.at("office").intra_allowed);
  EXPECT_FALSE(got.zones.at("dmz").intra_allowed);
  EXPECT_FALSE(got.zones.at("dmz").masquerade);
  EXPECT_THAT(got.zones.at("dmz").services, ElementsAre("api"));
  EXPECT_EQ(got.zones.at("dmz").where, (Location{"fwd.yaml", 6, 3}));
  const Service& api = got.services.at("api");
  EXPECT_EQ(api.addresses.size(), 2U);
  EXPECT_EQ(api.addresses[0].to_string(), "172.20.2.11");
  EXPECT_THAT(api.ports.at("http"), ElementsAre(PortSet{Proto::kTcp, {80, 80}}));
  EXPECT_THAT(api.ports.at("dns"),
              ElementsAre(PortSet{Proto::kTcp, {53, 53}}, PortSet{Proto::kUdp, {53, 53}}));
  EXPECT_THAT(api.ports.at("rtp"), ElementsAre(PortSet{Proto::kUdp, {30000, 30100}}));
  EXPECT_TRUE(got.services.at("ssh").host);
}

TEST(Policy, AcceptsEmptySectionsAnyOrderAndWindowsLines) {
  const Policy got = policy(
      "allow:\r\n  - a -> b:web\r\nblock:\r\nzones:\r\npublish:\r\nhost:\r\n"
      "services:\r\n  b: {host: true, ports: {web: 80}}\r\n  a: {addresses: [10.0.0.1]}\r\n");
  ASSERT_EQ(got.rules.size(), 1U);
  EXPECT_EQ(got.rules[0].text, "a -> b:80/tcp");
  EXPECT_EQ(got.rules[0].where, (Location{"fwd.yaml", 3, 5}));
  EXPECT_TRUE(parse({"f", "\xef\xbb\xbfversion: 1\n"}).policy);
  EXPECT_TRUE(parse({"f", "---\n# comment\nversion: 1\n...\n"}).policy);
}

struct FlowCase {
  const char* line;
  std::vector<std::string> texts;
};

TEST(Flow, HasOneCanonicalText) {
  const std::vector<FlowCase> cases = {
      {"backend -> db:postgres", {"backend -> db:5432/tcp"}},
      {"backend->db:5432", {"backend -> db:5432/tcp"}},
      {"backend -> db:5432/tcp", {"backend -> db:5432/tcp"}},
      {"backend -> db", {"backend -> db"}},
      {"lan -> host:ping", {"lan -> host:ping"}},
      {"lan -> host:ping/icmp", {"lan -> host:ping"}},
      {"lan -> host:ping,22", {"lan -> host:ping,22/tcp"}},
      {"lan -> host:ping,22/tcp", {"lan -> host:ping,22/tcp"}},
      {"lan -> host:dns", {"lan -> host:53/tcp+udp"}},
      {"lan -> dns:dns/udp", {"lan -> dns:53/udp"}},
      {"lan -> host:53/tcp,53/udp", {"lan -> host:53/tcp+udp"}},
      {"lan -> host:53/udp+tcp", {"lan -> host:53/tcp+udp"}},
      {"lan -> rtp:sip,media", {"lan -> rtp:5060/tcp+udp,30000-30100/udp"}},
      {"mgmt -> *:metrics", {"mgmt -> *:9090,9100,9187/tcp"}},
      {"mgmt -> internal:metrics", {"mgmt -> internal:9100,9187/tcp"}},
      {"db -> internet:587,465,25,465/tcp", {"db -> internet:25,465,587/tcp"}},
      {"db -> internet:80-90,85-95,96", {"db -> internet:80-96/tcp"}},
      {"10.0.1.0/24 -> db:8000", {"10.0.1.0/24 -> db:8000/tcp"}},
      {"fd00:9::/64 -> db:8000", {"fd00:9::/64 -> db:8000/tcp"}},
      {"lan -> 10.9.0.0/16:80/udp", {"lan -> 10.9.0.0/16:80/udp"}},
      {"lan -> [fd00::1]:80", {"lan -> [fd00::1]:80/tcp"}},
      {"lan -> [fd00::/64]:80", {"lan -> [fd00::/64]:80/tcp"}},
      {"lan -> fd00::1", {"lan -> fd00::1"}},
      {"lan -> fd00::/64", {"lan -> fd00::/64"}},
      {"203.0.113.0/24 -> *", {"203.0.113.0/24 -> *"}},
      {"203.0.113.7/32 -> *", {"203.0.113.7 -> *"}},
      {"\"* -> internet\"", {"* -> internet"}},
      {"{from: [lan, backend, lan], to: db:postgres}", {"{lan,backend} -> db:5432/tcp"}},
      {"{from: [backend, lan], to: db:5432}", {"{lan,backend} -> db:5432/tcp"}},
      {"{from: lan, to: [db:80, backend:80]}", {"lan -> {backend,db}:80/tcp"}},
      {"{from: lan, to: [db:80, host:22]}", {"lan -> host:22/tcp", "lan -> db:80/tcp"}},
      {"{from: [\"*\", lan], to: \"[fd00::1]:80\"}", {"* -> [fd00::1]:80/tcp"}},
  };
  for (const auto& [line, texts] : cases) EXPECT_EQ(rules(line), texts) << line;
}

TEST(Flow, ReadsItsOwnCanonicalText) {
  for (const char* text :
       {"lan -> host:ping,22/tcp", "lan -> rtp:5060/tcp+udp,30000-30100/udp",
        "lan -> [fd00::/64]:80/tcp", "backend -> db", "db -> host:80/tcp,53/tcp+udp,69/udp"}) {
    EXPECT_EQ(rules(text), std::vector<std::string>{text});
  }
}

TEST(Flow, KeepsPeersPortsAndComment) {
  const Policy got = policy(kWorld + std::string{R"(
allow:
  - {from: [lan, 10.0.0.1, backend], to: "*", comment: "why: because"}
block:
  - internet -> host:dns
)"});
  ASSERT_EQ(got.rules.size(), 2U);
  EXPECT_THAT(got.rules[0].from, ElementsAre(Peer{ZoneRef{"lan"}}, Peer{ServiceRef{"backend"}},
                                             Peer{*Prefix::parse("10.0.0.1")}));
  EXPECT_THAT(got.rules[0].to, ElementsAre(Peer{Anyone{}}));
  EXPECT_THAT(got.rules[0].ports, IsEmpty());
  EXPECT_EQ(got.rules[0].comment, "why: because");
  EXPECT_EQ(got.rules[1].kind, RuleKind::kBlock);
  EXPECT_THAT(got.rules[1].ports,
              ElementsAre(PortSet{Proto::kTcp, {53, 53}}, PortSet{Proto::kUdp, {53, 53}}));
}

TEST(Publish, ReadsEveryForm) {
  Door got = door("{router: 80, host: 8080, to: backend:http, from: [lan, internet]}");
  EXPECT_EQ(got.text, "door: host:8080/tcp -> backend:8000");
  EXPECT_EQ(got.service, "backend");
  EXPECT_EQ(got.router_port, (PortRange{80, 80}));
  EXPECT_FALSE(got.address);
  EXPECT_THAT(got.from, ElementsAre(Peer{ZoneRef{"internet"}}, Peer{ZoneRef{"lan"}}));
  EXPECT_THAT(got.mappings, ElementsAre(Door::Mapping{Proto::kTcp, {8080, 8080}, {8000, 8000}}));

  got = door("{host: 5353, to: dns:dns, from: \"*\"}");
  EXPECT_EQ(got.text, "door: host:5353/tcp+udp -> dns:53");
  EXPECT_EQ(got.mappings.size(), 2U);

  got = door("{host: 40000-40100, to: rtp:media, from: 10.0.0.0/8}");
  EXPECT_EQ(got.text, "door: host:40000-40100/udp -> rtp:30000-30100");

  got = door("{host: \"[2001:db8::1]:443\", to: db:5432, from: lan}");
  EXPECT_EQ(got.text, "door: [2001:db8::1]:443/tcp -> db:5432");
  EXPECT_EQ(got.address, *Address::parse("2001:db8::1"));
  EXPECT_EQ(door("{host: 192.0.2.1:443, to: db:5432, from: lan}").text,
            "door: 192.0.2.1:443/tcp -> db:5432");
}

TEST(Publish, ANumberHasTheProtocolsOfItsName) {
  EXPECT_EQ(door("{host: 5060, to: rtp:5060, from: lan}").mappings.size(), 2U);
  EXPECT_EQ(door("{host: 5, to: rtp:30007, from: lan}").mappings[0].proto, Proto::kUdp);
  EXPECT_EQ(door("{host: 5, to: rtp:7, from: lan}").mappings[0].proto, Proto::kTcp);
  EXPECT_EQ(door("{host: 5-6, to: rtp:30007-30008, from: lan}").mappings[0].proto, Proto::kUdp);
}

TEST(Publish, DoorsMayShareAPortOnOtherAddressesOrProtocols) {
  EXPECT_EQ(policy(kWorld + std::string{R"(
publish:
  a: {host: 192.0.2.1:80, to: db:80, from: lan}
  b: {host: 192.0.2.2:80, to: db:80, from: lan}
  c: {host: 30000, to: rtp:30000, from: lan}
  d: {host: 30000, to: db:80, from: lan}
)"})
                .doors.size(),
            4U);
}

}  // namespace
}  // namespace fw::config
