// SPDX-License-Identifier: GPL-2.0-only
// `tests:` of a policy: what passes, what fails, and the sentence that says why.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "loader/compile/check.h"

namespace fw::compile {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kShop = R"(version: 1
host: {uplinks: [eth0], admin: [lan -> host:22]}
zones:
  lan:    {subnets: [192.168.1.0/24, "fd00:1::/64"]}
  dmz:    {subnets: [172.20.1.0/24, "fd00:2::/64"]}
  data:   {services: [db, cache], intra: allow}
  office: {interfaces: [eth1]}
services:
  proxy: {addresses: [172.20.1.10, "fd00:2::10"], ports: {http: 80}}
  api:   {addresses: [172.20.1.11, 172.20.1.12], ports: {http: 8000}}
  db:    {addresses: [172.20.3.5], ports: {postgres: 5432}}
  cache: {addresses: [172.20.3.6]}
  dns:   {host: true, ports: {dns: 53/tcp+udp}}
publish:
  http:  {host: 8080, to: proxy:http, from: [internet, lan]}
  old:   {host: 8443, to: api:http, from: lan}
allow:
  - proxy -> api:http
  - api -> db:postgres
  - office -> dns:dns
  - office -> internet
block:
  - 203.0.113.0/24 -> *
tests:
)";

CheckedPolicy check(const config::Source& source) {
  return compile::check(config::Sources{{source}, {}}, config::Time{});
}

// The failures of one test on top of the shop.
std::vector<std::string> failures(const std::string& test, const std::string& more = "") {
  const auto checked = check({"fwd.yaml", kShop + ("  - {name: t, " + test + "}\n") + more});
  std::vector<std::string> messages;
  for (const auto& diagnostic : checked.diagnostics) messages.push_back(diagnostic.message);
  EXPECT_EQ(checked.accepted(), messages.empty());
  EXPECT_EQ(checked.tests.size(), 1U);
  return messages;
}

TEST(PolicyTests, ThatHoldPass) {
  for (const char* test : {
           "from: internet, allow: [host:8080], deny: [host:22, db:5432, api:http, host:8443]",
           "from: internet, allow: [proxy:http], deny: [dmz:81]",
           "from: lan, allow: [host:22, host:8080], deny: [db]",
           "from: proxy, allow: [api:http], deny: ['api:8001', db, 'host:22', internet]",
           "from: [api], allow: ['db:postgres', host:8080], deny: ['db:22', 'proxy:81', host:8443]",
           "from: db, allow: ['cache', 'cache:ping'], deny: [internet]",
           "from: office, allow: ['dns:dns', 'internet:443'], deny: [proxy, lan, 'host:22']",
           "from: host, allow: ['internet:443', lan, proxy:http, api:http], deny: ['proxy:81', db]",
           "from: 203.0.113.7, deny: ['*']",
           "from: 198.51.100.0/24, allow: ['host:8080/tcp'], deny: ['host:8080/udp']",
       })
    EXPECT_THAT(failures(test), IsEmpty()) << test;
}

TEST(PolicyTests, ThatFailNameTheRule) {
  struct Case {
    const char* test;
    const char* message;
  };
  for (const auto& [test, message] : std::initializer_list<Case>{
           {"from: proxy, deny: ['api:http']",
            "test 't' failed: proxy may reach api:8000/tcp, allowed by fwd.yaml:18 'proxy -> "
            "api:8000/tcp'"},
           {"from: internet, deny: ['host:8080']",
            "test 't' failed: internet may reach host:8080/tcp, allowed by fwd.yaml:15 publish "
            "'http'"},
           {"from: internet, deny: [proxy]",
            "test 't' failed: internet may reach proxy:80/tcp, allowed by fwd.yaml:15 publish "
            "'http'"},
           {"from: dmz, deny: ['data:postgres']",
            "test 't' failed: dmz (api) may reach data:5432/tcp (db), allowed by fwd.yaml:19 "
            "'api -> db:5432/tcp'"},
           {"from: lan, deny: ['host:1-1000']",
            "test 't' failed: lan may reach host:22/tcp, allowed by fwd.yaml:2 'lan -> "
            "host:22/tcp'"},
           {"from: db, deny: [cache]",
            "test 't' failed: db may reach cache:ping, allowed by fwd.yaml:6 intra: allow"},
           {"from: host, deny: [internet]",
            "test 't' failed: host may reach internet:ping, allowed by host.egress"},
           {"from: 203.0.113.0/24, allow: ['host:8080']",
            "test 't' failed: 203.0.113.0/24 may not reach host:8080/tcp, blocked by fwd.yaml:23 "
            "'203.0.113.0/24 -> *'"},
           {"from: dmz, allow: ['api:http']",
            "test 't' failed: dmz may not reach api:8000/tcp: NO_RULE"},
           {"from: internet, allow: ['db:postgres']",
            "test 't' failed: internet may not reach db:5432/tcp: NOT_PUBLISHED"},
           {"from: 'fd00:2::7', deny: [db]",
            "test 't' failed: fd00:2::7 -> db asks nothing: its ends have no two addresses of one "
            "family"},
       })
    EXPECT_THAT(failures(test), ElementsAre(message)) << test;
}

// One family that differs is a difference.
TEST(PolicyTests, AskBothFamilies) {
  const std::string policy = R"(version: 1
host: {uplinks: [eth0]}
zones: {lan: {subnets: [192.168.1.0/24, "fd00:1::/64"]}}
services: {dns: {host: true, ports: {dns: 53/udp}}}
allow: ["192.168.1.0/24 -> dns:dns"]
tests: [{name: both, from: lan, allow: [dns:dns]}]
)";
  const auto checked = check({"fwd.yaml", policy});
  ASSERT_EQ(checked.diagnostics.size(), 1U);
  EXPECT_EQ(config::to_string(checked.diagnostics.front()),
            "fwd.yaml:6:41: error: test 'both' failed: lan may not reach dns:53/udp over IPv6: "
            "NOT_PUBLISHED\n"
            "  tests: [{name: both, from: lan, allow: [dns:dns]}]\n"
            "                                          ^\n");
}

TEST(PolicyTests, OnlyABlockedCidrIsAnException) {
  const std::string policy = R"(version: 1
host: {uplinks: [eth0]}
zones: {dmz: {subnets: [172.20.1.0/24]}}
services: {web: {addresses: [172.20.1.10]}, bad: {addresses: [172.20.1.11]}, db: {addresses: [10.9.9.9]}}
allow: [dmz -> db:5432]
block: [bad -> db]
tests: [{name: all, from: dmz, allow: [db:5432]}]
)";
  const auto checked = check({"fwd.yaml", policy});
  ASSERT_EQ(checked.diagnostics.size(), 1U);
  EXPECT_EQ(checked.diagnostics.front().message,
            "test 'all' failed: dmz (bad) may not reach db:5432/tcp, blocked by fwd.yaml:6 'bad -> "
            "db'");
}

TEST(PolicyTests, CountExpectations) {
  const auto checked =
      check({"f", kShop + std::string{"  - {name: a, from: [internet, lan], allow: "
                                      "['host:8080'], deny: ['db', api]}\n"}});
  ASSERT_EQ(checked.tests.size(), 1U);
  EXPECT_EQ(checked.tests.front().expectations, 6U);
  EXPECT_TRUE(checked.tests_failed());  // lan may use the door 'old' to api
}

TEST(CheckedPolicy, HasWhatTheCompilerRefuses) {
  std::string policy = "version: 1\nzones:\n";
  for (int i = 0; i < 70; ++i) policy += "  zone-" + std::to_string(i) + "-x: {}\n";
  const auto checked = check({"fwd.yaml", policy});
  EXPECT_FALSE(checked.policy);
  ASSERT_FALSE(checked.diagnostics.empty());
  EXPECT_THAT(config::to_string(checked.diagnostics.back()),
              testing::StartsWith("fwd.yaml: error: compiling the policy: "));
}

}  // namespace
}  // namespace fw::compile
