// SPDX-License-Identifier: GPL-2.0-only
#include "loader/compile/size.h"

#include <gtest/gtest.h>

#include <map>

#include "loader/compile/offline.h"
#include "tests/unit/explain_policy.h"

namespace fw::compile {
namespace {

TEST(Size, CountsWhatASwapFills) {
  const auto policy = explain::test::must_parse(explain::test::kShop);
  const auto offline = compile_offline(policy);
  ASSERT_TRUE(offline);
  const auto size = size_of(offline->image, offline->book);
  std::map<std::string, MapSize> maps;
  for (const MapSize& map : size.maps) maps.emplace(map.name, map);
  ASSERT_EQ(maps.size(), 8U);
  EXPECT_EQ(maps["fw_ports"].entries, 65536U);
  EXPECT_EQ(maps["fw_ports"].bytes, 65536U * 4);
  EXPECT_EQ(maps["fw_policy"].entries, offline->image.policy.size());
  EXPECT_EQ(maps["fw_policy"].bytes, offline->image.policy.size() * 24);
  EXPECT_EQ(maps["fw_ident4"].entries + maps["fw_ident6"].entries,
            offline->image.identities.size());
  EXPECT_EQ(size.port_classes, 6U) << "the ports of rules, and those that doors lead to";
  EXPECT_EQ(size.identities + 1, offline->image.identity_names.size());
  EXPECT_EQ(size.counters, offline->book.size());
}

}  // namespace
}  // namespace fw::compile
