// SPDX-License-Identifier: GPL-2.0-only
// Several files as one policy: what merges, what replaces, and where everything is from.
#include <gmock/gmock.h>

#include "loader/config/load.h"
#include "tests/unit/config_mistakes.h"

namespace fw::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kBase = R"(version: 1
name: base
host: {uplinks: [eth0], egress: deny}
zones: {lan: {subnets: [10.0.0.0/24, 10.0.1.0/24]}}
services: {db: {addresses: [172.20.1.3], ports: {sql: 5432}}}
publish:
  sql: {host: 5432, to: db:sql, from: lan}
allow:
  - lan -> host:22
)";

Sources layered(const std::string& overlay) {
  return {{{"base.yaml", kBase}, {"prod.yaml", overlay}}, {}};
}

// "FILE:LINE:COLUMN: MESSAGE"
std::vector<std::string> said_of(const Sources& sources) {
  std::vector<std::string> said;
  for (const auto& diagnostic : parse(sources).diagnostics) {
    const auto& [file, line, column] = diagnostic.where;
    said.push_back(file + ":" + std::to_string(line) + ":" + std::to_string(column) + ": " +
                   diagnostic.message);
  }
  return said;
}

Policy merged(const std::string& overlay) {
  auto parsed = parse(layered(overlay));
  for (const auto& diagnostic : parsed.diagnostics) ADD_FAILURE() << to_string(diagnostic);
  return parsed.policy.value_or(Policy{});
}

TEST(Overlay, MapsMergeScalarsAndListsReplace) {
  const Policy policy = merged(R"(name: prod
host: {uplinks: [eth1, eth2]}
zones: {lan: {subnets: [10.9.0.0/24]}, office: {subnets: [10.8.0.0/24]}}
publish: {sql: {from: [lan, office]}}
)");
  EXPECT_EQ(policy.name, "prod");
  EXPECT_THAT(policy.host.uplinks, ElementsAre("eth1", "eth2"));
  EXPECT_FALSE(policy.host.egress_allowed) << "what the overlay does not say stays";
  EXPECT_EQ(policy.zones.at("lan").subnets.size(), 1U);
  EXPECT_EQ(policy.zones.size(), 2U);
  EXPECT_EQ(policy.doors.at("sql").from.size(), 2U);
  EXPECT_EQ(policy.doors.at("sql").service, "db");
  EXPECT_EQ(policy.rules.size(), 1U);
}

TEST(Overlay, EveryValueKeepsItsPlace) {
  const Policy policy =
      merged("zones: {office: {subnets: [10.8.0.0/24]}}\nallow:\n  - office -> host:22\n");
  ASSERT_EQ(policy.rules.size(), 1U);
  EXPECT_EQ(policy.rules.front().where, (Location{"prod.yaml", 3, 5}));
  EXPECT_EQ(policy.doors.at("sql").where, (Location{"base.yaml", 7, 3}));
  EXPECT_EQ(policy.zones.at("office").where.file, "prod.yaml");
}

TEST(Overlay, MistakesOfAllFilesComeInOrderAndNameTheirFile) {
  EXPECT_THAT(
      said_of({{{"base.yaml", "version: 1\nzoens: {}\nallow: [lan -> host]\n"},
                {"prod.yaml", "zones: {lna: {}}\nname: 17\nblok: []\n"}},
               {}}),
      ElementsAre("base.yaml:2:1: unknown key 'zoens'",
                  "base.yaml:3:9: no zone or service is called 'lan'",
                  "prod.yaml:2:7: '17' looks like an address or a port; a name needs a letter",
                  "prod.yaml:3:1: unknown key 'blok'"));
}

TEST(Overlay, AnotherFileIsNamedInAMessage) {
  EXPECT_THAT(said_of(layered("zones: {office: {subnets: [10.0.0.0/24]}}\n")),
              ElementsAre("prod.yaml:1:28: subnet 10.0.0.0/24 is in two zones, 'lan' "
                          "(base.yaml:4) and 'office'"));
}

TEST(Overlay, AKeyWithoutAValueIsNoReplacement) {
  EXPECT_THAT(said_of(layered("allow:\n")),
              ElementsAre("prod.yaml:1:1: 'allow' has no value here and one in base.yaml:8"));
  EXPECT_THAT(merged("allow: []\n").rules, IsEmpty());
}

TEST(Overlay, AFileThatIsNoPolicyIsRefused) {
  EXPECT_THAT(said_of(layered("- a\n")),
              ElementsAre("prod.yaml:1:1: a policy must be a map of 'key: value', not a list"));
  EXPECT_THAT(said_of(layered("# nothing\n")), ElementsAre("prod.yaml:0:0: the policy is empty"));
}

// Locations apart, the printed policy is the one that was read.
TEST(Print, ReadsBackAsTheSamePolicy) {
  const Sources sources = {{{"etc/base.yaml", kBase},
                            {"prod.yaml",
                             "zones: {\"yes\": {subnets: [\"fd00:1::/64\"], masquerade: true}}\n"
                             "services: {dns: {host: true, ports: {dns: 53/tcp+udp}}}\n"
                             "allow:\n"
                             "  - {from: [lan, \"yes\"], to: \"[fd00::1]:80\", comment: \"a: b # "
                             "c, {d} \\\"e\\\" \\\\\"}\n"
                             "  - \"* -> dns:dns\"\n"
                             "  - {from: \"*\", to: host:ping, until: 2030-01-01T00:00:00Z}\n"
                             "block: [{from: internet, list: drop, file: drop.txt}]\n"
                             "tests: [{name: 'x: y', from: lan, allow: host:22}]\n"}},
                           {{"drop.txt", "203.0.113.0/24\n", ""}}};
  const auto before = parse(sources);
  ASSERT_TRUE(before.policy) << to_string(before.diagnostics.front());
  const std::string text = print(sources);
  const auto after = parse(Sources{{{"merged.yaml", text}}, sources.attachments});
  ASSERT_TRUE(after.policy) << text << to_string(after.diagnostics.front());
  EXPECT_EQ(print(Sources{{{"merged.yaml", text}}, {}}), text);

  EXPECT_EQ(after.policy->name, before.policy->name);
  EXPECT_EQ(after.policy->host.uplinks, before.policy->host.uplinks);
  ASSERT_EQ(after.policy->rules.size(), before.policy->rules.size());
  for (std::size_t i = 0; i < after.policy->rules.size(); ++i) {
    const Rule& a = after.policy->rules[i];
    const Rule& b = before.policy->rules[i];
    EXPECT_EQ(a.text, b.text);
    EXPECT_EQ(a.comment, b.comment);
    EXPECT_EQ(a.until, b.until);
    EXPECT_EQ(a.list ? a.list->prefixes : std::vector<Prefix>{},
              b.list ? b.list->prefixes : std::vector<Prefix>{});
  }
  ASSERT_EQ(after.policy->zones.size(), before.policy->zones.size());
  for (const auto& [name, zone] : before.policy->zones) {
    EXPECT_EQ(after.policy->zones.at(name).subnets, zone.subnets);
    EXPECT_EQ(after.policy->zones.at(name).masquerade, zone.masquerade);
  }
  EXPECT_EQ(after.policy->services.at("dns").ports, before.policy->services.at("dns").ports);
  EXPECT_EQ(after.policy->doors.at("sql").mappings, before.policy->doors.at("sql").mappings);
  EXPECT_EQ(after.policy->tests.front().name, "x: y");
}

TEST(Print, AListIsNamedFromTheFolderItIsPrintedIn) {
  const Sources sources = {
      {{"etc/fwd/base.yaml",
        "version: 1\nblock: [{from: internet, list: drop, file: lists/drop.txt}]\n"}},
      {}};
  EXPECT_THAT(print(sources), testing::HasSubstr("file: etc/fwd/lists/drop.txt\n"));
  EXPECT_THAT(attachment_names(sources.layers), ElementsAre("etc/fwd/lists/drop.txt"));
}

}  // namespace
}  // namespace fw::config
