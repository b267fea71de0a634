// SPDX-License-Identifier: GPL-2.0-only
// Block lists: the file, the rule, and what the compiled policy says to a listed address.
#include <gmock/gmock.h>

#include <chrono>

#include "loader/compile/check.h"
#include "loader/config/until.h"
#include "loader/explain/diff.h"
#include "loader/explain/explain.h"
#include "loader/explain/question.h"
#include "tests/unit/config_mistakes.h"

namespace fw::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kWorld = R"(version: 1
host: {uplinks: [eth0]}
zones: {lan: {subnets: [10.0.0.0/8]}, office: {interfaces: [eth1]}}
services: {web: {addresses: [172.20.1.3, "fd00:2::3"], ports: {http: 80}}}
publish: {http: {host: 80, to: web:http, from: [internet, lan]}}
)";

Sources with(const std::string& block, const std::string& list) {
  return {{{"fwd.yaml", kWorld + block}}, {{"lists/drop.txt", list, ""}}};
}

const std::string kBlock = "block: [{from: internet, list: drop, file: lists/drop.txt}]\n";

std::vector<std::string> prefixes_of(const std::string& list) {
  std::vector<std::string> texts;
  const auto parsed = parse(with(kBlock, list));
  for (const auto& diagnostic : parsed.diagnostics) ADD_FAILURE() << to_string(diagnostic);
  if (!parsed.policy) return texts;
  for (const Prefix& prefix : parsed.policy->rules.front().list->prefixes)
    texts.push_back(prefix.to_string());
  return texts;
}

TEST(List, HasOnePrefixALineAndComments) {
  EXPECT_THAT(prefixes_of("# top\n\n203.0.113.7 ; SBL1\r\n198.51.100.0/24#x\n  2001:db8::/32\t\n"),
              ElementsAre("198.51.100.0/24", "203.0.113.7", "2001:db8::/32"));
  EXPECT_THAT(prefixes_of("\xef\xbb\xbf"
                          "10.1.0.0/16\n10.1.2.3\n10.1.0.0/16\n10.0.0.0/8"),
              ElementsAre("10.0.0.0/8"));
  EXPECT_THAT(prefixes_of("; nothing\n"), testing::IsEmpty());
}

TEST(List, MistakesHaveTheListsOwnPlace) {
  const auto parsed = parse(with(kBlock, "192.0.2.1\n  192.0.2.300 # x\n10.0.0.1/8\n"));
  EXPECT_FALSE(parsed.policy);
  ASSERT_EQ(parsed.diagnostics.size(), 2U);
  EXPECT_EQ(to_string(parsed.diagnostics[0]),
            "lists/drop.txt:2:3: error: '192.0.2.300' is not an IPv4 or IPv6 address\n"
            "    192.0.2.300 # x\n"
            "    ^\n"
            "  hint: a list has one address or CIDR a line\n");
  EXPECT_EQ(parsed.diagnostics[1].where, (Location{"lists/drop.txt", 3, 1}));
}

using WrongList = Mistakes;

TEST_P(WrongList, HasItsMessages) {
  const auto parsed = parse(with("block: [" + GetParam().policy + "]\n", "192.0.2.1\n"));
  EXPECT_FALSE(parsed.policy);
  EXPECT_EQ(messages_of(parsed), GetParam().messages);
}

INSTANTIATE_TEST_SUITE_P(
    Lists, WrongList,
    testing::Values(
        Mistake{"NoName",
                "{from: internet, file: lists/drop.txt}",
                {"6:9: this rule has no 'list' | write {from: internet, list: NAME, file: "
                 "lists/NAME.txt}"}},
        Mistake{"NoFile",
                "{from: internet, list: drop}",
                {"6:9: this rule has no 'file' | write {from: internet, list: NAME, file: "
                 "lists/NAME.txt}"}},
        Mistake{"NoFrom",
                "{list: drop, file: lists/drop.txt}",
                {"6:9: this rule has no 'from' | write {from: internet, list: NAME, file: "
                 "lists/NAME.txt}"}},
        Mistake{"Destination",
                "{from: internet, to: web, list: drop, file: lists/drop.txt}",
                {"6:26: unknown key 'to' | a rule with a list has the keys from, comment, until, "
                 "list, file"}},
        Mistake{"NotRead",
                "{from: internet, list: drop, file: drop.txt}",
                {"6:44: the list 'drop.txt' was not read | a relative path begins at the folder "
                 "of this policy file"}},
        Mistake{"TwoFiles",
                "{from: internet, list: drop, file: lists/drop.txt}, {from: lan, list: drop, "
                "file: other.txt}",
                {"6:79: list 'drop' is the file 'lists/drop.txt' already | give each file a list "
                 "name of its own"}},
        Mistake{"Interfaces",
                "{from: office, list: drop, file: lists/drop.txt}",
                {"6:16: zone 'office' is known by its interfaces, and a list is kept by addresses "
                 "| write from: internet, or '\"*\"' for all"}},
        Mistake{"Name",
                "{from: internet, list: 17, file: lists/drop.txt}",
                {"6:32: '17' looks like an address or a port; a name needs a letter"}}),
    [](const auto& row) { return std::string{row.param.name}; });

// --- compiled

compile::CheckedPolicy checked(const std::string& block, const std::string& list,
                               const std::string& tests) {
  auto result = compile::check(with(block + "tests:\n" + tests, list), Time{});
  for (const auto& diagnostic : result.diagnostics) ADD_FAILURE() << to_string(diagnostic);
  return result;
}

TEST(CompiledList, BlocksItsSourcesAndNobodyElse) {
  const auto result =
      checked(kBlock, "203.0.113.0/24\n198.51.100.7\n2001:db8:bad::/48\n10.1.0.0/16\n",
              "  - {name: open, from: [internet, lan, 10.1.2.3], allow: 'web:http'}\n"
              "  - {name: listed, from: [203.0.113.0/24, 198.51.100.7, '2001:db8:bad::1'],\n"
              "     deny: ['web:http', 'host:80']}\n"
              "  - {name: beside, from: [198.51.100.8, 203.0.112.255, '2001:db8:bae::1'],\n"
              "     allow: 'web:http'}\n");
  EXPECT_TRUE(result.accepted());
}

TEST(CompiledList, OfAnyoneCountsForZonesToo) {
  EXPECT_TRUE(checked("block: [{from: '*', list: drop, file: lists/drop.txt}]\n", "10.1.0.0/16\n",
                      "  - {name: a, from: 10.1.2.3, deny: 'web:http'}\n"
                      "  - {name: b, from: 10.2.2.3, allow: 'web:http'}\n")
                  .accepted());
}

// A CIDR that a rule names goes on to mean all of it, the listed part included.
TEST(CompiledList, LeavesWiderRulesWhole) {
  EXPECT_TRUE(checked("allow: [203.0.113.0/24 -> host:22]\n"
                      "block: [{from: lan, list: drop, file: lists/drop.txt}]\n",
                      "203.0.113.128/25\n",
                      "  - {name: a, from: [203.0.113.1, 203.0.113.200], allow: 'host:22'}\n")
                  .accepted());
}

TEST(CompiledList, HasNoMoreIdentitiesThanKindsOfAddresses) {
  const auto few = parse(with(kBlock, "203.0.113.1\n"));
  std::string long_list;
  for (int i = 0; i < 60000; ++i)
    long_list += "203." + std::to_string(i / 250) + "." + std::to_string(i % 250) + ".1\n";
  const auto many = parse(with(kBlock, long_list));
  ASSERT_TRUE(few.policy && many.policy);
  const auto small = compile::compile_offline(*few.policy);
  const auto large = compile::compile_offline(*many.policy);
  ASSERT_TRUE(small && large);
  EXPECT_EQ(large->image.listed.size(), 60000U);
  EXPECT_EQ(large->image.identity_names, small->image.identity_names);
  EXPECT_EQ(large->image.policy.size(), small->image.policy.size());
}

TEST(CompiledList, IsExplained) {
  const auto parsed = parse(with(kBlock, "203.0.113.0/24\n"));
  ASSERT_TRUE(parsed.policy);
  const auto world =
      explain::Compiled::of(*parsed.policy, compile::offline_topology({&*parsed.policy}));
  ASSERT_TRUE(world);
  const auto question = explain::read_question(*parsed.policy, "203.0.113.9", "host:80");
  ASSERT_TRUE(question);
  const auto report = explain::explain(world->world(), *question, 0);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->verdict, "deny");
  EXPECT_EQ(report->reason, "BLOCKED");
  ASSERT_TRUE(report->rule);
  EXPECT_EQ(report->rule->text, "internet (list drop) -> *");
  EXPECT_EQ(report->rule->line, 6);
}

TEST(CompiledList, ALongerListIsADifference) {
  const auto before = parse(with(kBlock, "203.0.113.0/25\n"));
  const auto after = parse(with(kBlock, "203.0.113.0/25\n198.51.100.0/24\n"));
  ASSERT_TRUE(before.policy && after.policy);
  const auto same = explain::diff(*before.policy, *before.policy, {});
  ASSERT_TRUE(same);
  EXPECT_FALSE(same->differs);
  const auto report = explain::diff(*before.policy, *after.policy, {});
  ASSERT_TRUE(report);
  ASSERT_TRUE(report->differs);
  for (const auto& change : report->changes) {
    EXPECT_FALSE(change.opens);
    EXPECT_EQ(change.from, "list drop");
  }
}

}  // namespace
}  // namespace fw::config
