// SPDX-License-Identifier: GPL-2.0-only
// Which doors does a machine have, who gets to them, and does the policy name them?
#include "loader/exposure/exposure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ctl/verbs.h"
#include "loader/compile/check.h"
#include "tests/unit/compile_model.h"

namespace fw::exposure {
namespace {

using compile::test::ip;
using control::ExposedDoor;
using control::ExposureReport;
using inventory::Inventory;
using inventory::Listener;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Listener listener(const char* address, std::uint16_t port, const char* name = "server",
                  Proto proto = Proto::kTcp) {
  return {proto, ip(address), false, port, "", {{700 + port, name, "", ""}}};
}

// `docker run --name web -p HOST:8080:80`, as docker 20.10 tells of it, with its proxy and its
// rule.
void publish_web(Inventory& inventory, const char* host = nullptr) {
  const inventory::PublishedPort port{
      "web", std::string(64, 'a'), "docker", {ip("172.20.1.10")}, Proto::kTcp,
      {},    {8080, 8080},         {80, 80}};
  for (const char* any : {"0.0.0.0", "::"}) {
    inventory.published.push_back(port);
    inventory.published.back().address = ip(host != nullptr ? host : any);
    inventory.listeners.push_back(listener(host != nullptr ? host : any, 8080, "docker-proxy"));
  }
  inventory.redirects.push_back({"ip nat DOCKER handle 4",
                                 Family::kIpv4,
                                 host != nullptr ? std::optional{ip(host)} : std::nullopt,
                                 "",
                                 Proto::kTcp,
                                 {8080, 8080},
                                 ""});
}

// The tests' usual machine; eth0 has 192.168.1.20 and fd00:1::20.
class Exposed : public testing::Test {
 protected:
  ExposureReport without_policy() { return expose(inventory_, machine_, nullptr); }

  ExposureReport with(const std::string& policy, bool enforced = true,
                      const std::set<std::string>& unattached = {}) {
    const auto checked =
        compile::check({{{"shop.yaml", "version: 1\n" + policy}}, {}}, config::Time{});
    EXPECT_TRUE(checked.policy) << (checked.diagnostics.empty()
                                        ? ""
                                        : config::to_string(checked.diagnostics.front()));
    if (!checked.policy) return {};
    const auto compiled = explain::Compiled::of(*checked.policy, machine_);
    EXPECT_TRUE(compiled);
    const Guard guard{compiled->world(), enforced, unattached};
    return expose(inventory_, machine_, &guard);
  }

  Inventory inventory_;
  Topology machine_ = [] {
    auto machine = compile::test::podplay_machine();
    return machine;
  }();
};

// Every interface of the machine is fwd's.
constexpr const char* kGuarded = R"(host: {uplinks: [eth0]}
zones:
  lan: {subnets: [192.168.1.0/24, "fd00:1::/64"]}
  dmz: {subnets: [172.20.1.0/24, "fd00:dead:beef:1::/64"]}
  int: {subnets: [172.20.2.0/24]}
  office: {interfaces: [eth1]}
  solo: {subnets: [10.99.0.0/30]}
services:
  web: {addresses: [172.20.1.10], ports: {http: 80}}
)";

TEST_F(Exposed, WithoutAPolicyEverythingIsReachableAndUndeclared) {
  inventory_.listeners = {listener("0.0.0.0", 22, "sshd"), listener("127.0.0.1", 631, "cupsd")};
  const auto report = without_policy();
  EXPECT_EQ(report.undeclared, 1U);
  EXPECT_EQ(report.local, 1U);
  EXPECT_FALSE(report.enforced);
  ASSERT_EQ(report.doors.size(), 2U);
  EXPECT_EQ(report.doors[0].address, "0.0.0.0");
  EXPECT_TRUE(report.doors[0].reachable);
  EXPECT_THAT(report.doors[0].declare, ElementsAre("allow:", "  - internet -> host:22/tcp"));
  EXPECT_THAT(report.doors[0].close, HasSubstr("stop sshd"));
  EXPECT_TRUE(report.doors[1].local);
  EXPECT_THAT(report.doors[1].declare, IsEmpty());
}

TEST_F(Exposed, BothFamiliesAndAllThatOpensItAreOneDoor) {
  publish_web(inventory_);
  const auto report = without_policy();
  ASSERT_EQ(report.doors.size(), 1U);
  const ExposedDoor& door = report.doors[0];
  EXPECT_EQ(door.address, "*");
  EXPECT_EQ(door.port, 8080);
  ASSERT_EQ(door.opened_by.size(), 3U);
  EXPECT_EQ(door.opened_by[0].text, "docker container web -> 80");
  EXPECT_EQ(door.opened_by[1].text, "nft ip nat DOCKER handle 4");
  EXPECT_EQ(door.opened_by[2].text, "docker-proxy (pid 8780)");
  EXPECT_THAT(door.declare,
              ElementsAre("services:", "  web: {container: web, ports: {p80: 80/tcp}}",
                          "publish:", "  web: {host: 8080, to: web:80, from: internet}"));
  EXPECT_THAT(door.close, HasSubstr("-p 127.0.0.1:8080:80"));
}

TEST_F(Exposed, APublishedPortThatThePolicyDoesNotNameIsDeniedAndUndeclared) {
  publish_web(inventory_);
  const auto report = with(kGuarded);
  EXPECT_EQ(report.undeclared, 1U);
  const ExposedDoor& door = report.doors[0];
  EXPECT_FALSE(door.declared);
  EXPECT_FALSE(door.reachable);
  EXPECT_EQ(door.denied, "NOT_PUBLISHED");
  EXPECT_THAT(door.declare,
              ElementsAre("publish:", "  web: {host: 8080, to: web:80, from: internet}"))
      << "the policy has a service of that address already";
}

TEST_F(Exposed, ADoorOfThePolicyDeclaresIt) {
  publish_web(inventory_);
  const auto report =
      with(kGuarded + std::string{"publish: {http: {host: 8080, to: web:http, from: lan}}\n"});
  EXPECT_EQ(report.undeclared, 0U);
  ASSERT_EQ(report.doors.size(), 1U);
  EXPECT_THAT(report.doors[0].from, ElementsAre("lan"));
  ASSERT_TRUE(report.doors[0].declared_by);
  EXPECT_EQ(report.doors[0].declared_by->text, "http: host:8080/tcp -> web:80");
  EXPECT_EQ(report.doors[0].declared_by->line, 11);
  EXPECT_EQ(report.doors[0].opened_by.front().text, "publish 'http' (shop.yaml:11)");
}

// The policy speaks of one address, docker of all.
TEST_F(Exposed, ADoorOnOneAddressDoesNotDeclareThemAll) {
  publish_web(inventory_);
  const auto report = with(
      kGuarded +
      std::string{"publish: {http: {host: \"192.168.1.20:8080\", to: web:http, from: lan}}\n"});
  EXPECT_EQ(report.declared, 1U);
  EXPECT_EQ(report.undeclared, 1U);
  EXPECT_EQ(report.doors[0].address, "*");
  EXPECT_EQ(report.doors[1].address, "192.168.1.20");
}

TEST_F(Exposed, OnLoopbackIsForThisMachineOnly) {
  publish_web(inventory_, "127.0.0.1");
  const auto report = without_policy();
  EXPECT_EQ(report.undeclared, 0U);
  EXPECT_EQ(report.local, 1U);
}

TEST_F(Exposed, ARuleNamesAPortOnlyIfItSaysThePort) {
  inventory_.listeners = {listener("0.0.0.0", 22, "sshd"), listener("0.0.0.0", 5432, "postgres")};
  const auto report = with(kGuarded + std::string{"allow: [lan -> host, office -> host:22]\n"});
  EXPECT_EQ(report.declared, 1U);
  EXPECT_EQ(report.doors[0].port, 5432);
  EXPECT_THAT(report.doors[0].from, ElementsAre("lan"));
  EXPECT_THAT(report.doors[0].declare, ElementsAre("allow:", "  - lan -> host:5432/tcp"));
  EXPECT_EQ(report.doors[1].port, 22);
  EXPECT_THAT(report.doors[1].from, ElementsAre("lan", "office"));
}

TEST_F(Exposed, AdminBlocksForAllAndServicesOfTheHostNamePorts) {
  inventory_.listeners = {listener("0.0.0.0", 22), listener("0.0.0.0", 23),
                          listener("0.0.0.0", 53, "dnsmasq", Proto::kUdp)};
  const auto report = with(R"(host: {uplinks: [eth0], admin: ["192.168.1.0/24 -> host:22"]}
services: {dns: {host: true, ports: {dns: 53/udp}}}
block: ["* -> host:23"]
)");
  EXPECT_EQ(report.undeclared, 0U);
  EXPECT_EQ(report.declared, 3U);
}

TEST_F(Exposed, AnInterfaceWithoutFwdLetsAnybodyIn) {
  inventory_.listeners = {listener("0.0.0.0", 5432, "postgres")};
  const auto report = with("host: {uplinks: [eth0]}\n");
  EXPECT_TRUE(report.doors[0].reachable);
  EXPECT_THAT(report.doors[0].from, IsEmpty());
  EXPECT_THAT(report.doors[0].unguarded, ElementsAre("br-dmz", "br-int", "eth1", "veth-solo"));
  const auto unattached = with(kGuarded, true, {"eth0"});
  EXPECT_THAT(unattached.doors[0].unguarded, ElementsAre("eth0"));
}

TEST_F(Exposed, APolicyThatIsNotEnforcedKeepsNobodyOut) {
  inventory_.listeners = {listener("0.0.0.0", 22)};
  const auto report = with(kGuarded + std::string{"allow: [lan -> host:22]\n"}, false);
  EXPECT_TRUE(report.doors[0].reachable);
  EXPECT_TRUE(report.doors[0].declared);
  EXPECT_FALSE(report.enforced);
}

TEST_F(Exposed, ListenersInAPublishedRangeBelongToIt) {
  inventory_.published.push_back(
      {"rtp", "", "docker", {}, Proto::kUdp, ip("0.0.0.0"), {30000, 30100}, {30000, 30100}});
  for (std::uint16_t port = 30000; port <= 30100; ++port)
    inventory_.listeners.push_back(listener("0.0.0.0", port, "docker-proxy", Proto::kUdp));
  const auto report = without_policy();
  ASSERT_EQ(report.doors.size(), 1U);
  EXPECT_EQ(report.doors[0].last_port, 30100);
  EXPECT_THAT(report.doors[0].opened_by.back().text, HasSubstr("and 98 more"));
}

// One rule for all ports says nothing of who listens.
TEST_F(Exposed, ARedirectOfEveryPortHidesNoListener) {
  inventory_.listeners = {listener("0.0.0.0", 22)};
  inventory_.redirects.push_back(
      {"inet t pre handle 1", {}, {}, "", Proto::kTcp, {1, 65535}, "10.0.0.9"});
  EXPECT_EQ(without_policy().doors.size(), 2U);
}

TEST_F(Exposed, IsReadableAndEndsWithTheCounts) {
  publish_web(inventory_);
  inventory_.listeners.push_back(listener("127.0.0.1", 631, "cupsd"));
  auto report = with(kGuarded);
  report.policy = "shop@1";
  const auto text = ctl::render(report, {});
  EXPECT_THAT(text,
              HasSubstr("*:8080/tcp         no        nobody: denied by fwd (NOT_PUBLISHED)"));
  EXPECT_THAT(text, HasSubstr("not declared by shop@1\n"));
  EXPECT_TRUE(text.ends_with("\n1 door, 0 declared, 1 undeclared; 1 more for this machine only\n"))
      << text;
  const auto back = control::from_json<ExposureReport>(control::to_json(report));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(*back, report);
}

}  // namespace
}  // namespace fw::exposure
