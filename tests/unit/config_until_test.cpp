// SPDX-License-Identifier: GPL-2.0-only
// Rules and doors that end by themselves.
#include <gmock/gmock.h>

#include "loader/compile/check.h"
#include "loader/config/until.h"
#include "tests/unit/config_mistakes.h"

namespace fw::config {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;

Time at(long long unix) {
  return Time{seconds{unix}};
}

TEST(Until, ReadsRfc3339) {
  const std::pair<const char*, long long> times[] = {
      {"1970-01-01T00:00:00Z", 0},
      {"2026-12-31T00:00:00Z", 1798675200},
      {"2026-12-31t01:30:00z", 1798680600},
      {"2026-12-31T01:00:00+01:00", 1798675200},
      {"2026-12-30T19:00:00.999-05:00", 1798675200},
      {"2028-02-29T23:59:60Z", 1835481600},
  };
  for (const auto& [text, unix] : times) {
    const auto time = parse_time(text);
    ASSERT_TRUE(time) << text << ": " << time.error().message;
    EXPECT_EQ(*time, at(unix)) << text;
  }
  EXPECT_EQ(to_string(at(1798675200)), "2026-12-31T00:00:00Z");
  for (const char* text : {"", "tomorrow", "2026-12-31", "2026-12-31T00:00:00",
                           "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z",
                           "2026-01-01T00:60:00Z", "2026-1-1T00:00:00Z", "2026-01-01T00:00:00Z "})
    EXPECT_FALSE(parse_time(text)) << text;
}

constexpr const char* kPolicy = R"(version: 1
host: {uplinks: [eth0]}
services: {web: {addresses: [172.20.1.3], ports: {http: 80}}}
publish: {http: {host: 80, to: web:http, from: internet, until: 1970-01-01T00:00:30Z}}
allow:
  - {from: internet, to: host:22, until: 1970-01-01T00:00:10Z}
  - internet -> host:23
block: [{from: 192.0.2.0/24, to: "*", until: 1970-01-01T00:00:20Z}]
)";

TEST(Until, WhatHasEndedIsNotInForce) {
  const auto parsed = parse({"fwd.yaml", kPolicy});
  ASSERT_TRUE(parsed.policy) << to_string(parsed.diagnostics.front());
  const auto texts = [&](long long unix) {
    std::vector<std::string> found;
    const Policy policy = in_force_at(*parsed.policy, at(unix));
    for (const Rule& rule : policy.rules) found.push_back(rule.text);
    for (const auto& [name, door] : policy.doors) found.push_back(name);
    return found;
  };
  EXPECT_THAT(texts(9), ElementsAre("internet -> host:22/tcp", "internet -> host:23/tcp",
                                    "192.0.2.0/24 -> *", "http"));
  EXPECT_THAT(texts(10), ElementsAre("internet -> host:23/tcp", "192.0.2.0/24 -> *", "http"));
  EXPECT_THAT(texts(20), ElementsAre("internet -> host:23/tcp", "http"));
  EXPECT_THAT(texts(30), ElementsAre("internet -> host:23/tcp"));
  EXPECT_EQ(next_end(*parsed.policy, at(0)), at(10));
  EXPECT_EQ(next_end(*parsed.policy, at(10)), at(20));
  EXPECT_EQ(next_end(*parsed.policy, at(30)), std::nullopt);
}

TEST(Until, CheckWarnsOfWhatHasEndedAndTestsDoNotSeeIt) {
  const std::string text =
      std::string{kPolicy} +
      "tests: [{name: closed, from: internet, deny: 'host:22', allow: 'host:23'}]\n";
  const auto checked = compile::check({{{"fwd.yaml", text}}, {}}, at(15));
  EXPECT_TRUE(checked.accepted());
  ASSERT_EQ(checked.diagnostics.size(), 1U);
  EXPECT_EQ(checked.diagnostics[0].severity, Severity::kWarning);
  EXPECT_EQ(checked.diagnostics[0].where.line, 6);
  EXPECT_EQ(checked.diagnostics[0].message,
            "'internet -> host:22/tcp' has ended at 1970-01-01T00:00:10Z and is not in force");
  EXPECT_FALSE(compile::check({{{"fwd.yaml", text}}, {}}, at(5)).accepted());
}

TEST(Until, IsRefusedWhereItMeansNothing) {
  const auto admin = parse({"fwd.yaml",
                            "version: 1\nhost:\n  admin: [{from: internet, to: host:22, "
                            "until: 2030-01-01T00:00:00Z}]\n"});
  EXPECT_THAT(messages_of(admin),
              ElementsAre("3:41: unknown key 'until' | a rule has the keys from, to, comment"));
  const auto never =
      parse({"fwd.yaml", "version: 1\nallow: [{from: internet, to: host:22, until: soon}]\n"});
  EXPECT_THAT(messages_of(never),
              ElementsAre("2:46: 'soon' is not a time; write it as 2026-12-31T00:00:00Z"));
}

}  // namespace
}  // namespace fw::config
