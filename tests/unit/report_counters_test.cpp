// SPDX-License-Identifier: GPL-2.0-only
// Which sums does each kind of account go into?
#include "loader/report/counters.h"

#include <gtest/gtest.h>

#include "tests/unit/compile_model.h"

namespace fw::report {
namespace {

using compile::AccountName;
using Kind = AccountName::Kind;

TEST(Counters, ABlockedPacketCountsForItsRuleAndItsReasonButNotAsLetThrough) {
  config::Policy policy;
  policy.rules = {compile::test::block("203.0.113.0/24", "*"), compile::test::allow("web", "db")};
  compile::AccountBook book;
  book.block({{Kind::kBlock, "203.0.113.0/24 -> *", "internet", "host"},
              {Kind::kBlock, "203.0.113.0/24 -> *", "internet", "dmz"},
              {Kind::kRule, "web -> db", "dmz", "internal"},
              {Kind::kDenied, "BLOCKED", "internet", "host"},
              {Kind::kDenied, "NO_RULE", "internet", "host"}});
  const auto report = counters(policy, book, {{1, 100}, {2, 200}, {4, 400}, {8, 800}, {16, 1600}});

  ASSERT_GE(report.rules.size(), 2U);
  EXPECT_EQ(report.rules[0].count.packets, 3U);
  EXPECT_EQ(report.rules[1].count.packets, 4U);
  ASSERT_EQ(report.drops.size(), 2U);
  EXPECT_EQ(report.drops[0].reason, "BLOCKED");
  EXPECT_EQ(report.drops[0].count.packets, 1U + 2U + 8U);
  EXPECT_EQ(report.drops[0].count.bytes, 1100U);
  EXPECT_EQ(report.drops[1].count.packets, 16U);
  ASSERT_EQ(report.zones.size(), 1U);
  EXPECT_EQ(report.zones[0].count.packets, 4U);
}

// What is over a limit is in the drops by zone pair already.
TEST(Counters, WhatIsOverALimitStandsBesideItsRule) {
  config::Policy policy;
  policy.rules = {compile::test::allow("web", "db")};
  policy.rules[0].limit = config::Rate{5, std::chrono::seconds{1}, false};
  policy.doors["http"] = {};
  compile::AccountBook book;
  book.block({{Kind::kRule, "web -> db", "dmz", "internal"},
              {Kind::kLimited, "web -> db", "*", "*"},
              {Kind::kLimited, "http", "*", "*"},
              {Kind::kDenied, "RATE_LIMITED", "dmz", "internal"}});
  const auto report = counters(policy, book, {{1, 100}, {2, 200}, {4, 400}, {6, 600}});
  ASSERT_GE(report.rules.size(), 1U);
  EXPECT_EQ(report.rules[0].count.packets, 1U);
  EXPECT_EQ(report.rules[0].limited, 2U);
  ASSERT_EQ(report.publish.size(), 1U);
  EXPECT_EQ(report.publish[0].limited, 4U);
  ASSERT_EQ(report.drops.size(), 1U);
  EXPECT_EQ(report.drops[0].count.packets, 6U);
}

}  // namespace
}  // namespace fw::report
