// SPDX-License-Identifier: GPL-2.0-only
// What the policy's text promises beyond one file: overlays, block lists and rules that end,
// between real programs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>

#include "loader/config/until.h"
#include "tests/netns/world.h"
#include "tests/support/privilege.h"

namespace fw::test {
namespace {

using std::chrono::seconds;

constexpr const char* kOpen =
    "version: 1\nname: base\nhost: {uplinks: [eth0]}\nallow: [internet -> host:7]\n";

// A host with an uplink and an echo service, and a peer that is let in or not.
class Language : public testing::Test {
 protected:
  void SetUp() override {
    FW_REQUIRE_ROOT();
    FW_ASSIGN(auto peer, NetNs::create("peer"));
    FW_ASSIGN(auto host, NetNs::create("host"));
    peer_ = std::make_unique<NetNs>(std::move(peer));
    host_ = std::make_unique<NetNs>(std::move(host));
    FW_ASSERT_OK(connect(*peer_, "eth0", *host_, "eth0"));
    FW_ASSERT_OK(peer_->ip("addr add 10.9.0.2/24 dev eth0"));
    FW_ASSERT_OK(peer_->ip("addr add fd09::2/64 dev eth0 nodad"));
    FW_ASSERT_OK(host_->ip("addr add 10.9.0.1/24 dev eth0"));
    FW_ASSERT_OK(host_->ip("addr add fd09::1/64 dev eth0 nodad"));
    FW_ASSIGN(echo_, EchoServer::start(*host_, Transport::kTcp, 7));
    FW_ASSIGN(daemon_, Daemon::create(*host_, kOpen));
  }

  [[nodiscard]] std::string beside(const std::string& name) const {
    return std::filesystem::path{daemon_->policy_file()}.parent_path() / name;
  }
  [[nodiscard]] std::string why_closed(const std::string& address) const {
    return why_unreachable(*peer_, Transport::kTcp, {address, 7}, milliseconds{5000});
  }
  [[nodiscard]] bool is_blocked(const std::string& address) const {
    const auto before = dropped(*daemon_, "BLOCKED");
    if (Client::connect(*peer_, Transport::kTcp, {address, 7}, milliseconds{150})) return false;
    return dropped(*daemon_, "BLOCKED") > before;
  }
  [[nodiscard]] std::uint64_t generation() const {
    return ask(*daemon_, {"status"})["policy"]["generation"];
  }

  // Why this one may not reach the service.
  [[nodiscard]] nlohmann::json explained(const std::string& from) const {
    const auto output = daemon_->ctl({"explain", from, "host:7", "--json"});
    EXPECT_EQ(output.status, 1) << output.describe();
    return nlohmann::json::parse(output.out, nullptr, false);
  }

  std::unique_ptr<NetNs> peer_, host_;
  std::unique_ptr<EchoServer> echo_;
  std::unique_ptr<Daemon> daemon_;
};

TEST_F(Language, AListOfAnOverlayBlocksBothFamiliesAndCutsLiveFlows) {
  FW_ASSERT_OK(daemon_->start());
  const auto live = Conversation::start(*peer_, Transport::kTcp, {"10.9.0.1", 7});
  ASSERT_TRUE(live);
  ASSERT_TRUE(live->goes_on());

  FW_ASSERT_OK(write_file(beside("drop.txt"), "# bad\n10.9.0.2\nfd09::/64 ; all of it\n"));
  FW_ASSERT_OK(write_file(beside("prod.yaml"),
                          "name: prod\nblock: [{from: internet, list: drop, file: drop.txt}]\n"));
  const auto applied = daemon_->ctl(
      {"apply", "--no-confirm", "-f", daemon_->policy_file(), "-f", beside("prod.yaml")});
  ASSERT_TRUE(applied.ok()) << applied.describe();
  EXPECT_TRUE(eventually(milliseconds{10000}, [&] { return dropped(*daemon_, "BLOCKED") > 0; }))
      << "nothing was blocked before, so this is the live flow's";
  live->abandon();
  EXPECT_TRUE(is_blocked("10.9.0.1"));
  EXPECT_TRUE(is_blocked("fd09::1"));

  const auto why = explained("10.9.0.2");
  EXPECT_EQ(why["reason"], "BLOCKED");
  EXPECT_EQ(why["rule"]["text"], "internet (list drop) -> *");
  EXPECT_EQ(why["rule"]["file"], beside("prod.yaml"));
  EXPECT_EQ(daemon_->ctl({"diff", "-f", daemon_->policy_file(), "-f", beside("prod.yaml")}).status,
            0);
  // What the file says by now is not what was checked.
  FW_ASSERT_OK(write_file(beside("drop.txt"), "192.0.2.1\n"));
  EXPECT_TRUE(is_blocked("10.9.0.1"));
}

TEST_F(Language, FwdReadsOverlaysAndListsAtItsStartAndAgain) {
  FW_ASSERT_OK(write_file(beside("drop.txt"), "192.0.2.0/24\n"));
  FW_ASSERT_OK(write_file(beside("prod.yaml"),
                          "name: prod\nblock: [{from: internet, list: drop, file: drop.txt}]\n"));
  const Argv overlay = {"--config", beside("prod.yaml")};
  FW_ASSERT_OK(daemon_->start(overlay));
  EXPECT_EQ(ask(*daemon_, {"status"})["policy"]["name"], "prod");
  EXPECT_EQ(why_closed("10.9.0.1"), "");

  FW_ASSERT_OK(write_file(beside("drop.txt"), "10.9.0.0/24\n"));
  ASSERT_EQ(kill(daemon_->pid(), SIGHUP), 0);
  EXPECT_TRUE(eventually(milliseconds{10000}, [&] { return generation() == 2; }));
  EXPECT_TRUE(is_blocked("10.9.0.1"));

  FW_ASSERT_OK(write_file(beside("drop.txt"), "10.9.0.0/24\nnonsense\n"));
  ASSERT_EQ(kill(daemon_->pid(), SIGHUP), 0);
  EXPECT_TRUE(eventually(milliseconds{10000}, [&] {
    return daemon_->log().find("drop.txt:2:1: error: 'nonsense'") != std::string::npos;
  })) << daemon_->log();
  EXPECT_TRUE(is_blocked("10.9.0.1"));

  FW_ASSERT_OK(write_file(beside("drop.txt"), "10.9.0.0/24\n"));
  daemon_->stop();
  FW_ASSERT_OK(daemon_->start(overlay));
  EXPECT_EQ(generation(), 2U) << "the same text is the same generation, over a restart too";
}

TEST_F(Language, ARuleEndsByItself) {
  FW_ASSERT_OK(daemon_->start());
  const auto end = config::now() + seconds{4};
  const auto applied = daemon_->apply(
      "version: 1\nhost: {uplinks: [eth0]}\nallow:\n"
      "  - {from: internet, to: host:7, until: " +
      config::to_string(end) + "}\n  - internet -> host:ping\n");
  ASSERT_TRUE(applied.ok()) << applied.describe();
  const auto live = Conversation::start(*peer_, Transport::kTcp, {"10.9.0.1", 7});
  ASSERT_TRUE(live && live->goes_on());
  const auto before = dropped(*daemon_, "NOT_PUBLISHED");
  EXPECT_TRUE(eventually(milliseconds{20000}, [&] {
    return dropped(*daemon_, "NOT_PUBLISHED") > before;
  })) << "a flow of the rule that has ended goes on";
  EXPECT_GE(config::now(), end);
  live->abandon();
  EXPECT_TRUE(pings(*peer_, "10.9.0.1")) << "what has no end stays";
  EXPECT_EQ(generation(), 2U) << "people's generation counts policies only";
  EXPECT_EQ(explained("internet")["verdict"], "deny");
}

}  // namespace
}  // namespace fw::test
