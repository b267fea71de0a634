// SPDX-License-Identifier: GPL-2.0-only
// Which interface plays which role, and where are the containers?
#include <arpa/inet.h>

#include "tests/unit/compile_model.h"

namespace fw::compile::test {
namespace {

std::string mac_of(const unsigned char (&mac)[6]) {
  return std::to_string(mac[0]) + ":" + std::to_string(mac[5]);
}

TEST(Place, RolesOfThePodplayMachine) {
  const Placement placement = place(podplay(), podplay_machine());
  const auto role = [&](std::uint32_t index) {
    const auto found = placement.interfaces.find(index);
    return found == placement.interfaces.end() ? 0 : int{found->second.role};
  };
  EXPECT_EQ(role(1), 0);
  EXPECT_EQ(role(kEth0), FW_ROLE_UPLINK);
  EXPECT_EQ(role(kEth1), FW_ROLE_LAN);
  for (const std::uint32_t index : {kBrDmz, kBrInt, kVethProxy, kVethApi, kVethDb, kVethSolo})
    EXPECT_EQ(role(index), FW_ROLE_CONTAINER) << index;
  EXPECT_EQ(placement.interfaces.at(kEth0).zone, FW_ZONE_INTERNET);
  EXPECT_EQ(placement.interfaces.at(kEth1).zone, 6);  // office
  EXPECT_EQ(placement.interfaces.at(kBrDmz).zone, FW_ZONE_NONE);
}

TEST(Place, PortOfABridgeShowsTheBridgesFace) {
  const Placement placement = place(podplay(), podplay_machine());
  const fw_iface& port = placement.interfaces.at(kVethProxy);
  EXPECT_EQ(port.bridge, kBrDmz);
  EXPECT_EQ(mac_of(port.mac), "2:3");
  EXPECT_EQ(port.addr4, ip("172.20.1.1").ipv4_be());
  EXPECT_EQ(Address::from_abi(port.addr6), ip("fd00:dead:beef:1::1"));
  EXPECT_EQ(placement.interfaces.at(kBrDmz).bridge, 0U);
  EXPECT_EQ(placement.interfaces.at(kVethSolo).bridge, 0U);
}

TEST(Place, MasqueradeAddressIsTheFirstGlobalOne) {
  const Placement placement = place(podplay(), podplay_machine());
  const fw_iface& uplink = placement.interfaces.at(kEth0);
  EXPECT_EQ(uplink.addr4, ip("192.168.1.20").ipv4_be());
  EXPECT_EQ(Address::from_abi(uplink.addr6), ip("fd00:1::20"));
}

TEST(Place, EndpointBehindABridgeIsAtItsPort) {
  const Placement placement = place(podplay(), podplay_machine());
  const fw_endpoint& proxy = placement.endpoints.at(ip("172.20.1.10"));
  EXPECT_EQ(proxy.ifindex, kVethProxy);
  EXPECT_EQ(mac_of(proxy.mac), "6:10");
  EXPECT_EQ(mac_of(proxy.gw_mac), "2:3");
  EXPECT_EQ(proxy.mtu, 1500);
  EXPECT_EQ(placement.endpoints.at(ip("fd00:dead:beef:1::10")).ifindex, kVethProxy);
}

TEST(Place, EndpointOnAVethOfItsOwn) {
  const Placement placement = place(podplay(), podplay_machine());
  const fw_endpoint& solo = placement.endpoints.at(ip("10.99.0.2"));
  EXPECT_EQ(solo.ifindex, kVethSolo);
  EXPECT_EQ(mac_of(solo.gw_mac), "2:9");
}

TEST(Place, NoEndpointBeforeItsNeighbourIsKnown) {
  Topology topology = podplay_machine();
  topology.neighbours.erase(ip("172.20.2.20"));
  topology.neighbours[ip("172.20.2.11")].port = 0;
  const Placement placement = place(podplay(), topology);
  EXPECT_FALSE(placement.endpoints.contains(ip("172.20.2.20")));
  EXPECT_FALSE(placement.endpoints.contains(ip("172.20.2.11")));
  EXPECT_FALSE(placement.endpoints.contains(ip("172.20.2.12")));
}

TEST(Place, ServiceOnAnUplinkIsNoContainer) {
  Policy policy;
  policy.host.uplinks = {"wan", "lan"};
  policy.services["web"] = service({"192.168.1.20"});
  Topology topology = machine({interface(2, "wan", "veth", {"198.51.100.2/24"}),
                               interface(3, "lan", "veth", {"192.168.1.1/24"})});
  topology.neighbours[ip("192.168.1.20")] = {3, 0, {6, 0, 0, 0, 0, 1}};
  const Placement placement = place(policy, topology);
  EXPECT_EQ(placement.interfaces.at(3).role, FW_ROLE_UPLINK);
  EXPECT_TRUE(placement.endpoints.empty());
}

TEST(Place, ZoneSubnetAroundABridgeMakesItAContainers) {
  Policy policy;
  policy.zones["pods"].subnets = {cidr("172.20.0.0/16")};
  const Placement placement = place(policy, podplay_machine());
  EXPECT_TRUE(placement.interfaces.contains(kBrDmz));
  EXPECT_TRUE(placement.interfaces.contains(kBrInt));
  EXPECT_TRUE(placement.interfaces.contains(kVethDb));
  EXPECT_FALSE(placement.interfaces.contains(kVethSolo));
  EXPECT_FALSE(placement.interfaces.contains(kEth0));
}

TEST(Place, SubnetNarrowerThanTheBridgeDoesNot) {
  Policy policy;
  policy.zones["pods"].subnets = {cidr("172.20.1.0/25")};
  EXPECT_TRUE(place(policy, podplay_machine()).interfaces.empty());
}

TEST(Place, OtherPortsOfTheBridgeStayOut) {
  Topology topology = podplay_machine();
  topology.interfaces[20] = interface(20, "eth9", "", {}, kBrDmz);
  EXPECT_FALSE(place(podplay(), topology).interfaces.contains(20));
}

TEST(Place, MissingInterfaceIsLeftOut) {
  Policy policy = podplay();
  policy.host.uplinks.push_back("ppp0");
  EXPECT_EQ(place(policy, podplay_machine()), place(podplay(), podplay_machine()));
}

TEST(Place, VlanInterfacesThatAreGuardedTakeTheirFrames) {
  Policy policy;
  policy.host.uplinks = {"eth0", "eth0.5"};
  Topology topology = machine({interface(2, "eth0", "", {"192.168.1.20/24"}),
                               interface(3, "eth0.5", "vlan", {"10.0.5.1/24"}),
                               interface(4, "eth0.6", "vlan", {"10.0.6.1/24"})});
  topology.interfaces[3].vlan = {.link = 2, .protocol = 0x8100, .id = 5};
  topology.interfaces[4].vlan = {.link = 2, .protocol = 0x8100, .id = 6};
  const std::map<VlanTag, std::uint32_t> want = {{{2, 0x8100, 5}, 3}};
  EXPECT_EQ(place(policy, topology).vlans, want);
}

TEST(Place, LargeMtuIsCapped) {
  Topology topology = podplay_machine();
  topology.interfaces[kEth0].mtu = 65536;
  topology.interfaces[kEth1].mtu = 9000;
  const Placement placement = place(podplay(), topology);
  EXPECT_EQ(placement.interfaces.at(kEth0).mtu, 65535);
  EXPECT_EQ(placement.interfaces.at(kEth1).mtu, 9000);
}

TEST(Place, ComparesByteForByte) {
  const Placement one = place(podplay(), podplay_machine());
  Placement other = one;
  EXPECT_EQ(one, other);
  other.endpoints.begin()->second.mac[5] ^= 1;
  EXPECT_FALSE(one == other);
}

}  // namespace
}  // namespace fw::compile::test
