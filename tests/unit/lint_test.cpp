// SPDX-License-Identifier: GPL-2.0-only
// Every lint: what it is for, and the nearest thing that it must be silent about.
#include "loader/lint/lint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "loader/compile/check.h"

namespace fw::lint {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

// A policy that no lint has anything to say of. Tests replace one of its sections.
struct Sections {
  std::string host = "{uplinks: [eth0], admin: [lan -> host:22]}";
  std::string lan = "{subnets: [192.168.1.0/24, \"fd00:1::/64\"]}";
  std::string zones;
  std::string services;
  std::string publish = "{http: {host: 8080, to: web:http, from: internet}}";
  std::string allow = "[web -> db:postgres]";
  std::string block = "[]";
  std::string tests = "[]";

  [[nodiscard]] std::string text() const {
    return "version: 1\nhost: " + host + "\nzones:\n  lan: " + lan +
           "\n  dmz: {subnets: [172.20.1.0/24, \"fd00:2::/64\"]}\n" + zones +
           "services:\n  web: {addresses: [172.20.1.10, \"fd00:2::10\"], ports: {http: 80}}\n"
           "  db: {addresses: [172.20.1.11], ports: {postgres: 5432}}\n" +
           services + "publish: " + publish + "\nallow: " + allow + "\nblock: " + block +
           "\ntests: " + tests + "\n";
  }
};

std::vector<std::string> messages(const Sections& sections,
                                  std::vector<config::Attachment> attachments = {}) {
  const config::Sources sources{{{"fwd.yaml", sections.text()}}, std::move(attachments)};
  const auto checked = compile::check(sources, config::Time{});
  for (const auto& mistake : checked.diagnostics) ADD_FAILURE() << config::to_string(mistake);
  if (!checked.accepted()) return {};
  std::vector<std::string> found;
  for (const auto& warning : lint(*checked.policy, sources)) {
    EXPECT_EQ(warning.severity, config::Severity::kWarning);
    EXPECT_FALSE(warning.hint.empty()) << warning.message;
    EXPECT_FALSE(warning.source_line.empty()) << warning.message;
    found.push_back(warning.message);
  }
  return found;
}

// A section's text that a lint is about, and one that it is not about.
struct Case {
  const char* what;
  std::string Sections::*section;
  const char* wrong;
  const char* message;
  const char* near;
};

std::string case_name(const testing::TestParamInfo<Case>& one) {
  return one.param.what;
}

class Lints : public testing::TestWithParam<Case> {};

TEST_P(Lints, TellTheMistakeAndNotItsNeighbour) {
  const auto& [what, section, wrong, message, near] = GetParam();
  Sections sections;
  sections.*section = wrong;
  EXPECT_THAT(messages(sections), ElementsAre(HasSubstr(message)));
  sections.*section = near;
  EXPECT_THAT(messages(sections), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    Shadow, Lints,
    testing::Values(
        Case{"WiderAllow", &Sections::allow, "[web -> db:postgres, web -> db]",
             "'web -> db:5432/tcp' changes nothing, for all of it is decided by 'web -> db' (line",
             "[web -> db:postgres, web -> db:ping]"},
        Case{"ByZone", &Sections::allow, "[web -> db:postgres, dmz -> db:5000-6000]",
             "'web -> db:5432/tcp' changes nothing", "[web -> db:postgres, dmz -> db:ping]"},
        Case{"TheSameTwice", &Sections::allow, "[web -> db:postgres, web -> db:5432]", "(line 10)",
             "[web -> db:postgres, db -> web:http]"},
        Case{"BySeveralTogether", &Sections::allow,
             "[web -> db:postgres, lan -> db:postgres, {from: [web, lan], to: db:postgres}]",
             "decided by 'web -> db:5432/tcp' (line 10), 'lan -> db:5432/tcp' (line 10)",
             "[web -> db:postgres, {from: [web, lan], to: db:postgres}]"},
        Case{"ByAdmin", &Sections::allow, "[web -> db:postgres, lan -> host:22]",
             "'lan -> host:22/tcp' changes nothing", "[web -> db:postgres, lan -> host:ping]"},
        Case{"AdminTwice", &Sections::host,
             "{uplinks: [eth0], admin: [lan -> host:22, lan -> host]}",
             "'lan -> host:22/tcp' changes nothing",
             "{uplinks: [eth0], admin: [lan -> host:22, lan -> host:ping]}"},
        Case{"DeadAllow", &Sections::block, "[web -> db]",
             "'web -> db:5432/tcp' never lets anything through, for all of it is decided by block "
             "'web",
             "[web -> db:22]"},
        Case{"DeadDoor", &Sections::block, "[internet -> host:8000-9000]",
             "door 'http' lets nobody in", "[internet -> host:8081]"},
        Case{"DoorWithADeadService", &Sections::block, "[internet -> web]",
             "door 'http' lets nobody in", "[internet -> db]"},
        Case{"DeadBlock", &Sections::block, "[lan -> host:22]",
             "'lan -> host:22/tcp' blocks nothing", "[lan -> host:20-22]"},
        Case{"WiderBlock", &Sections::block, "[lan -> db:22, lan -> db]",
             "'lan -> db:22/tcp' changes nothing", "[lan -> db:22, lan -> web:22]"}),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    ShadowOfLimitsAndEnds, Lints,
    testing::Values(Case{"AnAllowThatEndsCoversNothing", &Sections::allow,
                         "[web -> db:postgres, web -> db]", "'web -> db:5432/tcp' changes nothing",
                         "[web -> db:postgres, {from: web, to: db, until: 2100-01-01T00:00:00Z}]"},
                    Case{"ABlockThatEndsCoversNothing", &Sections::block, "[web -> db]",
                         "'web -> db:5432/tcp' never lets anything through",
                         "[{from: web, to: db, until: 2100-01-01T00:00:00Z}]"},
                    Case{"AnAllowWithALimitCoversNothing", &Sections::allow,
                         "[web -> db:postgres, web -> db]", "'web -> db:5432/tcp' changes nothing",
                         "[web -> db:postgres, {from: web, to: db, limit: 5/s}]"},
                    Case{"ALimitIsAnEffect", &Sections::allow, "[web -> db:postgres, web -> db]",
                         "'web -> db:5432/tcp' changes nothing",
                         "[{from: web, to: db:postgres, limit: 5/s}, web -> db]"},
                    Case{"AdminKnowsNoLimit", &Sections::allow,
                         "[web -> db:postgres, {from: lan, to: host:22, limit: 5/s}]",
                         "'lan -> host:22/tcp' changes nothing",
                         "[web -> db:postgres, {from: lan, to: host:2222, limit: 5/s}]"},
                    Case{"ALimitOfTheHost", &Sections::allow,
                         "[web -> db:postgres, host -> internet:443]",
                         "'host.egress' lets the host connect",
                         "[web -> db:postgres, {from: host, to: internet:443, limit: 5/s}]"}),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    Impossible, Lints,
    testing::Values(
        Case{"NoCommonFamily", &Sections::allow, "[web -> db:postgres, \"fd00:9::/64 -> db\"]",
             "can match nothing: one end has only IPv6 addresses, the other only IPv4",
             "[web -> db:postgres, \"fd00:9::/64 -> web\"]"},
        Case{"DoorWithoutCommonFamily", &Sections::publish,
             "{pg: {host: 5432, to: db:postgres, from: \"fd00:9::/64\"}}",
             "door 'pg' can match nothing", "{pg: {host: 5432, to: db:postgres, from: internet}}"},
        Case{"AllowInsteadOfADoor", &Sections::allow, "[web -> db:postgres, internet -> web:http]",
             "a container is reached from the internet through a door only",
             "[web -> db:postgres, lan -> web:http]"}),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    Zones, Lints,
    testing::Values(
        Case{"Empty", &Sections::zones, "  empty: {intra: deny}\n", "zone 'empty' has no members",
             "  office: {interfaces: [eth1]}\n"},
        Case{"Hidden", &Sections::zones,
             "  wide: {subnets: [10.0.0.0/8]}\n"
             "  low: {subnets: [10.0.0.0/9]}\n  high: {subnets: [10.128.0.0/9, 10.200.0.0/16]}\n",
             "subnet 10.0.0.0/8 gives zone 'wide' no address: narrower subnets of other zones "
             "('high', 'low') hold all of it",
             "  wide: {subnets: [10.0.0.0/8]}\n"
             "  low: {subnets: [10.0.0.0/9]}\n  high: {subnets: [10.192.0.0/10]}\n"},
        Case{"IdleMasquerade", &Sections::zones,
             "  office: {interfaces: [eth1], masquerade: true}\n",
             "'masquerade: true' of zone 'office' changes nothing: no rule lets it leave",
             "  office: {interfaces: [eth1], masquerade: false}\n"},
        Case{"SplitService", &Sections::zones, "  old: {subnets: [\"fd00:2::10/128\"]}\n",
             "service 'web' is in zone 'dmz' over IPv4 and in zone 'old' over IPv6",
             "  old: {services: [web]}\n"}),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    Services, Lints,
    testing::Values(
        Case{"UndeclaredPort", &Sections::allow, "[web -> db:5433]",
             "'web -> db:5433/tcp' is about port 5433/tcp, which service 'db' does not declare",
             "[web -> db:5000-6000]"},
        Case{"UndeclaredProtocol", &Sections::allow, "[web -> db:5432/udp]",
             "is about port 5432/udp, which service 'db' does not declare", "[web -> db:ping]"},
        Case{"UndeclaredPortOfADoor", &Sections::publish,
             "{http: {host: 8080, to: web:8080, from: internet}}",
             "door 'http' is about port 8080/tcp, which service 'web' does not declare",
             "{http: {host: 8080, to: web:80, from: internet}}"},
        Case{"Unused", &Sections::services, "  old: {addresses: [10.9.9.9]}\n",
             "service 'old' is never used", "  old: {addresses: [192.168.1.9]}\n"}),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    Others, Lints,
    testing::Values(
        Case{"EchoingTest", &Sections::tests, "[{name: t, from: web, allow: [db:postgres]}]",
             "test 't' only repeats 'web -> db:5432/tcp' (line 10)",
             "[{name: t, from: web, allow: [db:postgres], deny: [db:22]}]"},
        Case{"ClosedHost", &Sections::host, "{uplinks: [eth0]}",
             "nobody may reach this machine itself", "{uplinks: [eth0], admin: [lan -> host]}"},
        Case{"IdleEgressRule", &Sections::allow, "[web -> db:postgres, host -> internet:443]",
             "'host.egress' lets the host connect to everything but containers",
             "[web -> db:postgres, host -> db:postgres]"}),
    case_name);

TEST(Lint, IsSilentAboutAPolicyThatIsRight) {
  EXPECT_THAT(messages({}), IsEmpty());
}

TEST(Lint, IntraCoversARule) {
  Sections sections;
  sections.zones = "  pair: {services: [web, db], intra: allow}\n";
  EXPECT_THAT(messages(sections), ElementsAre(HasSubstr("is decided by 'intra: allow' (line 6)")));
}

TEST(Lint, WhatEgressDeniesARuleMayAllow) {
  Sections sections;
  sections.host = "{uplinks: [eth0], admin: [lan -> host:22], egress: deny}";
  sections.allow = "[web -> db:postgres, host -> internet:443]";
  EXPECT_THAT(messages(sections), IsEmpty());
}

TEST(Lint, AZoneWithoutIpv6IsToldOfWhereItMatters) {
  Sections sections;
  sections.zones = "  guest: {subnets: [192.168.7.0/24]}\n";
  EXPECT_THAT(messages(sections), IsEmpty());
  sections.block = "[guest -> host]";
  EXPECT_THAT(messages(sections),
              ElementsAre(HasSubstr("is not stopped by 'guest -> host' (line")));
  sections.block = "[]";
  sections.allow = "[web -> db:postgres, guest -> web:http]";
  EXPECT_THAT(messages(sections), ElementsAre(HasSubstr("zone 'guest' has no IPv6 subnet")));
  sections.zones = "  guest: {subnets: [192.168.7.0/24, \"fd00:7::/64\"]}\n";
  EXPECT_THAT(messages(sections), IsEmpty());
}

TEST(Lint, MasqueradeIsIdleWithoutUplinks) {
  Sections sections;
  sections.host = "{}";
  sections.publish = "{}";
  sections.zones = "  office: {interfaces: [eth1], masquerade: true}\n";
  sections.allow = "[web -> db:postgres, office -> internet]";
  EXPECT_THAT(messages(sections), ElementsAre(HasSubstr("'host' names no uplinks to leave by")));
  sections = {};
  sections.zones = "  office: {interfaces: [eth1], masquerade: true}\n";
  sections.allow = "[web -> db:postgres, office -> internet]";
  EXPECT_THAT(messages(sections), IsEmpty());
}

// A stranger that comes by the interface of a zone is in that zone, so `internet` does not cover
// what an address of the internet may do.
TEST(Lint, TheInternetDoesNotCoverAnAddressThatMayComeByALan) {
  Sections sections;
  sections.allow = "[web -> db:postgres, 203.0.113.0/24 -> host:53, internet -> host:53]";
  EXPECT_THAT(messages(sections), ElementsAre(StartsWith("'203.0.113.0/24 -> host:53/tcp' chan")));
  sections.zones = "  office: {interfaces: [eth1]}\n";
  EXPECT_THAT(messages(sections), IsEmpty());
}

TEST(Lint, AListCoversTheAddressesThatItNames) {
  Sections sections;
  sections.block = "[{from: internet, list: drop, file: drop.txt}]";
  sections.allow = "[web -> db:postgres, 203.0.113.7 -> host:53]";
  EXPECT_THAT(messages(sections, {{"drop.txt", "203.0.113.0/24\n", ""}}),
              ElementsAre(AllOf(StartsWith("'203.0.113.7 -> host:53/tcp' never lets anything"),
                                HasSubstr("block 'internet (list drop) -> *'"))));
  EXPECT_THAT(messages(sections, {{"drop.txt", "203.0.113.8\n", ""}}), IsEmpty());
}

// All that are reported may be removed together.
TEST(Lint, OneOfTwoEqualLinesStays) {
  Sections sections;
  sections.allow = "[web -> db:5432, web -> db:postgres, {from: [web], to: [db:postgres]}]";
  EXPECT_EQ(messages(sections).size(), 2U);
}

TEST(Lint, WarningsAreCut) {
  Sections sections;
  sections.allow = "[web -> db:postgres";
  for (int i = 0; i < 200; ++i) sections.allow += ", web -> db:postgres";
  sections.allow += "]";
  const config::Sources sources{{{"fwd.yaml", sections.text()}}, {}};
  const auto found = lint(*compile::check(sources, config::Time{}).policy, sources);
  EXPECT_EQ(found.size(), 101U);
  EXPECT_THAT(found.back().message, HasSubstr("there are more warnings than the 100 shown here"));
  EXPECT_EQ(found.back().severity, config::Severity::kWarning);
}

}  // namespace
}  // namespace fw::lint
