// SPDX-License-Identifier: GPL-2.0-only
// What goes on while fwd itself changes: restarts, kills, policy swaps and the end of it all.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/netns/world.h"
#include "tests/support/nginx.h"
#include "tests/support/privilege.h"

namespace fw::test {
namespace {

using testing::IsEmpty;
using testing::Not;

constexpr const char* kWebUrl = "http://192.168.1.100:8080/";
constexpr const char* kBigUrl = "http://[fd00:1::100]:8080/big";
constexpr Transport kBoth[] = {Transport::kTcp, Transport::kUdp};

// fwd on the host only; the router routes.
class Continuity : public testing::Test {
 protected:
  void SetUp() override {
    FW_REQUIRE_ROOT();
    if (lab_) return;
    FW_ASSIGN(lab_, Lab::create());
    FW_ASSIGN(auto nginx, Nginx::start(web()));
    nginx_ = std::make_unique<Nginx>(std::move(nginx));
    FW_ASSIGN(tcp_, EchoServer::start(web(), Transport::kTcp, 7));
    FW_ASSIGN(udp_, EchoServer::start(web(), Transport::kUdp, 7));
    FW_ASSIGN(host_, lab_->enforce(lab_->host, host_with_echo("tc")));
  }
  static void TearDownTestSuite() {
    tcp_.reset();
    udp_.reset();
    nginx_.reset();
    lab_.reset();
  }

  static const NetNs& web() { return lab_->container("web").netns; }

  // One conversation for each family and transport.
  static std::vector<std::unique_ptr<Conversation>> talk_on_all() {
    std::vector<std::unique_ptr<Conversation>> talks;
    for (const auto* address : {kHost4, kHost6})
      for (const auto transport : kBoth)
        if (auto talk = Conversation::start(lab_->client, transport, {address, 8007}))
          talks.push_back(std::move(talk));
    EXPECT_EQ(talks.size(), 4U);
    return talks;
  }
  static void expect_unbroken(const std::vector<std::unique_ptr<Conversation>>& talks) {
    for (const auto& talk : talks) {
      EXPECT_TRUE(talk->goes_on());
      EXPECT_EQ(talk->end(), "");
    }
  }

  // Slow enough to be under way while fwd is away.
  static Result<Process> download() {
    return lab_->client.start({"curl", "-sSg", "--limit-rate", "6M", "--max-time", "60", kBigUrl});
  }
  static void expect_whole(Process& process) {
    const auto answer = process.wait(milliseconds{60000});
    EXPECT_TRUE(answer.ok()) << answer.status << answer.err;
    EXPECT_EQ(answer.out.size(), Nginx::kBigBytes);
    EXPECT_EQ(answer.out.find_first_not_of('b'), std::string::npos);
  }

  // Ends fwd in one way, starts it again, and holds that nothing noticed.
  template <class End>
  static void survive(End end) {
    const auto talks = talk_on_all();
    FW_ASSIGN(auto file, download());
    ASSERT_TRUE(eventually(milliseconds{5000}, [&] { return !file.out().empty(); }));
    const auto seen = counted_at_door(*host_, "http");
    const auto generation = ask(*host_, {"status"})["policy"]["generation"];
    end();
    EXPECT_TRUE(file.running());
    for (const auto& talk : talks) EXPECT_TRUE(talk->goes_on()) << "without a daemon";
    EXPECT_EQ(lab_->get(kWebUrl).out, "you are 198.51.100.10\n") << "new flows without a daemon";
    EXPECT_FALSE(Client::connect(lab_->client, Transport::kTcp, {kHost4, 5432}, milliseconds{150}));
    FW_ASSERT_OK(host_->start());
    EXPECT_GT(counted_at_door(*host_, "http"), seen) << "counters start anew";
    EXPECT_EQ(ask(*host_, {"status"})["policy"]["generation"], generation);
    expect_unbroken(talks);
    expect_whole(file);
  }

  static inline std::unique_ptr<Lab> lab_;
  static inline std::unique_ptr<Nginx> nginx_;
  static inline std::unique_ptr<EchoServer> tcp_;
  static inline std::unique_ptr<EchoServer> udp_;
  static inline Daemon* host_ = nullptr;
};

TEST_F(Continuity, ARestartLosesNotOneByte) {
  survive([] {
    const auto ended = host_->stop();
    EXPECT_EQ(ended.status, 0) << ended.describe();
  });
}

TEST_F(Continuity, AKilledDaemonLosesNotOneByte) {
  survive([] { (void)host_->kill(); });
}

TEST_F(Continuity, TwentySwapsUnderLoadLoseNothing) {
  const std::string one = host_with_echo("tc");
  const std::string other = one + "  - internet -> host:2222\nblock:\n  - 203.0.113.0/24 -> *\n";
  const auto talks = talk_on_all();
  FW_ASSIGN(auto file, download());
  std::atomic<bool> ending{false};
  std::atomic<int> connections{0};
  std::string trouble;
  std::thread load{[&] {
    while (!ending && trouble.empty()) {
      trouble = why_unreachable(lab_->client, Transport::kTcp, {kHost4, 8007}, milliseconds{8000});
      ++connections;
      std::this_thread::sleep_for(milliseconds{2});
    }
  }};
  const auto before = counted_at_door(*host_, "echo");
  auto seen = before;
  for (int swap = 0; swap < 20; ++swap) {
    const auto applied = host_->apply(swap % 2 == 0 ? other : one);
    EXPECT_TRUE(applied.ok()) << applied.describe();
    if (swap % 5 != 0) continue;
    const auto now = counted_at_door(*host_, "echo");
    EXPECT_GE(now, seen) << "a counter went back at swap " << swap;
    seen = now;
  }
  EXPECT_GT(seen, before);
  ending = true;
  load.join();
  EXPECT_EQ(trouble, "") << "connection " << connections;
  EXPECT_GT(connections, 20);
  expect_unbroken(talks);
  expect_whole(file);
}

TEST_F(Continuity, EveryVerbSpeaksJson) {
  (void)lab_->get(kWebUrl);
  const auto status = ask(*host_, {"status"});
  EXPECT_TRUE(status["enforcing"].get<bool>());
  EXPECT_EQ(status["policy"]["name"], "host");
  EXPECT_EQ(status["interfaces"].size(), 2U) << status.dump();
  const auto counters = ask(*host_, {"counters"});
  for (const auto* list : {"rules", "publish", "drops", "zones"})
    EXPECT_TRUE(counters[list].is_array()) << list;
  const auto flows = ask(*host_, {"flows"});
  ASSERT_FALSE(flows["flows"].empty());
  EXPECT_EQ(flows["flows"][0]["proto"].is_string(), true);
  EXPECT_TRUE(ask(*host_, {"version"})["version"].is_string());
  EXPECT_TRUE(ask(*host_, {"check", "-f", host_->policy_file()})["ok"].get<bool>());
  const auto again = ask(*host_, {"apply", "-f", host_->policy_file()});
  EXPECT_FALSE(again["changed"].get<bool>()) << "the same policy twice";
  for (const auto* verb : {"status", "counters", "flows", "version"})
    EXPECT_THAT(host_->ctl({verb}).out, Not(IsEmpty())) << verb;
}

TEST_F(Continuity, TeardownLeavesNothingAndStartingAgainWorks) {
  ASSERT_TRUE(std::filesystem::exists(host_->bpffs()));
  EXPECT_TRUE(ask(*host_, {"teardown"})["was_enforcing"].get<bool>());
  EXPECT_TRUE(eventually(milliseconds{5000}, [] { return !host_->running(); }));
  EXPECT_FALSE(std::filesystem::exists(host_->bpffs()));
  EXPECT_EQ(host_->ctl({"status"}).status, 3);
  EXPECT_EQ(why_unreachable(lab_->client, Transport::kTcp, {lab_->container("web").address4(), 7}),
            "")
      << "an open network again";
  FW_ASSERT_OK(host_->start());
  EXPECT_FALSE(Client::connect(lab_->client, Transport::kTcp,
                               {lab_->container("web").address4(), 7}, milliseconds{150}));
  EXPECT_EQ(lab_->get(kWebUrl).out, "you are 198.51.100.10\n");
}

}  // namespace
}  // namespace fw::test
