// SPDX-License-Identifier: GPL-2.0-only
// `limits`, `limit` and `deny`: what is read, and what is refused.
#include <gmock/gmock.h>

#include "loader/config/canonical.h"
#include "tests/unit/config_mistakes.h"

namespace fw::config {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const std::string kBase =
    "version: 1\n"
    "host: {uplinks: [eth0]}\n"
    "zones: {lan: {subnets: [10.0.0.0/8]}}\n"
    "services: {db: {addresses: [10.9.0.1], ports: {sql: 5432}}}\n";

Policy must_read(const std::string& rest) {
  auto parsed = parse({"test.yaml", kBase + rest});
  for (const auto& diagnostic : parsed.diagnostics) ADD_FAILURE() << to_string(diagnostic);
  return parsed.policy ? *std::move(parsed.policy) : Policy{};
}

TEST(ReadLimits, RulesAndDoors) {
  const Policy policy = must_read(
      "publish: {sql: {host: 5432, to: db:sql, from: lan, limit: 200/s per source}}\n"
      "allow:\n"
      "  - {from: lan, to: [db:22, \"host:22\"], limit: 10/m}\n"
      "  - lan -> host:ping\n");
  EXPECT_EQ(policy.doors.at("sql").limit, (Rate{200, seconds{1}, true}));
  ASSERT_EQ(policy.rules.size(), 2U);
  EXPECT_EQ(policy.rules[0].limit, (Rate{10, minutes{1}, false}));
  EXPECT_EQ(policy.rules[0].text, "lan -> {host,db}:22/tcp") << "the counter's name stays";
  EXPECT_EQ(policy.rules[1].limit, std::nullopt);
}

TEST(ReadLimits, ARateReadsBackAsItself) {
  for (const char* text : {"1/s", "1000000/s per source", "5/m per source", "100/h"}) {
    const Policy policy =
        must_read(std::string{"allow: [{from: lan, to: db, limit: "} + text + "}]\n");
    ASSERT_EQ(policy.rules.size(), 1U);
    ASSERT_TRUE(policy.rules[0].limit);
    EXPECT_EQ(to_string(*policy.rules[0].limit), text);
  }
}

TEST(ReadLimits, OfThePolicy) {
  const Policy policy = must_read(
      "deny: reject\n"
      "limits:\n"
      "  syn: {rate: 1000/s, per: source}\n"
      "  flows: {max: 1000000, per_source: 10000}\n"
      "  timeouts: {tcp_established: 3h, udp: 60s, udp_answered: 2m, other: 1d}\n");
  EXPECT_EQ(policy.denial, Denial::kReject);
  EXPECT_EQ(policy.limits.syn, (Rate{1000, seconds{1}, true}));
  EXPECT_EQ(policy.limits.max_flows, 1000000U);
  EXPECT_EQ(policy.limits.max_flows_per_source, 10000U);
  EXPECT_THAT(policy.limits.timeouts,
              testing::UnorderedElementsAre(testing::Pair(FW_TCP_ESTABLISHED, hours{3}),
                                            testing::Pair(FW_UDP_HALF, minutes{1}),
                                            testing::Pair(FW_UDP_ESTABLISHED, minutes{2}),
                                            testing::Pair(FW_OTHER_HALF, hours{24})));
}

TEST(ReadLimits, WithoutThemNothingIsLimited) {
  const Policy policy = must_read("limits: {syn: {rate: 5/m}}\ndeny: drop\n");
  EXPECT_EQ(policy.denial, Denial::kDrop);
  EXPECT_EQ(policy.limits.syn, (Rate{5, minutes{1}, false}));
  EXPECT_EQ(policy.limits.max_flows, 0U);
  EXPECT_THAT(policy.limits.timeouts, testing::IsEmpty());
}

TEST(ReadLimits, ATimeoutBelowItsRfcIsTakenWithAWarning) {
  const auto parsed =
      parse({"test.yaml", kBase + "limits: {timeouts: {tcp_established: 2h, icmp: 60s}}\n"});
  ASSERT_TRUE(parsed.policy);
  EXPECT_EQ(parsed.policy->limits.timeouts.at(FW_TCP_ESTABLISHED), hours{2});
  ASSERT_EQ(parsed.diagnostics.size(), 1U);
  EXPECT_EQ(parsed.diagnostics[0].severity, Severity::kWarning);
  EXPECT_EQ(parsed.diagnostics[0].message, "'tcp_established' is less than the 7440s of RFC 5382");
}

using WrongLimits = Mistakes;

TEST_P(WrongLimits, HasItsMessages) {
  const auto parsed = parse({"test.yaml", GetParam().policy});
  EXPECT_FALSE(parsed.policy);
  EXPECT_EQ(messages_of(parsed), GetParam().messages);
}

std::string limited(const std::string& limit) {
  return kBase + "allow: [{from: lan, to: db, limit: " + limit + "}]\n";
}
std::string limits(const std::string& text) {
  return kBase + "limits: {" + text + "}\n";
}
const std::string kRateHint =
    " | write 200/s, 10/m or 100/h, and ' per source' for each source by itself";

INSTANTIATE_TEST_SUITE_P(
    Limits, WrongLimits,
    testing::Values(
        Mistake{"NoUnit",
                limited("200"),
                {"5:36: 'limit' must be a number of new flows per time, not '200'" + kRateHint}},
        Mistake{"Days",
                limited("200/d"),
                {"5:36: 'limit' must be a number of new flows per time, not '200/d'" + kRateHint}},
        Mistake{
            "PerNothing",
            limited("5/s per"),
            {"5:36: 'limit' must be a number of new flows per time, not '5/s per'" + kRateHint}},
        Mistake{"PerRule",
                limited("5/s per rule"),
                {"5:36: 'limit' must be a number of new flows per time, not '5/s per rule'" +
                 kRateHint}},
        Mistake{"Zero", limited("0/s"), {"5:36: 'limit' must be from 1 to 1000000, not 0"}},
        Mistake{"TooMany",
                limited("2000000/s"),
                {"5:36: 'limit' must be from 1 to 1000000, not 2000000"}},
        Mistake{"Block",
                kBase + "block: [{from: lan, to: db, limit: 5/s}]\n",
                {"5:36: 'block' takes no limit | limits are for 'allow' and 'publish'"}},
        Mistake{"Admin",
                "version: 1\nhost: {admin: [{from: internet, to: host:22, limit: 5/s}]}\n",
                {"2:53: 'admin' takes no limit | limits are for 'allow' and 'publish'"}},
        Mistake{"Unknown",
                limits("sny: {rate: 5/s}"),
                {"5:10: unknown key 'sny' | did you mean 'syn'?"}},
        Mistake{"SynWithoutRate",
                limits("syn: {per: source}"),
                {"5:15: 'syn' has no 'rate' | write syn: {rate: 1000/s, per: source}"}},
        Mistake{"SynPerDoor",
                limits("syn: {rate: 5/s, per: door}"),
                {"5:32: 'per' must be source, not 'door' | leave it out for one limit of all "
                 "sources together"}},
        Mistake{"NoFlows",
                limits("flows: {max: 0, per_source: many}"),
                {"5:23: 'max' must be a number from 1 to 100000000, not '0'",
                 "5:38: 'per_source' must be a number from 1 to 100000000, not 'many'"}},
        Mistake{"Timeouts",
                limits("timeouts: {udp: 60, tcp_syn: 0s, icmp: 31d, tcp_fin: 1m}"),
                {"5:26: 'udp' must be a duration, not '60' | write 90s, 5m, 2h or 1d",
                 "5:39: 'tcp_syn' must be from 1s to 30d, not '0s'",
                 "5:49: 'icmp' must be from 1s to 30d, not '31d'",
                 "5:54: unknown key 'tcp_fin' | did you mean 'tcp_syn'?"}},
        Mistake{"Deny",
                kBase + "deny: rejct\n",
                {"5:7: 'deny' must be drop or reject, not 'rejct' | did you mean 'reject'?"}}),
    [](const auto& test) { return std::string{test.param.name}; });

}  // namespace
}  // namespace fw::config
