// SPDX-License-Identifier: GPL-2.0-only
// Is every answer of explain the judge's, in the words of the policy?
#include "loader/explain/explain.h"

#include <gmock/gmock.h>

#include "tests/unit/compile_model.h"
#include "tests/unit/explain_policy.h"

namespace fw::explain::test {
namespace {

using control::ExplainReport;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::optional<ExplainReport> ask(const World& world, const std::string& from,
                                 const std::string& to) {
  const auto question = read_question(world.policy, from, to);
  EXPECT_TRUE(question) << (question ? "" : question.error().message);
  if (!question) return std::nullopt;
  auto report = explain(world, *question, 7);
  EXPECT_TRUE(report) << (report ? "" : report.error().message);
  if (!report) return std::nullopt;
  return *report;
}

ExplainReport ask_shop(const std::string& from, const std::string& to) {
  const auto compiled = must_assume(must_parse(kShop));
  return ask(compiled.world(), from, to).value_or(ExplainReport{});
}

struct FlowCase {
  const char* name;
  const char* from;
  const char* to;
  const char* reason;  // "": allowed
  int line;            // of the rule; 0: none
  const char* zones;
};

class Explained : public testing::TestWithParam<FlowCase> {};

TEST_P(Explained, NamesVerdictZonesAndRule) {
  const auto& flow = GetParam();
  const auto report = ask_shop(flow.from, flow.to);
  EXPECT_EQ(report.verdict, *flow.reason == '\0' ? "allow" : "deny");
  EXPECT_EQ(report.reason, flow.reason);
  EXPECT_EQ(report.rule ? report.rule->line : 0, flow.line);
  EXPECT_EQ(report.from.zone + " " + report.to.zone, flow.zones);
  EXPECT_EQ(report.generation, 7U);
}

INSTANTIATE_TEST_SUITE_P(
    Shop, Explained,
    testing::Values(
        FlowCase{"Door", "internet", "host:8080", "", 20, "internet dmz"},
        FlowCase{"DoorByTheRoutersPort", "internet", "router:80", "", 20, "internet dmz"},
        FlowCase{"DoorNotForInternet", "internet", "host:8000", "NO_RULE", 0, "internet host"},
        FlowCase{"DoorOfTheHostItself", "lan", "host:5353/udp", "", 22, "lan host"},
        FlowCase{"Admin", "lan", "host:22", "", 5, "lan host"},
        FlowCase{"AdminForOthers", "internet", "host:22", "NOT_PUBLISHED", 0, "internet host"},
        FlowCase{"ContainerDirectly", "internet", "db:5432", "NOT_PUBLISHED", 0, "internet data"},
        FlowCase{"Rule", "backend", "db:postgres", "", 25, "dmz data"},
        FlowCase{"OtherPort", "backend", "db:5433", "NO_RULE", 0, "dmz data"},
        FlowCase{"Blocked", "203.0.113.9", "host:8080", "BLOCKED", 29, "internet host"},
        FlowCase{"WithinABlock", "203.0.113.0/25", "host:8080", "BLOCKED", 29, "internet host"},
        FlowCase{"Address6", "2001:db8::7", "host:8080", "", 20, "internet dmz"},
        FlowCase{"Ping", "lan", "host:ping", "", 27, "lan host"},
        FlowCase{"Office", "office", "internet:443", "", 26, "office internet"},
        FlowCase{"HostOut", "host", "internet:443/udp", "", 0, "host internet"},
        FlowCase{"HostToContainer", "host", "db:5432", "NO_RULE", 0, "host data"},
        FlowCase{"Intra", "peers", "peers:7000", "", 10, "peers peers"},
        FlowCase{"NotIntra", "data", "data:6379", "NO_RULE", 0, "data data"}),
    [](const auto& test) { return std::string{test.param.name}; });

TEST(Explain, ADoorTranslatesThereAndBack) {
  const auto report = ask_shop("internet", "host:8080");
  EXPECT_EQ(report.to.service, "proxy");
  EXPECT_EQ(report.from.service, std::nullopt);
  EXPECT_EQ(report.router, "router:80");
  EXPECT_THAT(report.nat, ElementsAre(control::Translation{"host:8080", "172.20.1.10:80"}));
  EXPECT_THAT(report.replies, ElementsAre(control::Translation{"172.20.1.10:80", "host:8080"}));
}

TEST(Explain, ADoorOfTheHostChangesThePortOnly) {
  EXPECT_THAT(ask_shop("lan", "host:5353").nat,
              ElementsAre(control::Translation{"host:5353", "host:53"}));
}

TEST(Explain, MasqueradeIsInTheChain) {
  EXPECT_THAT(ask_shop("office", "internet:443").nat,
              ElementsAre(control::Translation{"office", "host"}));
  EXPECT_THAT(ask_shop("host", "internet:443").nat, IsEmpty());
}

TEST(Explain, PartsThatDifferAreListed) {
  const auto report = ask_shop("backend", "data:5432");
  EXPECT_EQ(report.verdict, "deny");
  ASSERT_EQ(report.cases.size(), 2U);
  EXPECT_EQ(report.cases[0].to + " " + report.cases[0].verdict, "redis deny");
  EXPECT_EQ(report.cases[1].to + " " + report.cases[1].verdict, "db allow");
}

TEST(Explain, WhatARuleCarvesOutIsAnExceptionNotTheAnswer) {
  const auto report = ask_shop("internet", "host:8080");
  EXPECT_EQ(report.verdict, "allow");
  ASSERT_EQ(report.cases.size(), 2U);
  EXPECT_EQ(report.cases[0].from, "203.0.113.0/24");
  EXPECT_EQ(report.cases[0].reason, "BLOCKED");
}

TEST(Explain, WithoutAPortThePortsThatDifferAreListed) {
  const auto report = ask_shop("backend", "db");
  EXPECT_EQ(report.verdict, "deny");
  ASSERT_EQ(report.cases.size(), 2U);
  EXPECT_EQ(report.cases[0].ports, "");
  EXPECT_EQ(report.cases[1].ports, "5432/tcp");
  EXPECT_EQ(ask_shop("office", "internet").verdict, "allow");
}

TEST(Explain, ADoorOfOneFamilyIsNotDeniedForTheOther) {
  const auto report = ask_shop("lan", "host:8000");
  EXPECT_EQ(report.verdict, "allow");
  EXPECT_THAT(report.cases, IsEmpty());
  EXPECT_EQ(ask_shop("fd00:1::5", "host:8000").reason, "NO_ROUTE");
}

TEST(Explain, NearestRulesSayWhatDiffers) {
  const auto near = ask_shop("backend", "db:5433").nearest;
  ASSERT_FALSE(near.empty());
  EXPECT_EQ(near[0].rule.text, "backend -> db:5432/tcp");
  EXPECT_EQ(near[0].rule.line, 25);
  EXPECT_EQ(near[0].differs, "another port");
  const auto source = ask_shop("proxy", "db:5432").nearest;
  ASSERT_FALSE(source.empty());
  EXPECT_EQ(source[0].differs, "another source");
}

TEST(Explain, TheLineThatWouldAllowIt) {
  EXPECT_THAT(ask_shop("backend", "redis:6379").allow,
              ElementsAre("allow:", "  - backend -> redis:6379/tcp"));
  EXPECT_THAT(ask_shop("internet", "db:5432").allow,
              ElementsAre("publish:", "  db: {host: 5432, to: db:5432, from: internet}"));
  EXPECT_THAT(ask_shop("office", "host:8080").allow,
              ElementsAre("publish:",
                          "  http: {router: 80, host: 8080, to: proxy:80, "
                          "from: [internet, lan, office]}"));
  EXPECT_THAT(ask_shop("internet", "proxy:80").allow, IsEmpty());
  EXPECT_THAT(ask_shop("internet", "proxy:80").advice,
              Contains(HasSubstr("clients connect to host:8080")));
  EXPECT_THAT(ask_shop("backend", "host:8080").allow,
              ElementsAre("allow:", "  - backend -> proxy:80/tcp"));
  EXPECT_THAT(ask_shop("203.0.113.9", "host:8080").allow, IsEmpty());
}

// Put into the file, the line does what it says.
TEST(Explain, TheLineAllowsItIndeed) {
  const std::vector<std::pair<const char*, const char*>> flows = {
      {"backend", "redis:6379"},   {"host", "db:5432"},    {"redis", "internet:53/udp"},
      {"internet", "host:22"},     {"lan", "internet:80"}, {"proxy", "db:ping"},
      {"proxy", "[fd00:1::5]:80"}, {"dns", "redis:6379"},  {"peers", "internet"}};
  for (const auto& [from, to] : flows) {
    const auto report = ask_shop(from, to);
    ASSERT_EQ(report.verdict, "deny") << from << " " << to;
    ASSERT_EQ(report.allow.size(), 2U) << from << " " << to;
    std::string text = kShop;
    const std::string section = "\n" + report.allow[0] + "\n";
    const auto at = text.find(section);
    ASSERT_NE(at, std::string::npos);
    text.insert(at + section.size(), report.allow[1] + "\n");
    const auto compiled = must_assume(must_parse(text));
    const auto again = ask(compiled.world(), from, to);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->verdict, "allow") << from << " " << to << " " << again->reason;
  }
}

TEST(Explain, TheTestsThatTheLineWouldBreak) {
  const auto breaks = [](const std::string& from, const std::string& to) {
    const auto compiled = must_assume(must_parse(kShop + R"(tests:
  - {name: data is closed, from: internet, deny: [db, redis, host:22]}
  - {name: the door, from: internet, allow: [host:8080]}
  - {name: fails already, from: internet, deny: [host:8080]}
)"));
    const auto report = ask(compiled.world(), from, to);
    EXPECT_TRUE(report);
    return report->breaks;
  };
  const control::BrokenTest closed{"data is closed", "shop.yaml", 31};
  EXPECT_THAT(breaks("internet", "host:22"), ElementsAre(closed));
  EXPECT_THAT(breaks("internet", "db:5432"), ElementsAre(closed));
  EXPECT_THAT(breaks("internet", "host:23"), IsEmpty());
  EXPECT_THAT(breaks("backend", "redis:6379"), IsEmpty());
}

// A number alone is TCP.
TEST(Explain, TheDoorThatWouldAllowItHasItsProtocol) {
  EXPECT_THAT(ask_shop("internet", "db:53/udp").allow,
              ElementsAre("publish:", "  db: {host: 53, to: db:53/udp, from: internet}"));
  EXPECT_THAT(
      ask_shop("internet", "host:5353").allow,
      ElementsAre("publish:", "  names: {host: 5353, to: dns:53/tcp+udp, from: [internet, lan]}"));
}

TEST(Explain, WhereOnlyADoorHelpsNoRuleIsProposed) {
  const auto report = ask_shop("lan", "dmz:80");
  EXPECT_EQ(report.reason, "NOT_PUBLISHED");
  EXPECT_THAT(report.allow, IsEmpty());
  EXPECT_THAT(report.advice, Contains(HasSubstr("clients connect to host:8080")));
}

TEST(Explain, MistakesAreSentences) {
  const auto policy = must_parse(kShop);
  const auto fault = [&](const char* from, const char* to) {
    const auto question = read_question(policy, from, to);
    return question ? std::string{} : question.error().message;
  };
  EXPECT_THAT(fault("bakend", "db:1"), HasSubstr("did you mean 'backend'?"));
  EXPECT_THAT(fault("lan", "db:posgres"), HasSubstr("did you mean 'postgres'?"));
  EXPECT_THAT(fault("lan:80", "db"), HasSubstr("a flow's source has no port"));
  EXPECT_THAT(fault("lan", "db:70000"), HasSubstr("70000"));
  EXPECT_THAT(fault("lan", "router:99"), HasSubstr("no door has 'router: 99'"));
  EXPECT_NE(fault("", "db"), "");
  EXPECT_NE(fault("lan", ""), "");
}

TEST(Explain, ApartFamiliesHaveNoAnswer) {
  const auto compiled = must_assume(must_parse(kShop));
  const auto question = read_question(compiled.world().policy, "fd00:1::5", "db:5432");
  ASSERT_TRUE(question);
  const auto report = explain(compiled.world(), *question, 0);
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error().message, HasSubstr("of different families"));
}

// Whoever else is asked: his words are told, and the file's are not.
TEST(Explain, TellsWhatTheKernelSays) {
  const auto compiled = must_assume(must_parse(kShop));
  const World world = compiled.world();
  const compile::Judge judge{world.image, world.placement};
  const auto question = read_question(world.policy, "office", "internet:443");
  ASSERT_TRUE(question);
  const auto masqueraded = explain(world, *question, 7, [&](const compile::Probe& probe) {
    auto said = judge.judge(probe);
    said.masqueraded_as = *Address::parse(probe.src.is_ipv4() ? "192.0.2.9" : "2001:db8::9");
    return Result<compile::Judgement>{said};
  });
  ASSERT_TRUE(masqueraded) << masqueraded.error().message;
  EXPECT_EQ(masqueraded->asked, "kernel");
  EXPECT_EQ(masqueraded->verdict, "allow");
  ASSERT_EQ(masqueraded->nat.size(), 1U);
  EXPECT_EQ(masqueraded->nat[0].to, "192.0.2.9");
  EXPECT_EQ(ask(world, "office", "internet:443")->asked, "image");

  const auto silent = explain(world, *question, 7, [](const compile::Probe&) {
    return Result<compile::Judgement>{Error{"the kernel is silent"}};
  });
  ASSERT_FALSE(silent);
  EXPECT_EQ(silent.error().message, "the kernel is silent");
}

// A family without a route is no answer where the other one has one.
TEST(Explain, ARouteIsTheKernelsToKnow) {
  const auto compiled = must_assume(must_parse(kShop));
  const World world = compiled.world();
  const compile::Judge judge{world.image, world.placement};
  const auto ask_without_route = [&](const std::string& to, bool ipv4_too) {
    const auto question = read_question(world.policy, "office", to);
    EXPECT_TRUE(question);
    return explain(world, *question, 7, [&](const compile::Probe& probe) {
      auto said = judge.judge(probe);
      if (ipv4_too || !probe.src.is_ipv4()) {
        said.allowed = false;
        said.reason = FW_REASON_NO_ROUTE;
      }
      return Result<compile::Judgement>{said};
    });
  };
  const auto half = ask_without_route("internet:443", false);
  ASSERT_TRUE(half);
  EXPECT_EQ(half->verdict, "allow");
  EXPECT_THAT(half->cases, IsEmpty());
  const auto none = ask_without_route("198.51.100.7:443", true);
  ASSERT_TRUE(none);
  EXPECT_EQ(none->reason, "NO_ROUTE");
  EXPECT_THAT(none->advice, ElementsAre(HasSubstr("no route to 198.51.100.7")));
  EXPECT_THAT(none->allow, IsEmpty());
}

TEST(Explain, NothingAllowsAMartian) {
  const auto report = ask_shop("224.0.0.1", "host:ping");
  EXPECT_EQ(report.reason, "MARTIAN");
  EXPECT_THAT(report.allow, IsEmpty());
  EXPECT_THAT(report.advice, ElementsAre(HasSubstr("no packet comes from there")));
}

// On a real machine the addresses are its own.
TEST(Explain, KnowsTheRealMachine) {
  namespace model = compile::test;
  const auto policy = model::podplay();
  const auto topology = model::podplay_machine();
  compile::AccountBook book;
  const auto placement = compile::place(policy, topology);
  const auto image = compile::compile(policy, topology, placement, book);
  ASSERT_TRUE(image);
  const World world{policy, *image, placement, topology, book};
  const auto door = ask(world, "internet", "host:8080");
  ASSERT_TRUE(door);
  EXPECT_EQ(door->verdict, "allow");
  EXPECT_THAT(door->nat, ElementsAre(control::Translation{"192.168.1.20:8080", "172.20.1.10:80"}));
  const auto office = ask(world, "office", "internet:443");
  ASSERT_TRUE(office);
  EXPECT_EQ(office->verdict, "allow");
  EXPECT_THAT(office->nat, IsEmpty());
  EXPECT_EQ(ask(world, "172.20.2.99", "internet:443")->reason, "UNMANAGED");
}

}  // namespace
}  // namespace fw::explain::test
