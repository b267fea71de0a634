// SPDX-License-Identifier: GPL-2.0-only
// What limits become: numbers in entries, buckets, parameters.
#include "loader/compile/limits.h"

#include "tests/unit/compile_model.h"

namespace fw::compile::test {
namespace {

using config::Rate;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

Policy two_services(std::vector<Rule> rules) {
  Policy policy;
  policy.zones["a"].subnets = {cidr("10.1.0.0/16")};
  policy.services["x"] = service({"10.1.0.1"});
  policy.rules = std::move(rules);
  return policy;
}

Rule limited(Rule rule, const Rate& rate) {
  rule.limit = rate;
  return rule;
}

const fw_limit* limit_at(const Image& image, const fw_policy_key& key) {
  const auto* entry = entry_at(image, key);
  if (entry == nullptr || entry->limit == 0) return nullptr;
  return &image.limits.at(entry->limit - 1U);
}

constexpr std::uint32_t kA = FW_SEL_ZONE | 3U, kHost = FW_SEL_ZONE | FW_ZONE_HOST;
constexpr std::uint32_t kInternet = FW_SEL_ZONE | FW_ZONE_INTERNET;

TEST(CompileLimits, ARateBecomesABucket) {
  AccountBook book;
  const Image image = must_compile(
      two_services({limited(allow("zone:a", "host"), {200, seconds{1}, true}),
                    limited(allow("internet", "host"), {10, minutes{1}, false}), allow("*", "x")}),
      {}, book);
  ASSERT_EQ(image.limits.size(), 2U);
  const fw_limit* many = limit_at(image, {kA, kHost, FW_PORTS_ANY});
  ASSERT_NE(many, nullptr);
  EXPECT_EQ(many->cost_ns, 5'000'000U);
  EXPECT_EQ(many->burst_ns, 1'000'000'000U);
  EXPECT_EQ(many->per_source, 1U);
  EXPECT_EQ(book.names().at(many->account),
            (AccountName{AccountName::Kind::kLimited, "zone:a -> host", "*", "*"}));
  const fw_limit* few = limit_at(image, {kInternet, kHost, FW_PORTS_ANY});
  ASSERT_NE(few, nullptr);
  EXPECT_EQ(few->cost_ns, 6'000'000'000U);
  EXPECT_EQ(few->burst_ns, 60'000'000'000U);
  EXPECT_EQ(few->per_source, 0U);
}

TEST(CompileLimits, ABucketHoldsExactlyItsCount) {
  for (const std::uint32_t count : {3U, 7U, 700000U, 999999U}) {
    const Image image = must_compile(
        two_services({limited(allow("zone:a", "host"), {count, seconds{1}, false})}), {});
    ASSERT_EQ(image.limits.size(), 1U);
    EXPECT_EQ(image.limits[0].burst_ns / image.limits[0].cost_ns, count);
    EXPECT_EQ(image.limits[0].burst_ns % image.limits[0].cost_ns, 0U);
  }
}

TEST(CompileLimits, WhereRulesMeetTheLowestLimitHolds) {
  const Rule free = allow("zone:a", "host");
  const Rule ten = limited(free, {10, seconds{1}, true});
  const Rule two_an_hour = limited(free, {2, hours{1}, true});
  const Image one = must_compile(two_services({free, ten, two_an_hour}), {});
  const Image other = must_compile(two_services({two_an_hour, ten, free}), {});
  EXPECT_TRUE(one == other);
  const fw_limit* limit = limit_at(one, {kA, kHost, FW_PORTS_ANY});
  ASSERT_NE(limit, nullptr);
  EXPECT_EQ(limit->cost_ns, 1'800'000'000'000U);
}

TEST(CompileLimits, ADoorHasItsOwn) {
  Policy policy = two_services({});
  policy.doors["web"] = door(80, "x", 8080, {"internet"});
  policy.doors["web"].limit = Rate{5, seconds{1}, true};
  AccountBook book;
  const Image image = must_compile(policy, {}, book);
  ASSERT_FALSE(image.policy.empty());
  for (const auto& [key, entry] : image.policy) EXPECT_EQ(entry.limit, 1U);
  ASSERT_EQ(image.limits.size(), 1U) << "one for all who use it";
  EXPECT_EQ(book.names().at(image.limits.at(0).account).subject, "web");
}

TEST(CompileLimits, OfThePolicy) {
  Policy policy = two_services({});
  policy.denial = config::Denial::kReject;
  policy.limits.syn = Rate{1000, seconds{1}, true};
  policy.limits.max_flows = 1000;
  policy.limits.max_flows_per_source = 10;
  policy.limits.timeouts[FW_UDP_HALF] = seconds{60};
  const fw_generation parameters = must_compile(policy, {}).parameters;
  EXPECT_NE(parameters.flags & FW_REJECT, 0U);
  EXPECT_EQ(parameters.syn.cost_ns, 1'000'000U);
  EXPECT_EQ(parameters.max_flows, 1000U);
  EXPECT_EQ(parameters.max_per_source, 10U);
  EXPECT_EQ(parameters.timeout_ns[FW_UDP_HALF], 60'000'000'000U);
  EXPECT_EQ(parameters.timeout_ns[FW_TCP_ESTABLISHED], 7440'000'000'000U);

  const fw_generation without = must_compile(two_services({}), {}).parameters;
  EXPECT_EQ(without.flags & FW_REJECT, 0U);
  EXPECT_EQ(without.syn.cost_ns, 0U);
  for (const auto timeout : without.timeout_ns) EXPECT_GT(timeout, 0U);
}

TEST(CompileLimits, TheJudgeNamesWhatLimitsAFlow) {
  AccountBook book;
  const Image image = must_compile(
      two_services({limited(allow("*", "zone:a", {tcp(22)}), {5, minutes{1}, true})}), {}, book);
  const Judge judge{image};
  Probe probe;
  probe.src = ip("8.8.8.8");
  probe.dst = ip("10.1.2.3");
  probe.proto = 6;
  probe.dport = 22;
  const auto limited = judge.judge(probe);
  EXPECT_TRUE(limited.allowed);
  ASSERT_EQ(limited.limit, 1U);
  EXPECT_EQ(book.names().at(image.limits.at(0).account).subject, "* -> zone:a:22/tcp");
  probe.dport = 23;
  EXPECT_EQ(judge.judge(probe).limit, 0U);
}

}  // namespace
}  // namespace fw::compile::test
