// SPDX-License-Identifier: GPL-2.0-only
// Is the image a function of the policy's meaning, and is it made fast enough?
#include <algorithm>
#include <chrono>
#include <iostream>
#include <random>

#include "tests/unit/compile_model.h"

namespace fw::compile::test {
namespace {

TEST(Image, OrderOfTheFileDoesNotMatter) {
  const Image wanted = must_compile(podplay(), podplay_machine());
  std::mt19937 random{42};
  for (int round = 0; round < 20; ++round) {
    Policy policy = podplay();
    Topology topology = podplay_machine();
    std::shuffle(policy.rules.begin(), policy.rules.end(), random);
    for (auto& [name, service] : policy.services)
      std::shuffle(service.addresses.begin(), service.addresses.end(), random);
    for (auto& [name, zone] : policy.zones) {
      std::shuffle(zone.subnets.begin(), zone.subnets.end(), random);
      std::shuffle(zone.services.begin(), zone.services.end(), random);
    }
    for (auto& [name, door] : policy.doors)
      std::shuffle(door.from.begin(), door.from.end(), random);
    for (auto& [index, interface] : topology.interfaces)
      std::shuffle(interface.connected.begin(), interface.connected.end(), random);
    EXPECT_TRUE(must_compile(policy, topology) == wanted);
  }
}

TEST(Image, KeysAscendAndAreUnique) {
  const Image image = must_compile(podplay(), podplay_machine());
  for (std::size_t i = 1; i < image.policy.size(); ++i) {
    const auto &a = image.policy[i - 1].first, &b = image.policy[i].first;
    EXPECT_LT((std::tuple{a.from, a.to, a.ports}), (std::tuple{b.from, b.to, b.ports}));
  }
  for (std::size_t i = 1; i < image.identities.size(); ++i)
    EXPECT_LT(image.identities[i - 1].first, image.identities[i].first);
}

TEST(Image, TimeoutsFollowTheRfcs) {
  const Image image = must_compile({}, {});
  const auto& timeout = image.parameters.timeout_ns;
  constexpr std::uint64_t kSecond = 1'000'000'000;
  EXPECT_EQ(timeout[FW_TCP_ESTABLISHED], 7440 * kSecond);
  EXPECT_EQ(timeout[FW_TCP_HALF], 240 * kSecond);
  EXPECT_EQ(timeout[FW_UDP_ESTABLISHED], 300 * kSecond);
  EXPECT_EQ(timeout[FW_ICMP_HALF], 60 * kSecond);
  EXPECT_EQ(timeout[FW_OTHER_ESTABLISHED], 600 * kSecond);
}

TEST(Image, HostEgressIsAFlag) {
  Policy policy;
  EXPECT_EQ(must_compile(policy, {}).parameters.flags, FW_HOST_EGRESS);
  policy.host.egress_allowed = false;
  EXPECT_EQ(must_compile(policy, {}).parameters.flags, 0U);
}

// The time is printed, not judged: a busy machine is no bug.
TEST(Image, AHundredThousandRulesCompile) {
  Policy policy = podplay();
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    const std::string from = Address::from_ipv4(0x0a000000U + i * 167U).to_string();
    policy.rules.push_back(allow(from, "db", {tcp(5432)}));
  }
  const Topology topology = podplay_machine();
  const Placement placement = place(policy, topology);
  AccountBook book;
  const auto start = std::chrono::steady_clock::now();
  const auto image = compile(policy, topology, placement, book);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_GE(image->policy.size(), 100'000U);
  std::cout << "100,000 rules: " << took.count() << " s, " << image->identities.size()
            << " prefixes, " << image->policy.size() << " entries, " << book.size()
            << " accounts\n";
}

}  // namespace
}  // namespace fw::compile::test
