// SPDX-License-Identifier: GPL-2.0-only
// One slip of the finger in every kind of key and name: the message names what was meant.
#include <gmock/gmock.h>

#include "tests/unit/config_mistakes.h"

namespace fw::config {
namespace {

// A policy with every key that this version reads. `list.txt` is attached to it.
constexpr const char* kEverything = R"(version: 1
name: shop
host:
  uplinks: [eth0]
  datapath: {eth0: auto, eth1: tc}
  admin:
    - {from: management, to: host:22, comment: me}
  egress: deny
zones:
  management: {subnets: [10.0.0.0/24], masquerade: false}
  backend: {services: [database], intra: allow}
  office: {interfaces: [eth1]}
services:
  database: {addresses: [172.20.1.3], ports: {postgres: 5432/tcp}}
  resolver: {host: true, ports: {domain: 53/udp}}
publish:
  sql: {router: 5432, host: 5432, to: database:postgres, from: internet, until: 2030-01-01T00:00:00Z}
allow:
  - {from: management, to: database:postgres, comment: x, until: 2030-01-01T00:00:00Z}
  - office -> resolver:domain/udp
block:
  - {from: internet, list: drop, file: list.txt, comment: y, until: 2030-01-01T00:00:00Z}
  - {from: internet, to: "*", comment: z}
tests:
  - {name: one, from: internet, allow: ["host:5432"], deny: [database:22]}
)";

struct Typo {
  const char* name;
  const char* before;  // once in kEverything, with what tells it from others of the same word
  const char* after;
  const char* meant;
};

void PrintTo(const Typo& typo, std::ostream* out) {
  *out << typo.name;
}

Parsed read(const std::string& text) {
  return parse(Sources{{{"fwd.yaml", text}}, {{"list.txt", "192.0.2.1\n", ""}}});
}

class Typos : public testing::TestWithParam<Typo> {};

TEST(Typos, ThePolicyIsRightWithoutThem) {
  for (const auto& diagnostic : read(kEverything).diagnostics)
    ADD_FAILURE() << to_string(diagnostic);
}

TEST_P(Typos, GetTheirFix) {
  const auto& [name, before, after, meant] = GetParam();
  std::string text = kEverything;
  const auto found = text.find(before);
  ASSERT_NE(found, std::string::npos) << before;
  text.replace(found, std::string{before}.size(), after);
  const auto parsed = read(text);
  EXPECT_FALSE(parsed.policy);
  std::vector<std::string> hints;
  for (const auto& diagnostic : parsed.diagnostics) hints.push_back(diagnostic.hint);
  EXPECT_THAT(hints, testing::Contains("did you mean '" + std::string{meant} + "'?"));
}

INSTANTIATE_TEST_SUITE_P(
    Keys, Typos,
    testing::Values(
        Typo{"Version", "version:", "vesion:", "version"},
        Typo{"Name", "name: shop", "nmae: shop", "name"},
        Typo{"Host", "host:\n", "hosts:\n", "host"}, Typo{"Zones", "zones:", "zone:", "zones"},
        Typo{"Services", "services:\n", "servcies:\n", "services"},
        Typo{"Publish", "publish:", "publsh:", "publish"},
        Typo{"Allow", "allow:\n", "alow:\n", "allow"}, Typo{"Block", "block:", "blok:", "block"},
        Typo{"Tests", "tests:", "test:", "tests"},
        Typo{"Uplinks", "uplinks:", "uplink:", "uplinks"},
        Typo{"Datapath", "datapath:", "datapth:", "datapath"},
        Typo{"Admin", "admin:", "admn:", "admin"}, Typo{"Egress", "egress:", "egres:", "egress"},
        Typo{"AdminFrom", "{from: management, to: host", "{form: management, to: host", "from"},
        Typo{"AdminComment", "comment: me", "coment: me", "comment"},
        Typo{"Subnets", "subnets:", "subnet:", "subnets"},
        Typo{"Masquerade", "masquerade:", "masqerade:", "masquerade"},
        Typo{"Members", "services: [", "service: [", "services"},
        Typo{"Intra", "intra:", "intr:", "intra"},
        Typo{"Interfaces", "interfaces:", "interface:", "interfaces"},
        Typo{"Addresses", "addresses:", "adresses:", "addresses"},
        Typo{"Ports", "ports:", "port:", "ports"},
        Typo{"ServiceHost", "host: true", "hots: true", "host"},
        Typo{"Router", "router:", "ruter:", "router"},
        Typo{"DoorHost", " host: 5432", " hsot: 5432", "host"},
        Typo{"DoorTo", "to: database:postgres, from: i", "too: database:postgres, from: i", "to"},
        Typo{"DoorFrom", "postgres, from: i", "postgres, fron: i", "from"},
        Typo{"DoorUntil", "internet, until:", "internet, untill:", "until"},
        Typo{"RuleFrom", "{from: management, to: d", "{form: management, to: d", "from"},
        Typo{"RuleTo", "management, to: d", "management, t0: d", "to"},
        Typo{"RuleComment", "comment: x", "commnt: x", "comment"},
        Typo{"RuleUntil", "x, until:", "x, unitl:", "until"},
        Typo{"List", "list: drop", "lsit: drop", "list"}, Typo{"File", "file:", "fiel:", "file"},
        Typo{"ListFrom", "{from: internet, list", "{fom: internet, list", "from"},
        Typo{"ListUntil", "y, until:", "y, utnil:", "until"},
        Typo{"BlockTo", "internet, to: \"*\"", "internet, ot: \"*\"", "to"},
        Typo{"TestName", "name: one", "naem: one", "name"},
        Typo{"TestFrom", "one, from:", "one, frm:", "from"},
        Typo{"TestAllow", "allow: [\"host", "alow: [\"host", "allow"},
        Typo{"TestDeny", "deny: [", "dney: [", "deny"}),
    [](const auto& row) { return std::string{row.param.name}; });

INSTANTIATE_TEST_SUITE_P(
    Names, Typos,
    testing::Values(
        Typo{"DatapathInterface", "{eth0: auto, eth1", "{eth0: auto, eht1", "eth1"},
        Typo{"DatapathMode", "eth0: auto", "eth0: atuo", "auto"},
        Typo{"EgressVerdict", "egress: deny", "egress: dney", "deny"},
        Typo{"IntraVerdict", "intra: allow", "intra: alow", "allow"},
        Typo{"Boolean", "masquerade: false", "masquerade: flase", "false"},
        Typo{"ZoneMember", "[database], intra", "[databse], intra", "database"},
        Typo{"Protocol", "5432/tcp", "5432/tpc", "tcp"},
        Typo{"DoorService", "to: database:postgres, from: i", "to: databsae:postgres, from: i",
             "database"},
        Typo{"DoorPort", "to: database:postgres, from: i", "to: database:postgers, from: i",
             "postgres"},
        Typo{"DoorSource", "postgres, from: internet", "postgres, from: intrenet", "internet"},
        Typo{"RuleZone", "{from: management, to: d", "{from: mangement, to: d", "management"},
        Typo{"RuleService", "management, to: database", "management, to: datbase", "database"},
        Typo{"RulePort", "management, to: database:postgres", "management, to: database:postgre",
             "postgres"},
        Typo{"FlowZone", "- office ->", "- ofice ->", "office"},
        Typo{"FlowService", "-> resolver", "-> reslover", "resolver"},
        Typo{"FlowPort", "resolver:domain", "resolver:domian", "domain"},
        Typo{"FlowProtocol", "domain/udp", "domain/udo", "udp"},
        Typo{"ListSource", "{from: internet, list", "{from: interent, list", "internet"},
        Typo{"TestSource", "one, from: internet", "one, from: internt", "internet"},
        Typo{"TestTarget", "\"host:5432\"", "\"hots:5432\"", "host"},
        Typo{"TestService", "[database:22]", "[databas:22]", "database"}),
    [](const auto& row) { return std::string{row.param.name}; });

}  // namespace
}  // namespace fw::config
