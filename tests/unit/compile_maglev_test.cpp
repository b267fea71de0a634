// SPDX-License-Identifier: GPL-2.0-only
// Is the load even, and does a backend that leaves move few others?
#include "loader/compile/maglev.h"

#include <algorithm>
#include <map>

#include "tests/unit/compile_model.h"

namespace fw::compile::test {
namespace {

std::vector<Address> backends(unsigned count) {
  std::vector<Address> made;
  for (unsigned i = 0; i < count; ++i) made.push_back(Address::from_ipv4(0xac140200U + 11 + i));
  return made;
}

TEST(Maglev, NoneAndOne) {
  EXPECT_TRUE(maglev_table({}).empty());
  EXPECT_EQ(maglev_table({ip("10.0.0.1")}), std::vector<Address>{ip("10.0.0.1")});
  EXPECT_EQ(maglev_table({ip("10.0.0.1"), ip("10.0.0.1")}).size(), 1U);
}

TEST(Maglev, SizeIsFourHundredSlotsABackend) {
  for (const unsigned count : {2U, 3U, 10U, 11U, 100U, 600U})
    EXPECT_GE(maglev_table(backends(count)).size(), count * 400) << count;
}

TEST(Maglev, EvenWithinTwoPercent) {
  for (const unsigned count : {3U, 10U}) {
    const auto table = maglev_table(backends(count));
    std::map<Address, int> hits;
    // Evenly spread hashes: random ones would measure the noise of the sample.
    for (std::uint64_t i = 0; i < 10'000; ++i) {
      const auto hash = static_cast<std::uint32_t>((i << 32U) / 10'000);
      ++hits[table[hash % table.size()]];
    }
    ASSERT_EQ(hits.size(), count);
    for (const auto& [address, hit] : hits)
      EXPECT_NEAR(hit, 10'000.0 / count, 0.02 * 10'000 / count) << address.to_string();
  }
}

TEST(Maglev, RemovingOneOfTenMovesFewOthers) {
  const auto all = backends(10);
  const auto before = maglev_table(all);
  for (const Address& gone : all) {
    auto rest = all;
    std::erase(rest, gone);
    const auto after = maglev_table(rest);
    ASSERT_EQ(before.size(), after.size());
    std::size_t others = 0, moved = 0;
    for (std::size_t i = 0; i < before.size(); ++i) {
      if (before[i] == gone) continue;
      ++others;
      moved += before[i] != after[i] ? 1 : 0;
    }
    EXPECT_LT(static_cast<double>(moved), 0.02 * static_cast<double>(others)) << gone.to_string();
  }
}

TEST(Maglev, OrderOfBackendsDoesNotMatter) {
  auto reversed = backends(7);
  std::reverse(reversed.begin(), reversed.end());
  EXPECT_EQ(maglev_table(reversed), maglev_table(backends(7)));
}

}  // namespace
}  // namespace fw::compile::test
