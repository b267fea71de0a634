// SPDX-License-Identifier: GPL-2.0-only
// Does fwd follow a real container engine: who may reach a container that the policy names, one
// that it does not, and one that has moved?
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <set>

#include "tests/netns/world.h"
#include "tests/support/engine.h"
#include "tests/support/privilege.h"

namespace fw::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr milliseconds kPatience{20000};
constexpr milliseconds kReady{60000};

constexpr const char* kPolicy = R"(version: 1
name: shop
host: {uplinks: [eth0]}
zones:
  lan: {subnets: [192.168.1.0/24, "fd00:1::/64"]}
  dmz: {networks: [shop-dmz]}
  front: {services: [web]}
services:
  proxy: {container: shop-proxy, ports: {http: 80, echo: 7}}
  web: {compose: shop/web, ports: {http: 80, echo: 7}}
publish:
  http: {host: 8080, to: proxy:http, from: lan}
  web: {host: 8081, to: web:http, from: lan}
  echo: {host: 8007, to: web:echo, from: lan}
)";

// client 192.168.1.9 -- host 192.168.1.100 with an engine and fwd.
class Engines : public testing::TestWithParam<EngineKind> {
 protected:
  void SetUp() override {
    FW_REQUIRE_ROOT();
    if (const auto missing = Engine::missing(GetParam()); !missing.empty())
      GTEST_SKIP() << "no container engine: " << missing << " is not installed";
    FW_ASSIGN(auto client, NetNs::create("client"));
    FW_ASSIGN(auto host, NetNs::create("host"));
    client_ = std::make_unique<NetNs>(std::move(client));
    host_ = std::make_unique<NetNs>(std::move(host));
    FW_ASSERT_OK(connect(*client_, "eth0", *host_, "eth0"));
    FW_ASSERT_OK(
        client_->ip("addr add 192.168.1.9/24 dev eth0\naddr add fd00:1::9/64 dev eth0\n"
                    "route add default via 192.168.1.100\nroute add default via fd00:1::100"));
    FW_ASSERT_OK(host_->ip("addr add 192.168.1.100/24 dev eth0\naddr add fd00:1::100/64 dev eth0"));
    FW_ASSIGN(engine_, Engine::start(*host_, GetParam()));
    FW_ASSERT_OK(engine_->add_network("shop-dmz", "172.29.1.0/24", "fd00:29:1::/64"));
    FW_ASSIGN(daemon_, Daemon::create(*host_, kPolicy));
  }

  [[nodiscard]] Result<void> enforce() const {
    return daemon_->start({"--engine", engine_->url()}, kReady);
  }

  [[nodiscard]] Output get(const std::string& url, const char* seconds = "2") const {
    return client_->run({"curl", "-sgS", "-m", seconds, "http://" + url + "/cgi-bin/peer"});
  }
  // The answer, once there is one; "" when there never is.
  [[nodiscard]] std::string answer(const std::string& url) const {
    Output output;
    eventually(kPatience, [&] { return (output = get(url)).ok(); });
    return output.out;
  }
  [[nodiscard]] json status_of(const std::string& container) const {
    for (const auto& row : ask(*daemon_, {"status"}).value("containers", json::array()))
      if (row.value("name", "") == container) return row;
    return json::object();
  }
  [[nodiscard]] bool enforced(const std::string& container) const {
    return eventually(kPatience, [&] { return status_of(container).value("enforced", false); });
  }
  [[nodiscard]] Result<void> replica(const std::string& name) const {
    return engine_->run(
        name, {"--network", "shop-dmz", "--label", "com.docker.compose.project=shop", "--label",
               "com.docker.compose.service=web"});
  }
  [[nodiscard]] std::uint64_t generation() const {
    return ask(*daemon_, {"status"})["policy"].value("generation", std::uint64_t{0});
  }

  std::unique_ptr<NetNs> client_;
  std::unique_ptr<NetNs> host_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Daemon> daemon_;
};

TEST_P(Engines, ANamedContainerIsReachedByItsDoorAlone) {
  FW_ASSERT_OK(enforce());
  FW_ASSERT_OK(engine_->run("shop-proxy", {"--network", "shop-dmz"}));
  EXPECT_THAT(answer("192.168.1.100:8080"), HasSubstr("192.168.1.9"));
  EXPECT_THAT(answer("[fd00:1::100]:8080"), HasSubstr("fd00:1::9"));

  const json row = status_of("shop-proxy");
  EXPECT_EQ(row.value("service", ""), "proxy");
  EXPECT_EQ(row.value("zone", ""), "dmz");
  EXPECT_EQ(row.value("why", "?"), "");
  EXPECT_NE(row.value("interface", ""), "");
  EXPECT_FALSE(get(row.value("address", "")).ok()) << "past the door";
  const json engines = ask(*daemon_, {"status"})["engines"];
  ASSERT_EQ(engines.size(), 1U);
  EXPECT_EQ(engines[0].value("trouble", "?"), "");
  EXPECT_THAT(engines[0].value("version", ""),
              HasSubstr(GetParam() == EngineKind::kDocker ? "docker" : "podman"));
}

TEST_P(Engines, APublishedPortThatThePolicyDoesNotNameIsClosed) {
  FW_ASSERT_OK(engine_->add_network("other", "172.29.7.0/24", "fd00:29:7::/64"));
  FW_ASSERT_OK(engine_->run("stray", {"--network", "other", "--ip", "172.29.7.5", "-p",
                                      "0.0.0.0:5432:80", "-p", "[::]:5432:80"}));
  // Open without fwd: so it is fwd that closes it.
  EXPECT_NE(answer("192.168.1.100:5432"), "");
  FW_ASSERT_OK(enforce());
  ASSERT_TRUE(enforced("stray"));
  EXPECT_FALSE(get("192.168.1.100:5432").ok());
  EXPECT_FALSE(get("[fd00:1::100]:5432").ok());
  EXPECT_FALSE(get("172.29.7.5").ok());
  EXPECT_GT(dropped(*daemon_, "NOT_PUBLISHED"), 0U);

  // One that starts now, and talks: its network is guarded although nothing names it.
  FW_ASSERT_OK(engine_->run("late", {"--network", "other"}));
  ASSERT_TRUE(enforced("late"));
  EXPECT_EQ(status_of("late").value("zone", ""), "none");
  const auto before = dropped(*daemon_, "UNMANAGED");
  const auto past = engine_->inside("late", {"curl", "-sS", "-m", "2", "http://172.29.7.5"});
  EXPECT_FALSE(past.ok()) << past.describe();
  EXPECT_GT(dropped(*daemon_, "UNMANAGED"), before) << past.describe();
}

TEST_P(Engines, AContainerThatMovesIsFollowed) {
  FW_ASSERT_OK(engine_->run("shop-proxy", {"--network", "shop-dmz", "--ip", "172.29.1.50"}));
  FW_ASSERT_OK(enforce());
  EXPECT_NE(answer("192.168.1.100:8080"), "");
  FW_ASSERT_OK(engine_->remove("shop-proxy"));
  // Its address is the next container's, its name is not.
  FW_ASSERT_OK(engine_->run("squatter", {"--network", "shop-dmz", "--ip", "172.29.1.50"}));
  ASSERT_TRUE(enforced("squatter"));
  EXPECT_FALSE(get("192.168.1.100:8080").ok());
  FW_ASSERT_OK(engine_->run("shop-proxy", {"--network", "shop-dmz", "--ip", "172.29.1.51"}));
  EXPECT_THAT(answer("192.168.1.100:8080"), HasSubstr("shop-proxy"));
  EXPECT_EQ(status_of("shop-proxy").value("address", ""), "172.29.1.51");
  EXPECT_EQ(generation(), 1U) << "nothing was reloaded";
}

TEST_P(Engines, ReplicasJoinAndLeaveWithoutCuttingOthers) {
  FW_ASSERT_OK(enforce());
  FW_ASSERT_OK(replica("shop-web-1"));
  EXPECT_THAT(answer("192.168.1.100:8081"), HasSubstr("shop-web-1"));
  const auto first = Conversation::start(*client_, Transport::kTcp, {"192.168.1.100", 8007});
  ASSERT_NE(first, nullptr);

  FW_ASSERT_OK(replica("shop-web-2"));
  ASSERT_TRUE(enforced("shop-web-2"));
  std::set<std::string> answered;
  EXPECT_TRUE(eventually(kPatience, [&] {
    for (const char* name : {"shop-web-1", "shop-web-2"})
      if (get("192.168.1.100:8081").out.find(name) != std::string::npos) answered.insert(name);
    return answered.size() == 2;
  })) << "both share the door";
  EXPECT_TRUE(first->goes_on());

  FW_ASSERT_OK(engine_->remove("shop-web-2"));
  EXPECT_TRUE(eventually(kPatience, [&] { return status_of("shop-web-2").empty(); }));
  for (int i = 0; i < 10; ++i) EXPECT_THAT(answer("192.168.1.100:8081"), HasSubstr("shop-web-1"));
  EXPECT_EQ(first->end(), "");
}

TEST_P(Engines, ADeadEngineLosesNothing) {
  FW_ASSERT_OK(enforce());
  FW_ASSERT_OK(replica("shop-web-1"));
  EXPECT_NE(answer("192.168.1.100:8081"), "");
  const auto talk = Conversation::start(*client_, Transport::kTcp, {"192.168.1.100", 8007});
  ASSERT_NE(talk, nullptr);
  engine_->kill();
  EXPECT_TRUE(eventually(kPatience, [&] {
    return ask(*daemon_, {"status"})["engines"][0].value("trouble", "") != "";
  }));
  EXPECT_TRUE(talk->goes_on());
  FW_ASSERT_OK(engine_->start_again());
  FW_ASSERT_OK(engine_->run("shop-proxy", {"--network", "shop-dmz"}));
  EXPECT_NE(answer("192.168.1.100:8080"), "");
  EXPECT_EQ(talk->end(), "");
}

TEST_P(Engines, ARestartOfFwdKeepsFlows) {
  FW_ASSERT_OK(replica("shop-web-1"));
  FW_ASSERT_OK(enforce());
  EXPECT_NE(answer("192.168.1.100:8081"), "");
  const auto talk = Conversation::start(*client_, Transport::kTcp, {"192.168.1.100", 8007});
  ASSERT_NE(talk, nullptr);
  ASSERT_TRUE(daemon_->stop().ok());
  EXPECT_TRUE(talk->goes_on());
  FW_ASSERT_OK(enforce());
  EXPECT_TRUE(talk->goes_on());
  EXPECT_EQ(talk->end(), "");
}

TEST_P(Engines, AContainerInTheHostsNetworkIsSaidToBe) {
  FW_ASSERT_OK(enforce());
  FW_ASSERT_OK(engine_->run("hosted", {"--network", "host"}));
  ASSERT_TRUE(eventually(kPatience, [&] { return !status_of("hosted").empty(); }));
  EXPECT_FALSE(status_of("hosted").value("enforced", true));
  EXPECT_THAT(status_of("hosted").value("why", ""), HasSubstr("the host's own network"));
}

INSTANTIATE_TEST_SUITE_P(Each, Engines, testing::Values(EngineKind::kDocker, EngineKind::kPodman),
                         [](const auto& kind) {
                           return kind.param == EngineKind::kDocker ? "Docker" : "Podman";
                         });

// --- engines that are none

class NoEngine : public testing::Test {
 protected:
  void SetUp() override {
    FW_REQUIRE_ROOT();
    FW_ASSIGN(auto host, NetNs::create("host"));
    host_ = std::make_unique<NetNs>(std::move(host));
    FW_ASSERT_OK(host_->ip("link add eth0 type veth peer name wire\nlink set eth0 up"));
    FW_ASSIGN(daemon_, Daemon::create(*host_, kPolicy));
  }

  [[nodiscard]] json engines() const { return ask(*daemon_, {"status"})["engines"]; }

  std::unique_ptr<NetNs> host_;
  std::unique_ptr<Daemon> daemon_;
};

TEST_F(NoEngine, OneThatIsMissingIsSaidAndWaitedFor) {
  FW_ASSERT_OK(daemon_->start({"--engine", "unix:///nowhere/engine.sock"}, kReady));
  ASSERT_EQ(engines().size(), 1U);
  EXPECT_THAT(engines()[0].value("trouble", ""), HasSubstr("No such file or directory"));
}

TEST_F(NoEngine, OneThatHangsStallsNothing) {
  // Accepts (by its backlog), and never answers.
  FW_ASSIGN(const Scratch files, Scratch::create("hung"));
  const std::string path = files / "engine.sock";
  const Fd hung(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(bind(hung.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(listen(hung.get(), 16), 0);
  FW_ASSERT_OK(daemon_->start({"--engine", "unix://" + path}, kReady));
  EXPECT_TRUE(ask(*daemon_, {"status"}).value("enforcing", false));
  EXPECT_TRUE(eventually(kPatience, [&] {
    return engines()[0].value("trouble", "").find("imeout") != std::string::npos;
  }));
}

}  // namespace
}  // namespace fw::test
