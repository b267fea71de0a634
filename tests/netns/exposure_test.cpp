// SPDX-License-Identifier: GPL-2.0-only
// fwctl exposure on a machine with real sockets, a real nft rule, and a real docker container that
// is published on every address.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "tests/netns/world.h"
#include "tests/support/engine.h"
#include "tests/support/privilege.h"

namespace fw::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr const char* kUnaware = R"(version: 1
host: {uplinks: [eth0]}
zones:
  lan: {subnets: [192.168.1.0/24]}
  shop: {subnets: [172.17.0.0/16]}
)";

constexpr const char* kAware = R"(version: 1
host: {uplinks: [eth0]}
zones:
  lan: {subnets: [192.168.1.0/24]}
  shop: {subnets: [172.17.0.0/16]}
services:
  web: {container: shop-web, ports: {http: 80}}
publish:
  http: {host: 8080, to: web:http, from: [internet, lan]}
)";

// client 192.168.1.9 -- host 192.168.1.100
class Exposure : public testing::TestWithParam<EngineKind> {
 protected:
  void SetUp() override {
    FW_REQUIRE_ROOT();
    FW_ASSIGN(auto client, NetNs::create("client"));
    FW_ASSIGN(auto host, NetNs::create("host"));
    client_ = std::make_unique<NetNs>(std::move(client));
    host_ = std::make_unique<NetNs>(std::move(host));
    FW_ASSERT_OK(connect(*client_, "eth0", *host_, "eth0"));
    FW_ASSERT_OK(client_->ip("addr add 192.168.1.9/24 dev eth0"));
    FW_ASSERT_OK(host_->ip("addr add 192.168.1.100/24 dev eth0"));
  }

  [[nodiscard]] Output exposure(const Argv& more) const {
    Argv argv = {program_path("fwctl"), "exposure", "--json", "--socket", "/nonexistent/fwd.sock"};
    argv.insert(argv.end(), more.begin(), more.end());
    return host_->run(argv, milliseconds{30000});
  }
  [[nodiscard]] static json door_at(const Output& output, int port) {
    const auto report = json::parse(output.out, nullptr, false);
    EXPECT_EQ(report.value("schema", 0), 1) << output.describe();
    for (const auto& door : report.value("doors", json::array()))
      if (door.value("port", 0) == port) return door;
    return json::object();
  }
  static bool opened_by(const json& door, const std::string& kind, const std::string& name) {
    for (const auto& opener : door.value("opened_by", json::array()))
      if (opener.value("kind", "") == kind && opener.value("name", "") == name) return true;
    return false;
  }

  std::unique_ptr<NetNs> client_;
  std::unique_ptr<NetNs> host_;
};

class ExposureOfSockets : public Exposure {
 protected:
  // A socket of this process in the host's namespace.
  [[nodiscard]] Fd open_socket(int type, const char* address, std::uint16_t port) const {
    return host_->enter([&] {
      Fd fd{::socket(AF_INET, type | SOCK_CLOEXEC, 0)};
      sockaddr_in at{};
      at.sin_family = AF_INET;
      at.sin_port = htons(port);
      EXPECT_EQ(::inet_pton(AF_INET, address, &at.sin_addr), 1);
      EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof(at)), 0);
      if (type == SOCK_STREAM) {
        EXPECT_EQ(::listen(fd.get(), 1), 0);
      }
      return fd;
    });
  }
};

TEST_F(ExposureOfSockets, NeedsNoPolicyAndNoDaemon) {
  const auto empty = exposure({"--engine", "none"});
  EXPECT_EQ(empty.status, 0) << empty.describe();

  const Fd everywhere = open_socket(SOCK_STREAM, "0.0.0.0", 7000);
  const Fd local = open_socket(SOCK_DGRAM, "127.0.0.1", 7001);
  const Fd one = open_socket(SOCK_DGRAM, "192.168.1.100", 7002);
  const auto got = exposure({"--engine", "none"});
  EXPECT_EQ(got.status, 1) << got.describe();
  EXPECT_THAT(got.err, HasSubstr("no fwd answers on /nonexistent/fwd.sock"));
  const auto door = door_at(got, 7000);
  EXPECT_EQ(door.value("address", ""), "0.0.0.0");
  EXPECT_FALSE(door.value("declared", true));
  EXPECT_TRUE(door.value("reachable", false));
  std::string name = read_file("/proc/self/comm");
  name.pop_back();
  EXPECT_TRUE(opened_by(door, "process", name)) << door.dump();
  EXPECT_TRUE(door_at(got, 7001).value("local", false));
  EXPECT_EQ(door_at(got, 7002).value("address", ""), "192.168.1.100");
}

TEST_F(ExposureOfSockets, ShowsRulesThatLeadInwards) {
  FW_ASSERT_OK(host_->enter([] {
    const auto made = run({"nft",
                           "add table inet t; add chain inet t pre { type nat hook prerouting "
                           "priority -100; }; add rule inet t pre tcp dport 443 dnat ip to "
                           "172.17.0.9:8443"});
    return made.ok() ? Result<void>{} : Result<void>{Error{made.describe()}};
  }));
  const auto got = exposure({"--engine", "none"});
  EXPECT_EQ(got.status, 1) << got.describe();
  const auto door = door_at(got, 443);
  ASSERT_FALSE(door["opened_by"].empty()) << got.describe();
  EXPECT_THAT(door["opened_by"][0].value("text", ""), HasSubstr("-> 172.17.0.9:8443"));
}

TEST_F(ExposureOfSockets, SaysWhichEngineDoesNotAnswer) {
  const auto got = exposure({"--engine", "unix:///nonexistent/engine.sock"});
  EXPECT_EQ(got.status, 0) << got.describe();
  EXPECT_THAT(got.err, HasSubstr("/nonexistent/engine.sock"));
  EXPECT_EQ(exposure({"--engine", "docker"}).status, 2);
}

TEST_P(Exposure, APublishedContainerIsUndeclaredUntilThePolicyNamesIt) {
  if (const auto missing = Engine::missing(GetParam()); !missing.empty())
    GTEST_SKIP() << "no container engine: " << missing << " is not installed";
  FW_ASSIGN(const auto engine, Engine::start(*host_, GetParam()));
  FW_ASSERT_OK(engine->run("shop-web", {"-p", "8080:80"}));

  const auto bare = exposure({"--engine", engine->url()});
  EXPECT_EQ(bare.status, 1) << bare.describe();
  const auto open = door_at(bare, 8080);
  EXPECT_TRUE(open.value("reachable", false)) << bare.describe();
  EXPECT_FALSE(open.value("declared", true));
  EXPECT_TRUE(opened_by(open, "container", "shop-web")) << open.dump();
  EXPECT_THAT(open.value("close", ""), HasSubstr("container shop-web"));

  FW_ASSIGN(auto daemon, Daemon::create(*host_, kUnaware));
  FW_ASSERT_OK(daemon->start({"--engine", engine->url()}, milliseconds{60000}));
  const Argv ask = {"exposure", "--json", "--engine", engine->url()};
  const auto denied = daemon->ctl(ask);
  EXPECT_EQ(denied.status, 1) << denied.describe();
  const auto closed = door_at(denied, 8080);
  EXPECT_FALSE(closed.value("declared", true));
  EXPECT_FALSE(closed.value("reachable", true)) << closed.dump();
  EXPECT_EQ(closed.value("denied", ""), "NOT_PUBLISHED");
  EXPECT_THAT(closed.value("declare", json::array()),
              testing::Contains("  shop-web: {container: shop-web, ports: {p80: 80/tcp}}"));

  const auto applied = daemon->apply(kAware);
  ASSERT_TRUE(applied.ok()) << applied.describe();
  const auto declared = daemon->ctl(ask);
  const auto named = door_at(declared, 8080);
  EXPECT_TRUE(named.value("declared", false)) << declared.describe();
  EXPECT_EQ(named["declared_by"].value("line", 0), 9);
  EXPECT_THAT(named.value("from", json::array()), testing::ElementsAre("internet", "lan", "shop"))
      << "what the internet may use, the containers may";
  EXPECT_EQ(declared.status, 0) << declared.describe();
}

INSTANTIATE_TEST_SUITE_P(Engines, Exposure, testing::Values(EngineKind::kDocker),
                         [](const auto&) { return "Docker"; });

}  // namespace
}  // namespace fw::test
