// SPDX-License-Identifier: GPL-2.0-only
// `deny: reject` and limits between real sockets, in XDP and in TC mode: who is refused at once,
// who gets no more, and who does not notice.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "tests/netns/world.h"
#include "tests/support/privilege.h"

namespace fw::test {
namespace {

constexpr int kCurlRefused = 7;
constexpr int kCurlTimedOut = 28;
constexpr milliseconds kBrief{400};  // for silence that is expected

// The host alone runs fwd; the container behind host:8080 echoes.
class NetLimits : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    FW_REQUIRE_ROOT();
    const std::string mode = GetParam();
    FW_ASSIGN(lab_, Lab::create({.finish_checksums = mode == "xdp"}));
    FW_ASSIGN(server_, EchoServer::start(lab_->container().netns, Transport::kTcp, 80));
    FW_ASSIGN(host_, lab_->enforce(lab_->host, policy("")));
  }

  static std::string policy(const std::string& more, const std::string& limit = "") {
    std::string text = host_policy(GetParam()) + more;
    const std::string from = "from: [internet, lan]";
    return limit.empty() ? text : text.replace(text.find(from), from.size(), from + ", " + limit);
  }
  void apply(const std::string& text) {
    const auto applied = host_->apply(text);
    ASSERT_TRUE(applied.ok()) << applied.describe();
  }
  // errno of the first word that does not come back; 0 when it does.
  static int refusal(const NetNs& from, Transport transport, const Endpoint& to,
                     milliseconds timeout = milliseconds{5000}) {
    auto client = Client::connect(from, transport, to, timeout);
    if (!client) return client.error().code;
    const auto back = client->echo("hello", timeout);
    return back ? 0 : back.error().code;
  }

  std::unique_ptr<Lab> lab_;
  std::unique_ptr<EchoServer> server_;
  Daemon* host_ = nullptr;
};

TEST_P(NetLimits, ADeniedConnectionIsRefusedOrLeftWaiting) {
  const std::string closed = std::string{"http://"} + kHost4 + ":81/";
  EXPECT_EQ(lab_->get(closed, kBrief).status, kCurlTimedOut);
  apply(policy("deny: reject\n"));
  for (const std::string& host : {std::string{kHost4}, "[" + std::string{kHost6} + "]"}) {
    const auto refused = lab_->get("http://" + host + ":81/");
    EXPECT_EQ(refused.status, kCurlRefused) << refused.describe();
  }
  EXPECT_EQ(refusal(lab_->client, Transport::kTcp, {kHost4, 8080}), 0);
  for (const char* address : {kHost4, kHost6})
    EXPECT_EQ(refusal(lab_->client, Transport::kUdp, {address, 81}), ECONNREFUSED) << address;
}

// Their checksums are unfinished when fwd sees them.
TEST_P(NetLimits, ContainersAndTheHostItselfAreRefusedToo) {
  apply(policy("deny: reject\n"));
  const Container& web = lab_->container();
  for (const Transport transport : {Transport::kTcp, Transport::kUdp}) {
    for (const char* address : {kHost4, kHost6, kClient4, kClient6})
      EXPECT_EQ(refusal(web.netns, transport, {address, 81}), ECONNREFUSED) << address;
    for (const std::string& address : {web.address4(), web.address6()})
      EXPECT_EQ(refusal(lab_->host, transport, {address, 81}), ECONNREFUSED) << address;
  }
}

TEST_P(NetLimits, ACutConnectionIsResetAtBothEnds) {
  apply(policy("deny: reject\n"));
  FW_ASSIGN(Client client, Client::connect(lab_->client, Transport::kTcp, {kHost4, 8080}));
  FW_ASSIGN(const std::string before, client.echo("before"));
  EXPECT_EQ(before, "before");
  std::string closed = policy("deny: reject\n");
  const std::string from = "from: [internet, lan]";
  apply(closed.replace(closed.find(from), from.size(), "from: lan"));
  const auto after = client.echo("after");
  ASSERT_FALSE(after);
  EXPECT_EQ(after.error().code, ECONNRESET) << after.error().message;
}

TEST_P(NetLimits, ASourceOverItsRateDoesNotKeepAnotherOut) {
  apply(policy("", "limit: 3/h per source"));
  int passed = 0;
  for (int i = 0; i < 8; ++i)
    passed += refusal(lab_->client, Transport::kTcp, {kHost4, 8080},
                      i < 3 ? milliseconds{5000} : kBrief) == 0;
  EXPECT_EQ(passed, 3);
  EXPECT_EQ(refusal(lab_->router, Transport::kTcp, {kHost4, 8080}), 0);
  EXPECT_GE(dropped(*host_, "RATE_LIMITED"), 5U);
  const auto counters = ask(*host_, {"counters"});
  ASSERT_EQ(counters["publish"].size(), 1U);
  EXPECT_GE(counters["publish"][0]["limited"], 5U);
  const auto explained = host_->ctl({"explain", "internet", "host:8080"});
  EXPECT_THAT(explained.out, testing::HasSubstr("new flows beyond 3/h per source are dropped"));
}

TEST_P(NetLimits, ASourceHoldsSoManyConnections) {
  constexpr std::size_t kMost = 20;
  apply(policy("limits: {flows: {per_source: 20}}\n"));
  std::vector<Client> held;
  for (std::size_t i = 0; i < kMost; ++i) {
    FW_ASSIGN(Client client, Client::connect(lab_->client, Transport::kTcp, {kHost4, 8080}));
    FW_ASSIGN(const std::string back, client.echo("x"));
    held.push_back(std::move(client));
  }
  EXPECT_NE(refusal(lab_->client, Transport::kTcp, {kHost4, 8080}, kBrief), 0);
  EXPECT_EQ(refusal(lab_->router, Transport::kTcp, {kHost4, 8080}), 0);
  EXPECT_GE(dropped(*host_, "FLOW_LIMIT"), 1U);
  for (Client& client : held) EXPECT_TRUE(client.echo("still there"));
}

INSTANTIATE_TEST_SUITE_P(Modes, NetLimits, testing::Values("xdp", "tc"),
                         [](const auto& test) { return std::string{test.param}; });

}  // namespace
}  // namespace fw::test
