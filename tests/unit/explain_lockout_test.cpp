// SPDX-License-Identifier: GPL-2.0-only
// Would a policy cut the session by which it is put in force?
#include "loader/explain/lockout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/compile_model.h"
#include "tests/unit/explain_policy.h"

namespace fw::explain::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

Session session(const std::string& text) {
  const auto read = read_session(text);
  EXPECT_TRUE(read) << text;
  return read.value_or(Session{});
}

// "" when the session goes on.
std::string cut(const std::string& ssh, const std::string& policy) {
  const auto found = lockout(must_parse(policy), session(ssh));
  EXPECT_TRUE(found);
  return found && *found ? (*found)->message + "; " + (*found)->hint : "";
}

TEST(Lockout, ReadsWhatSshdSays) {
  const auto ipv4 = session("198.51.100.7 50022 192.168.1.100 22");
  EXPECT_EQ(ipv4.client.to_string(), "198.51.100.7");
  EXPECT_EQ(ipv4.server.to_string(), "192.168.1.100");
  EXPECT_EQ(ipv4.server_port, 22);
  EXPECT_EQ(session("fe80::1%eth0 50022 fe80::2%eth0 2222").client.to_string(), "fe80::1");
  for (const char* wrong : {"", "198.51.100.7", "198.51.100.7 1 192.168.1.100 ssh",
                            "198.51.100.7 1 here 22", "198.51.100.7 1 192.168.1.100 22-23"})
    EXPECT_FALSE(read_session(wrong)) << wrong;
}

TEST(Lockout, NamesTheReasonAndTheLine) {
  EXPECT_EQ(cut("192.168.1.7 50022 192.168.1.100 22", kShop), "");
  EXPECT_THAT(cut("198.51.100.7 50022 192.168.1.100 22", kShop),
              StartsWith("your own SSH session, 198.51.100.7 -> 192.168.1.100:22, would be cut: "
                         "NOT_PUBLISHED"));
  EXPECT_THAT(cut("198.51.100.7 50022 192.168.1.100 22", kShop),
              HasSubstr("write under 'host': admin: [\"198.51.100.7 -> host:22\"]"));
  EXPECT_THAT(cut("203.0.113.7 50022 192.168.1.100 22", kShop),
              HasSubstr("blocked by '203.0.113.0/24 -> *' (shop.yaml:29)"));
  EXPECT_THAT(cut("fd00:9::7 50022 fd00:1::100 22", kShop),
              HasSubstr("fd00:9::7 -> [fd00:1::100]:22"));
}

// With the line, it passes: also where a block is in the way.
TEST(Lockout, TheLineHelps) {
  std::string text = kShop;
  text.replace(text.find("[lan -> host:22]"), 16, "[lan -> host:22, \"203.0.113.7 -> host:22\"]");
  EXPECT_EQ(cut("203.0.113.7 50022 192.168.1.100 22", text), "");
}

// sshd sees the port behind a door of the host itself.
TEST(Lockout, ADoorOfTheHostLetsIn) {
  const std::string text =
      "version: 1\nhost: {uplinks: [eth0]}\nservices: {ssh: {host: true, ports: {ssh: 22}}}\n";
  EXPECT_NE(cut("198.51.100.7 50022 192.168.1.100 22", text), "");
  EXPECT_EQ(cut("198.51.100.7 50022 192.168.1.100 22",
                text + "publish: {ssh: {host: 2222, to: ssh:ssh, from: internet}}\n"),
            "");
}

TEST(Lockout, NothingIsCutWhereNothingIsFiltered) {
  EXPECT_EQ(cut("198.51.100.7 50022 192.168.1.100 22", "version: 1\n"), "");
  EXPECT_EQ(cut("127.0.0.1 50022 127.0.0.1 22", kShop), "");
  EXPECT_EQ(cut("192.168.1.100 50022 192.168.1.100 22", kShop), "");
}

// On a real machine, the addresses and the interfaces are its own.
TEST(Lockout, KnowsTheRealMachine) {
  namespace model = compile::test;
  const auto policy = model::podplay();
  auto topology = model::podplay_machine();
  Interface& management = topology.interfaces[99];
  management.index = 99;
  management.name = "mgmt0";
  management.addresses = {*Address::parse("10.99.0.1")};
  management.connected = {*Prefix::parse("10.99.0.0/24")};
  compile::AccountBook book;
  const auto placement = compile::place(policy, topology);
  const auto image = compile::compile(policy, topology, placement, book);
  ASSERT_TRUE(image);
  const World world{policy, *image, placement, topology, book};
  EXPECT_TRUE(lockout(world, session("198.51.100.7 1 192.168.1.20 2222")));
  // By an interface that fwd takes no part on, and to another machine.
  EXPECT_FALSE(lockout(world, session("10.99.0.7 1 10.99.0.1 2222")));
  EXPECT_FALSE(lockout(world, session("198.51.100.7 1 192.168.1.77 2222")));
}

}  // namespace
}  // namespace fw::explain::test
