// SPDX-License-Identifier: GPL-2.0-only
// Which zone and identity does each address get?
#include "tests/unit/compile_model.h"

namespace fw::compile::test {
namespace {

TEST(Zones, BuiltInFirstThenByName) {
  const Image image = must_compile(podplay(), podplay_machine());
  EXPECT_EQ(image.zones, (std::vector<std::string>{"none", "host", "internet", "dmz", "internal",
                                                   "lan", "office"}));
  EXPECT_EQ(image.parameters.zones, 7U);
}

TEST(Zones, AsManyAsTheKernelCountsAndNoMore) {
  Policy policy;
  const int most = FW_ZONES_MAX - FW_ZONE_USER;
  for (int i = 0; i < most; ++i) policy.zones["z" + std::to_string(i)];
  AccountBook book;
  EXPECT_TRUE(compile(policy, {}, {}, book));
  policy.zones["one-more"];
  const auto image = compile(policy, {}, {}, book);
  ASSERT_FALSE(image);
  EXPECT_NE(image.error().message.find("at most 61"), std::string::npos) << image.error().message;
}

struct AddressCase {
  const char* name;
  const char* address;
  const char* zone;
  int flags;
  std::uint32_t ifindex;
};

class Podplay : public testing::TestWithParam<AddressCase> {};

TEST_P(Podplay, AddressIsInItsZone) {
  const Image image = must_compile(podplay(), podplay_machine());
  const fw_ident ident = ident_of(image, GetParam().address);
  EXPECT_EQ(zone_name(image, ident), GetParam().zone);
  EXPECT_EQ(int{ident.flags}, GetParam().flags);
  EXPECT_EQ(ident.ifindex, GetParam().ifindex);
  EXPECT_NE(ident.id, FW_SEL_ANY);
}

constexpr int kMember = FW_IDENT_CONTAINER | FW_IDENT_MASQUERADE;
INSTANTIATE_TEST_SUITE_P(
    Addresses, Podplay,
    testing::Values(AddressCase{"Elsewhere", "198.51.100.1", "internet", 0, 0},
                    AddressCase{"Elsewhere6", "2001:db8::1", "internet", 0, 0},
                    AddressCase{"Blocked", "203.0.113.5", "internet", 0, 0},
                    AddressCase{"Lan", "192.168.1.30", "lan", 0, 0},
                    AddressCase{"Lan6", "fd00:1::30", "lan", 0, 0},
                    AddressCase{"OwnInLan", "192.168.1.20", "host", FW_IDENT_HOST, 0},
                    AddressCase{"Loopback", "127.0.0.1", "host", FW_IDENT_HOST, 0},
                    AddressCase{"Loopback6", "::1", "host", FW_IDENT_HOST, 0},
                    AddressCase{"Gateway", "172.20.1.1", "host", FW_IDENT_HOST, 0},
                    AddressCase{"Proxy", "172.20.1.10", "dmz", kMember, 0},
                    AddressCase{"Proxy6", "fd00:dead:beef:1::10", "dmz", kMember, 0},
                    AddressCase{"DmzNeighbour", "172.20.1.77", "dmz", kMember, 0},
                    AddressCase{"Api", "172.20.2.11", "internal", kMember, 0},
                    AddressCase{"NotNamedOnItsBridge", "172.20.2.99", "none",
                                FW_IDENT_CONTAINER | FW_IDENT_UNMANAGED, 0},
                    AddressCase{"ServiceInNoZone", "10.99.0.2", "none", FW_IDENT_CONTAINER, 0},
                    AddressCase{"Office", "10.50.0.7", "office", 0, kEth1}),
    [](const auto& each) { return std::string{each.param.name}; });

TEST(Identities, ServiceInNoZoneHasOneOfItsOwn) {
  const Image image = must_compile(podplay(), podplay_machine());
  EXPECT_NE(ident_of(image, "10.99.0.2").id, ident_of(image, "172.20.2.99").id);
  EXPECT_EQ(image.identity_names.at(ident_of(image, "10.99.0.2").id), "solo");
}

TEST(Identities, ReplicasShareOneAndFamiliesToo) {
  const Image image = must_compile(podplay(), podplay_machine());
  EXPECT_EQ(ident_of(image, "172.20.2.11").id, ident_of(image, "172.20.2.12").id);
  EXPECT_EQ(ident_of(image, "172.20.1.10").id, ident_of(image, "fd00:dead:beef:1::10").id);
  EXPECT_EQ(ident_of(image, "198.51.100.1").id, ident_of(image, "2001:db8::1").id);
}

TEST(Identities, MostSpecificSubnetWins) {
  Policy policy;
  policy.zones["wide"].subnets = {cidr("10.0.0.0/8")};
  policy.zones["narrow"].subnets = {cidr("10.1.0.0/16")};
  policy.zones["inner"].subnets = {cidr("10.1.2.3")};
  const Image image = must_compile(policy, {});
  EXPECT_EQ(zone_name(image, ident_of(image, "10.0.0.1")), "wide");
  EXPECT_EQ(zone_name(image, ident_of(image, "10.1.0.1")), "narrow");
  EXPECT_EQ(zone_name(image, ident_of(image, "10.1.2.3")), "inner");
  EXPECT_EQ(zone_name(image, ident_of(image, "10.2.0.0")), "wide");
}

TEST(Identities, ListingAServiceBeatsTheSubnetAroundIt) {
  Policy policy;
  policy.zones["subnet"].subnets = {cidr("10.1.0.0/16")};
  policy.zones["listed"].services = {"db"};
  policy.services["db"] = service({"10.1.0.5"});
  const Image image = must_compile(policy, {});
  EXPECT_EQ(zone_name(image, ident_of(image, "10.1.0.5")), "listed");
}

TEST(Identities, NestedCidrsAreTold) {
  Policy policy;
  policy.zones["lan"].subnets = {cidr("10.0.0.0/8")};
  policy.rules = {allow("10.1.0.0/16", "*"), block("10.1.1.0/24", "*"), allow("10.1.1.7", "*"),
                  allow("10.3.0.0/16", "*"), allow("10.1.0.0/16", "10.3.0.0/16")};
  const Image image = must_compile(policy, {});
  const std::uint32_t a = ident_of(image, "10.1.0.1").id, b = ident_of(image, "10.1.1.1").id,
                      c = ident_of(image, "10.1.1.7").id, d = ident_of(image, "10.3.0.1").id;
  EXPECT_EQ((std::set<std::uint32_t>{a, b, c, d, ident_of(image, "10.0.0.1").id}.size()), 5U);
  // 10.1.0.0/16 stands for its own identity and for those of the prefixes inside it.
  for (const std::uint32_t id : {a, b, c}) {
    EXPECT_TRUE(entry_at(image, {id, d, FW_PORTS_ANY}));
    EXPECT_TRUE(entry_at(image, {id, FW_SEL_ANY, FW_PORTS_ANY}));
  }
  EXPECT_EQ(entry_at(image, {a, FW_SEL_ANY, 0})->verdict, FW_ALLOW);
  EXPECT_EQ(entry_at(image, {b, FW_SEL_ANY, 0})->verdict, FW_BLOCK);
  EXPECT_EQ(entry_at(image, {c, FW_SEL_ANY, 0})->verdict, FW_BLOCK);
  EXPECT_FALSE(entry_at(image, {a, c, 0}));
  EXPECT_EQ(image.identity_names.at(b), "10.1.1.0/24");
}

TEST(Identities, WholeFamilyIsEveryIdentityOfThatFamilyOnly) {
  Policy policy = podplay();
  policy.rules = {block("0.0.0.0/0", "zone:lan")};
  const Image image = must_compile(policy, podplay_machine());
  const std::uint32_t lan = FW_SEL_ZONE | 5U;
  for (const char* address : {"8.8.8.8", "192.168.1.2", "172.20.2.20", "192.168.1.20"})
    EXPECT_TRUE(entry_at(image, {ident_of(image, address).id, lan, 0})) << address;
  for (const char* address : {"2001:db8::1", "fd00:1::2", "::1"})
    EXPECT_FALSE(entry_at(image, {ident_of(image, address).id, lan, 0})) << address;
}

TEST(Identities, ExplicitSubnetBeatsTheInterfaceButKeepsItsIfindex) {
  Policy policy;
  policy.zones["office"].interfaces = {"eth1"};
  policy.zones["guests"].subnets = {cidr("10.50.0.128/25")};
  policy.zones["wide"].subnets = {cidr("10.0.0.0/8")};
  const Image image = must_compile(policy, podplay_machine());
  EXPECT_EQ(zone_name(image, ident_of(image, "10.50.0.7")), "office");
  EXPECT_EQ(zone_name(image, ident_of(image, "10.50.0.200")), "guests");
  EXPECT_EQ(ident_of(image, "10.50.0.200").ifindex, kEth1);
  EXPECT_EQ(zone_name(image, ident_of(image, "10.51.0.1")), "wide");
  EXPECT_EQ(ident_of(image, "10.51.0.1").ifindex, 0U);
}

TEST(Identities, NetworkOfAnotherInterfaceInsideAContainersIsNoContainer) {
  Policy policy;
  policy.services["app"] = service({"10.0.0.9"});
  const Image image =
      must_compile(policy, machine({interface(2, "eth0", "", {"10.7.0.2/16"}),
                                    interface(3, "br0", "bridge", {"10.0.0.1/8"})}));
  EXPECT_EQ(int{ident_of(image, "10.0.0.9").flags}, FW_IDENT_CONTAINER);
  EXPECT_EQ(zone_name(image, ident_of(image, "10.8.0.1")), "none");
  EXPECT_EQ(int{ident_of(image, "10.7.0.9").flags}, 0);
  EXPECT_EQ(zone_name(image, ident_of(image, "10.7.0.9")), "internet");
}

TEST(Identities, MasqueradeFollowsThePolicyThenTheContainers) {
  Policy policy = podplay();
  const auto masqueraded = [&](const char* address) {
    const Image image = must_compile(policy, podplay_machine());
    return (ident_of(image, address).flags & FW_IDENT_MASQUERADE) != 0;
  };
  EXPECT_TRUE(masqueraded("172.20.1.10"));
  EXPECT_TRUE(masqueraded("172.20.2.20"));
  EXPECT_FALSE(masqueraded("10.50.0.7"));
  EXPECT_FALSE(masqueraded("192.168.1.5"));
  policy.zones["internal"].masquerade = false;
  policy.zones["office"].masquerade = true;
  EXPECT_FALSE(masqueraded("172.20.2.20"));
  EXPECT_TRUE(masqueraded("10.50.0.7"));
}

TEST(Identities, TableIsAscendingAndHasNoRedundantPrefix) {
  Policy policy;
  policy.zones["lan"].subnets = {cidr("10.0.0.0/8"), cidr("10.1.0.0/16")};
  const Image image = must_compile(policy, {});
  std::vector<std::string> prefixes;
  for (const auto& [prefix, ident] : image.identities) prefixes.push_back(prefix.to_string());
  EXPECT_EQ(prefixes, (std::vector<std::string>{"::/0", "0.0.0.0/0", "10.0.0.0/8"}));
}

}  // namespace
}  // namespace fw::compile::test
