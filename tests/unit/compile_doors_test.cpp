// SPDX-License-Identifier: GPL-2.0-only
// What does `publish` become?
#include "loader/compile/doors.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "tests/unit/compile_model.h"

namespace fw::compile::test {
namespace {

const fw_door* door_at(const Image& image, const char* address, std::uint16_t port,
                       std::uint8_t proto = IPPROTO_TCP, Family family = Family::kIpv4) {
  fw_door_key wanted{};
  if (*address != '\0') wanted.addr = ip(address).to_abi();
  wanted.port = htons(port);
  wanted.proto = proto;
  wanted.family = static_cast<std::uint8_t>(family);
  for (const auto& [key, door] : image.doors)
    if (std::memcmp(&key, &wanted, sizeof(key)) == 0) return &door;
  return nullptr;
}

std::set<std::string> pool_of(const Image& image, const fw_pool& pool) {
  std::set<std::string> addresses;
  for (std::uint32_t i = pool.first; i < pool.first + pool.size; ++i)
    addresses.insert(Address::from_abi(image.maglev.at(i).addr).to_string());
  return addresses;
}

TEST(Doors, WithoutAddressOpenBothFamilies) {
  const Image image = must_compile(podplay(), podplay_machine());
  const auto* four = door_at(image, "", 8080);
  const auto* six = door_at(image, "", 8080, IPPROTO_TCP, Family::kIpv6);
  ASSERT_TRUE(four && six);
  EXPECT_EQ(four->selector, FW_SEL_DOOR | 1U);
  EXPECT_EQ(six->selector, four->selector);
  EXPECT_EQ(ntohs(four->port), 80);
  EXPECT_EQ(pool_of(image, four->pool), (std::set<std::string>{"172.20.1.10"}));
  EXPECT_EQ(pool_of(image, six->pool), (std::set<std::string>{"fd00:dead:beef:1::10"}));
}

TEST(Doors, WithAnAddressOpenOnlyThatFamily) {
  const Image image = must_compile(podplay(), podplay_machine());
  const auto* local = door_at(image, "127.0.0.1", 8000);
  ASSERT_TRUE(local);
  EXPECT_EQ(local->pool.size, 1021U);
  EXPECT_EQ(pool_of(image, local->pool), (std::set<std::string>{"172.20.2.11", "172.20.2.12"}));
  EXPECT_FALSE(door_at(image, "", 8000));
  EXPECT_FALSE(door_at(image, "", 8000, IPPROTO_TCP, Family::kIpv6));
}

TEST(Doors, OfTheHostItselfHaveNoPool) {
  const Image image = must_compile(podplay(), podplay_machine());
  const auto* names = door_at(image, "", 5353);
  ASSERT_TRUE(names);
  EXPECT_EQ(names->flags, FW_DOOR_LOCAL | FW_DOOR_OWN);
  EXPECT_EQ(names->pool.size, 0U);
  EXPECT_EQ(ntohs(names->port), 53);
}

TEST(Doors, BackendsOfOneFamilyOnlyLeaveTheOtherEmpty) {
  Policy policy = podplay();
  policy.doors["http"].service = "db";
  const Image image = must_compile(policy, podplay_machine());
  EXPECT_EQ(door_at(image, "", 8080)->pool.size, 1U);
  EXPECT_EQ(door_at(image, "", 8080, IPPROTO_TCP, Family::kIpv6)->pool.size, 0U);
  EXPECT_EQ(door_at(image, "", 8080, IPPROTO_TCP, Family::kIpv6)->flags, FW_DOOR_OWN);
}

TEST(Doors, RangeIsMappedOneToOne) {
  Policy policy = podplay();
  policy.doors["http"].mappings = {{Proto::kUdp, {30000, 30100}, {40000, 40100}}};
  const Image image = must_compile(policy, podplay_machine());
  EXPECT_EQ(ntohs(door_at(image, "", 30000, IPPROTO_UDP)->port), 40000);
  EXPECT_EQ(ntohs(door_at(image, "", 30057, IPPROTO_UDP)->port), 40057);
  EXPECT_EQ(ntohs(door_at(image, "", 30100, IPPROTO_UDP)->port), 40100);
  EXPECT_FALSE(door_at(image, "", 29999, IPPROTO_UDP));
  EXPECT_FALSE(door_at(image, "", 30101, IPPROTO_UDP));
  EXPECT_FALSE(door_at(image, "", 30000, IPPROTO_TCP));
}

TEST(Doors, OfOneServiceShareItsTable) {
  Policy policy = podplay();
  policy.doors["second"] = door(8081, "api", 8001, {"internet"});
  const Image image = must_compile(policy, podplay_machine());
  const auto* first = door_at(image, "127.0.0.1", 8000);
  const auto* second = door_at(image, "", 8081);
  EXPECT_EQ(first->pool.first, second->pool.first);
  EXPECT_EQ(first->service, second->service);
  EXPECT_NE(first->selector, second->selector);
  EXPECT_EQ(image.maglev.size(), 1021U + 2U);
}

TEST(Doors, MembersAreTheBackendsOfDoorsOnly) {
  const Image image = must_compile(podplay(), podplay_machine());
  std::vector<std::string> members;
  for (const auto& member : image.members)
    members.push_back(std::to_string(member.service) + " " +
                      Address::from_abi(member.addr).to_string());
  // Services by name: api 1, db 2, dns 3, proxy 4, solo 5.
  EXPECT_EQ(members, (std::vector<std::string>{"1 172.20.2.11", "1 172.20.2.12", "4 172.20.1.10",
                                               "4 fd00:dead:beef:1::10"}));
}

TEST(Doors, EntriesSayWhoMayComeIn) {
  AccountBook book;
  const Image image = must_compile(podplay(), podplay_machine(), book);
  const auto* from_internet =
      entry_at(image, {FW_SEL_ZONE | FW_ZONE_INTERNET, FW_SEL_DOOR | 1U, FW_PORTS_ANY});
  ASSERT_TRUE(from_internet);
  EXPECT_EQ(from_internet->verdict, FW_ALLOW);
  EXPECT_EQ(book.names().at(from_internet->account),
            (AccountName{AccountName::Kind::kDoor, "http", "internet", "dmz"}));
  EXPECT_EQ(image.parameters.door_levels, FW_LEVEL_BIT(0, 0, 1) | FW_LEVEL_BIT(1, 0, 1));
}

bool may_use(const Image& image, std::uint32_t from, std::uint32_t door) {
  return entry_at(image, {from, FW_SEL_DOOR | door, FW_PORTS_ANY}) != nullptr;
}

TEST(Doors, OfTheInternetAreThoseOfTheMachinesContainers) {
  const Image image = must_compile(podplay(), podplay_machine());
  enum Door : std::uint32_t { kHttp = 1, kLocal, kNames };  // by name
  for (const char* container : {"172.20.1.10", "172.20.2.20", "10.99.0.2"}) {
    const std::uint32_t id = ident_of(image, container).id;
    EXPECT_TRUE(may_use(image, id, kHttp)) << container;
    EXPECT_FALSE(may_use(image, id, kNames)) << container << ", which is not in the lan";
    EXPECT_FALSE(may_use(image, id, kLocal)) << container;
  }
  EXPECT_FALSE(may_use(image, ident_of(image, "172.20.2.99").id, kHttp)) << "nothing names it";
  for (const Door door : {kHttp, kLocal, kNames})
    EXPECT_TRUE(may_use(image, FW_SEL_ZONE | FW_ZONE_HOST, door)) << "the host itself";
}

TEST(Doors, LetTheHostItselfReachTheBackend) {
  AccountBook book;
  const Image image = must_compile(podplay(), podplay_machine(), book);
  const std::uint32_t proxy = ident_of(image, "172.20.1.10").id;
  const auto* own =
      entry_at(image, {FW_SEL_ZONE | FW_ZONE_HOST, proxy, std::uint32_t{image.ports[80].tcp}});
  ASSERT_TRUE(own);
  EXPECT_EQ(own->verdict, FW_ALLOW);
  EXPECT_EQ(book.names().at(own->account),
            (AccountName{AccountName::Kind::kDoor, "http", "host", "dmz"}));
}

TEST(Doors, ARuleThatSaysTheSameCounts) {
  Policy policy = podplay();
  policy.rules.push_back(allow("host", "proxy", {tcp(80)}));
  AccountBook book;
  const Image image = must_compile(policy, podplay_machine(), book);
  const std::uint32_t proxy = ident_of(image, "172.20.1.10").id;
  const auto* own =
      entry_at(image, {FW_SEL_ZONE | FW_ZONE_HOST, proxy, std::uint32_t{image.ports[80].tcp}});
  ASSERT_TRUE(own);
  EXPECT_EQ(book.names().at(own->account).kind, AccountName::Kind::kRule);
}

TEST(Doors, AreClosedToTheHostItselfByABlockAndByAdmin) {
  const auto is_open = [](const Policy& policy, const char* address, std::uint16_t port) {
    const Image image = must_compile(policy, podplay_machine());
    return (door_at(image, address, port)->flags & FW_DOOR_OWN) != 0;
  };
  Policy policy = podplay();
  EXPECT_TRUE(is_open(policy, "", 8080));
  EXPECT_TRUE(is_open(policy, "127.0.0.1", 8000));
  policy.rules.push_back(block("host", "host", {tcp(8080)}));
  EXPECT_FALSE(is_open(policy, "", 8080));
  EXPECT_TRUE(is_open(policy, "127.0.0.1", 8000));
  policy.rules.back() = block("*", "api", {tcp(8000)});
  EXPECT_TRUE(is_open(policy, "", 8080));
  EXPECT_FALSE(is_open(policy, "127.0.0.1", 8000));
  policy.rules.back() = admin("*", "host", {tcp(8080)});
  EXPECT_FALSE(is_open(policy, "", 8080)) << "the host's own port goes before the door";
}

TEST(Doors, OpenToAnyoneCountByZone) {
  Policy policy = podplay();
  policy.doors["http"].from = {Anyone{}};
  AccountBook book;
  const Image image = must_compile(policy, podplay_machine(), book);
  const auto* entry = entry_at(image, {FW_SEL_ANY, FW_SEL_DOOR | 1U, FW_PORTS_ANY});
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->from_stride, 1);
  EXPECT_EQ(entry->to_stride, 0);
  EXPECT_EQ(book.names().at(entry->account + FW_ZONE_INTERNET).from_zone, "internet");
  EXPECT_EQ(image.parameters.door_levels, FW_LEVEL_BIT(1, 0, 1) | FW_LEVEL_BIT(2, 0, 1));
}

TEST(Doors, TwoOnOnePortAreRefused) {
  Policy policy = podplay();
  policy.doors["other"] = door(8080, "db", 5432, {"internet"});
  AccountBook book;
  const auto image = compile(policy, podplay_machine(), {}, book);
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().message,
            "compiling the policy: publish 'http' and publish 'other' both open port 8080/tcp; "
            "give one of them another port or address");
}

}  // namespace
}  // namespace fw::compile::test
