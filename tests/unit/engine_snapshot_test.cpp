// SPDX-License-Identifier: GPL-2.0-only
// What docker 20.10 and podman 4.3 answered, recorded: is it understood, with all their
// differences?
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "loader/engine/api.h"
#include "loader/engine/snapshot.h"

namespace fw::engine::test {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

json recorded(const std::string& name) {
  std::ifstream file(std::filesystem::path{FW_SOURCE_DIR} / "tests/unit/engines" /
                     (name + ".json"));
  return json::parse(file);
}

Address ip(const char* text) {
  return *Address::parse(text);
}

const ContainerNetwork* find(const std::vector<ContainerNetwork>& networks,
                             const std::string& name) {
  for (const auto& network : networks)
    if (network.name == name) return &network;
  return nullptr;
}

TEST(Snapshots, NameTheEngine) {
  EXPECT_EQ(engine_title(recorded("docker-version")), "docker 20.10.24+dfsg1");
  EXPECT_EQ(engine_title(recorded("podman-version")), "podman 4.3.1");
  EXPECT_EQ(engine_name(json::array()), "docker");
}

TEST(Snapshots, ReadADockerContainer) {
  const auto proxy = read_container(recorded("docker-shop-proxy"), "docker");
  ASSERT_TRUE(proxy);
  EXPECT_EQ(proxy->name, "shop-proxy");
  EXPECT_EQ(proxy->project, "shop");
  EXPECT_EQ(proxy->service, "web");
  EXPECT_EQ(proxy->pid, 18257);
  ASSERT_EQ(proxy->attachments.size(), 1U);
  const auto& attachment = proxy->attachments.front();
  EXPECT_EQ(attachment.network, "shop-dmz");
  EXPECT_THAT(attachment.addresses, ElementsAre(ip("172.29.1.2"), ip("fd00:29:1::2")));
  EXPECT_EQ(attachment.mac, (Mac{0x02, 0x42, 0xac, 0x1d, 0x01, 0x02}));
}

TEST(Snapshots, ReadAPodmanContainer) {
  const auto proxy = read_container(recorded("podman-shop-proxy"), "podman");
  ASSERT_TRUE(proxy);
  EXPECT_EQ(proxy->name, "shop-proxy");
  EXPECT_EQ(proxy->project, "shop");
  EXPECT_EQ(proxy->pid, 20532);
  ASSERT_EQ(proxy->attachments.size(), 1U);
  EXPECT_THAT(proxy->attachments.front().addresses,
              ElementsAre(ip("172.29.2.5"), ip("fd00:29:2::5")));
}

TEST(Snapshots, ContainersThatDoNotRunAreNotThere) {
  EXPECT_FALSE(read_container(recorded("docker-idle"), "docker"));
  EXPECT_FALSE(read_container(recorded("podman-idle"), "podman"));
}

TEST(Snapshots, TheHostsNetworkGivesNoAddress) {
  for (const std::string engine : {"docker", "podman"}) {
    const auto hosted = read_container(recorded(engine + "-hosted"), engine);
    ASSERT_TRUE(hosted) << engine;
    EXPECT_EQ(hosted->network_mode, "host");
    EXPECT_TRUE(hosted->attachments.empty());
  }
}

// docker leaves the addresses to the container that has them; podman repeats them.
TEST(Snapshots, ASharedNetworkIsNamed) {
  const auto docker = read_container(recorded("docker-joined"), "docker");
  const auto podman = read_container(recorded("podman-joined"), "podman");
  ASSERT_TRUE(docker && podman);
  EXPECT_THAT(docker->network_mode, testing::StartsWith("container:"));
  EXPECT_THAT(podman->network_mode, testing::StartsWith("container:"));
  EXPECT_TRUE(docker->attachments.empty());
  EXPECT_EQ(podman->attachments.size(), 1U);
}

TEST(Snapshots, NetworksHaveTheirBridgesAndSubnets) {
  const auto docker = read_networks(recorded("docker-networks"));
  const auto* dmz = find(docker, "shop-dmz");
  const auto* bridge = find(docker, "bridge");
  ASSERT_TRUE(dmz && bridge);
  EXPECT_EQ(dmz->bridge, "br-3e03455714a3");
  EXPECT_EQ(bridge->bridge, "docker0");
  EXPECT_THAT(dmz->subnets,
              ElementsAre(*Prefix::parse("172.29.1.0/24"), *Prefix::parse("fd00:29:1::/64")));
  EXPECT_EQ(find(docker, "host")->driver, "host");

  const auto podman = read_networks(recorded("podman-networks"));
  ASSERT_NE(find(podman, "shop-dmz"), nullptr);
  ASSERT_NE(find(podman, "podman"), nullptr) << "listed as 'bridge', known as 'podman'";
  EXPECT_THAT(find(podman, "podman")->subnets, ElementsAre(*Prefix::parse("10.88.0.0/16")));
}

TEST(Snapshots, NonsenseIsNobody) {
  for (const char* text :
       {"[]", "3", "{}", R"({"State":3})", R"({"State":{"Pid":"x"}})", R"({"State":{"Pid":-1}})"})
    EXPECT_FALSE(read_container(json::parse(text), "docker")) << text;
  EXPECT_TRUE(read_networks(json::parse(R"({"message":"no"})")).empty());
  const auto odd = read_container(
      json::parse(R"({"State":{"Pid":7},"Name":[],"NetworkSettings":{"Networks":{"a":3,
                  "b":{"IPAddress":"nowhere","MacAddress":"zz"}}}})"),
      "docker");
  ASSERT_TRUE(odd);
  EXPECT_TRUE(odd->attachments.empty());
}

TEST(Snapshots, SurviveTheirLine) {
  Snapshot snapshot{.engine = "docker 20", .trouble = {}, .code = 0, .endpoints = {}};
  snapshot.endpoints.containers = {*read_container(recorded("docker-shop-proxy"), "docker")};
  snapshot.endpoints.networks = read_networks(recorded("docker-networks"));
  const std::string line = to_line(snapshot);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const auto back = from_line(line);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(*back, snapshot);
}

TEST(Snapshots, ABrokenLineIsAnError) {
  for (const char* line : {"", "{", "[]", R"({"engine":1})",
                           R"({"engine":"","trouble":"","code":0,"endpoints":{"containers":[],
                           "networks":[{"name":"","driver":"","bridge":"","subnets":["x"]}]}})"})
    EXPECT_FALSE(from_line(line)) << line;
}

TEST(EngineUrls, AreUnixSockets) {
  EXPECT_EQ(*socket_path("unix:///run/docker.sock"), "/run/docker.sock");
  for (const char* wrong : {"", "/run/docker.sock", "tcp://1.2.3.4:5", "unix://run/docker.sock"})
    EXPECT_FALSE(socket_path(wrong)) << wrong;
}

TEST(EngineUrls, NobodyThereIsEnoent) {
  const auto answer = get("/nowhere/engine.sock", "/version");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ENOENT);
  EXPECT_THAT(answer.error().message,
              HasSubstr("asking the container engine at /nowhere/engine.sock for /version"));
}

}  // namespace
}  // namespace fw::engine::test
