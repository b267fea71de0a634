// SPDX-License-Identifier: GPL-2.0-only
// Names of containers and networks -> addresses and subnets, while the kernel has their veths.
#include <gmock/gmock.h>

#include "loader/compile/bind.h"
#include "loader/compile/check.h"
#include "tests/unit/compile_model.h"

namespace fw::compile::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int32_t kProxyPid = 100, kApiPid = 101;

Container container(const std::string& name, std::int32_t pid, const std::string& network,
                    const std::string& address) {
  Container made;
  made.name = name;
  made.pid = pid;
  made.network_mode = network;
  made.attachments = {{network, {ip(address)}, {6, 0, 0, 0, 0, 42}}};
  return made;
}

// Two networks of an engine: dmz on br-dmz (with a name), int on br-int (by its subnet).
Endpoints engine() {
  Endpoints endpoints;
  endpoints.networks = {{"shop-dmz", "bridge", "br-dmz", {cidr("172.20.1.0/24")}},
                        {"shop-int", "bridge", "br-whatever", {cidr("172.20.2.0/24")}},
                        {"wan", "macvlan", "", {cidr("192.168.1.0/24")}}};
  endpoints.containers = {container("shop-proxy", kProxyPid, "shop-dmz", "172.20.1.77"),
                          container("shop-api-1", kApiPid, "shop-int", "172.20.2.78")};
  endpoints.containers[1].project = "shop";
  endpoints.containers[1].service = "api";
  return endpoints;
}

Topology machine_with_engine() {
  Topology topology = podplay_machine();
  topology.neighbours.clear();
  topology.interfaces[kVethProxy].peer_namespace = 5;
  topology.interfaces[kVethApi].peer_namespace = 6;
  topology.namespaces = {{kProxyPid, 5}, {kApiPid, 6}};
  return topology;
}

Policy by_name() {
  Policy policy;
  policy.host.uplinks = {"eth0"};
  policy.zones["dmz"].networks = {"shop-dmz"};
  policy.services["proxy"].container = "shop-proxy";
  policy.services["api"].compose = config::ComposeRef{"shop", "api"};
  return policy;
}

TEST(Bind, GivesServicesTheAddressesOfTheirContainers) {
  const Bound bound = bind(by_name(), machine_with_engine(), engine());
  EXPECT_THAT(bound.policy.services.at("proxy").addresses, ElementsAre(ip("172.20.1.77")));
  EXPECT_THAT(bound.policy.services.at("api").addresses, ElementsAre(ip("172.20.2.78")));
  EXPECT_THAT(bound.policy.zones.at("dmz").subnets, ElementsAre(cidr("172.20.1.0/24")));
  EXPECT_THAT(bound.troubles, IsEmpty());
  for (const Member& member : bound.members) EXPECT_EQ(member.why, "") << member.container;
}

TEST(Bind, KnowsTheVethBeforeTheContainerSpeaks) {
  const Bound bound = bind(by_name(), machine_with_engine(), engine());
  const Placement placement = place(bound.policy, bound.topology);
  const fw_endpoint& proxy = placement.endpoints.at(ip("172.20.1.77"));
  EXPECT_EQ(proxy.ifindex, kVethProxy);
  EXPECT_EQ(proxy.mac[5], 42);
}

TEST(Bind, EveryBridgeOfAnEngineIsGuarded) {
  const Bound bound = bind(Policy{}, machine_with_engine(), engine());
  const Placement placement = place(bound.policy, bound.topology);
  for (const std::uint32_t index : {kBrDmz, kBrInt, kVethProxy, kVethApi, kVethDb})
    EXPECT_EQ(placement.interfaces.at(index).role, FW_ROLE_CONTAINER) << index;
  EXPECT_FALSE(placement.interfaces.contains(kVethSolo));
  EXPECT_FALSE(placement.interfaces.contains(kEth0));
  const Image image = must_compile(bound.policy, bound.topology);
  EXPECT_TRUE(ident_of(image, "172.20.2.99").flags & FW_IDENT_UNMANAGED);
}

TEST(Bind, AContainerWhoseVethIsGoneHasNoAddress) {
  Topology topology = machine_with_engine();
  topology.namespaces.erase(kProxyPid);
  const Bound bound = bind(by_name(), topology, engine());
  EXPECT_THAT(bound.policy.services.at("proxy").addresses, IsEmpty());
  EXPECT_THAT(bound.members.front().why, HasSubstr("no veth of this machine leads to it"));
  EXPECT_THAT(bound.troubles, ElementsAre("service 'proxy' has no container at the moment"));
}

// The next container has the address, the engine still tells of the last one.
TEST(Bind, NobodyInheritsAnAddress) {
  Topology topology = machine_with_engine();
  topology.namespaces[kProxyPid] = 9;  // which no veth leads to
  const Bound bound = bind(by_name(), topology, engine());
  EXPECT_THAT(bound.policy.services.at("proxy").addresses, IsEmpty());
  EXPECT_FALSE(bound.topology.neighbours.contains(ip("172.20.1.77")));
}

TEST(Bind, ReplicasAreOneService) {
  Endpoints endpoints = engine();
  endpoints.containers.push_back(endpoints.containers[1]);
  endpoints.containers.back().name = "shop-api-2";
  endpoints.containers.back().pid = 102;
  endpoints.containers.back().attachments[0].addresses = {ip("172.20.2.12")};
  Topology topology = machine_with_engine();
  topology.interfaces[kVethDb].peer_namespace = 7;
  topology.namespaces[102] = 7;
  EXPECT_THAT(bind(by_name(), topology, endpoints).policy.services.at("api").addresses,
              ElementsAre(ip("172.20.2.12"), ip("172.20.2.78")));
}

TEST(Bind, AContainerThatTwoZonesClaimIsInNeither) {
  Policy policy = by_name();
  policy.services["web"].container = "shop-api-1";
  policy.zones["front"].services = {"web"};
  policy.zones["back"].services = {"api"};
  const Bound bound = bind(policy, machine_with_engine(), engine());
  EXPECT_THAT(bound.policy.services.at("api").addresses, IsEmpty());
  EXPECT_THAT(bound.policy.services.at("web").addresses, IsEmpty());
  EXPECT_THAT(bound.members.back().why, HasSubstr("are in different zones (back, front)"));
}

TEST(Bind, SaysWhyAContainerIsNotEnforced) {
  Endpoints endpoints = engine();
  endpoints.containers = {container("scraper", 100, "wan", "192.168.1.44"),
                          container("agent", 101, "host", "1.2.3.4"),
                          container("sidecar", 102, "container:abc", "1.2.3.4")};
  endpoints.containers[1].attachments.clear();
  endpoints.containers[2].attachments.clear();
  const Bound bound = bind(by_name(), machine_with_engine(), endpoints);
  ASSERT_EQ(bound.members.size(), 3U);
  EXPECT_THAT(bound.members[0].why, HasSubstr("driver macvlan"));
  EXPECT_THAT(bound.members[1].why, HasSubstr("the host's own network"));
  EXPECT_THAT(bound.members[2].why, HasSubstr("shares the network of another"));
}

TEST(Bind, ASubnetThatAZoneWritesStaysItsOwn) {
  Policy policy = by_name();
  policy.zones["mine"].subnets = {cidr("172.20.1.0/24")};
  const Bound bound = bind(policy, machine_with_engine(), engine());
  EXPECT_THAT(bound.policy.zones.at("dmz").subnets, IsEmpty());
}

TEST(Bind, SaysWhatNoEngineKnows) {
  const Bound bound = bind(by_name(), machine_with_engine(), Endpoints{});
  EXPECT_THAT(bound.troubles, Contains(HasSubstr("the network 'shop-dmz', which a zone names")));
  EXPECT_THAT(bound.troubles, Contains("service 'api' has no container at the moment"));
}

// --- without a machine

TEST(AssumedMembers, AreTheSameInTwoPolicies) {
  Policy other = by_name();
  other.services["another"].container = "x";
  other.zones["more"].networks = {"y"};
  const Policy first = with_assumed_members(by_name());
  const Policy second = with_assumed_members(other);
  for (const char* name : {"proxy", "api"}) {
    EXPECT_EQ(first.services.at(name).addresses.size(), 2U);
    EXPECT_EQ(first.services.at(name).addresses, second.services.at(name).addresses);
  }
  EXPECT_EQ(first.zones.at("dmz").subnets, second.zones.at("dmz").subnets);
  EXPECT_NE(first.services.at("proxy").addresses, first.services.at("api").addresses);
}

CheckedPolicy checked(const std::string& tests) {
  const std::string text = R"(version: 1
host: {uplinks: [eth0]}
zones:
  lan: {subnets: [192.168.1.0/24]}
  dmz: {networks: [shop-dmz]}
  inner: {services: [api]}
services:
  proxy: {container: shop-proxy, ports: {http: 80}}
  api: {compose: shop/api, ports: {http: 8000}}
publish:
  http: {host: 8080, to: proxy:http, from: lan}
allow:
  - proxy -> api:http
  - dmz -> internet:443
tests:
)" + tests;
  return check({{{"fwd.yaml", text}}, {}}, config::Time{});
}

TEST(AssumedMembers, AnswerThePolicysTests) {
  EXPECT_TRUE(checked("  - {name: a, from: lan, allow: [host:8080, proxy:http], deny: [api]}\n"
                      "  - {name: b, from: proxy, allow: [api:http]}\n"
                      "  - {name: c, from: dmz, allow: [internet:443], deny: [api]}\n")
                  .accepted());
  EXPECT_FALSE(checked("  - {name: a, from: lan, allow: [api:http]}\n").accepted());
  EXPECT_FALSE(checked("  - {name: a, from: internet, allow: [host:8080]}\n").accepted());
}

}  // namespace
}  // namespace fw::compile::test
