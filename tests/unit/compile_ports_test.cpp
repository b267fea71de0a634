// SPDX-License-Identifier: GPL-2.0-only
// Which ports share a class?
#include <gmock/gmock.h>

#include "loader/compile/ports.h"
#include "tests/unit/compile_model.h"

namespace fw::compile::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

PortClasses classes_of(const std::vector<std::vector<PortSet>>& rules) {
  Policy policy;
  for (const auto& ports : rules) policy.rules.push_back(allow("*", "*", ports));
  auto classes = PortClasses::of_policy(policy);
  EXPECT_TRUE(classes);
  return *classes;
}

TEST(PortClasses, NoPortNamedNeedsNoTable) {
  EXPECT_THAT(classes_of({{}, {ping()}}).table(), IsEmpty());
}

TEST(PortClasses, NoPortsIsAnyAndPingIsItsOwn) {
  const auto classes = classes_of({{tcp(80)}});
  EXPECT_THAT(classes.classes({}), ElementsAre(FW_PORTS_ANY));
  EXPECT_THAT(classes.classes({ping()}), ElementsAre(FW_PORTS_PING));
}

TEST(PortClasses, BoundsOfARangeAreInIt) {
  const auto table = classes_of({{tcp(100, 200)}}).table();
  ASSERT_THAT(table, SizeIs(65536));
  EXPECT_EQ(table[99].tcp, 0);
  EXPECT_EQ(table[100].tcp, FW_PORTS_USER);
  EXPECT_EQ(table[200].tcp, FW_PORTS_USER);
  EXPECT_EQ(table[201].tcp, 0);
  EXPECT_EQ(table[150].udp, 0);
}

TEST(PortClasses, FirstAndLastPortExist) {
  const auto table = classes_of({{tcp(0), udp(65535)}, {tcp(0, 65535)}}).table();
  EXPECT_NE(table[0].tcp, table[1].tcp);
  EXPECT_EQ(table[1].tcp, table[65535].tcp);
  EXPECT_NE(table[65535].udp, 0);
  EXPECT_EQ(table[65534].udp, 0);
}

TEST(PortClasses, OverlapsSplit) {
  const auto classes = classes_of({{tcp(1, 10)}, {tcp(5, 20)}, {tcp(10)}});
  EXPECT_THAT(classes.classes({tcp(1, 10)}), SizeIs(3));
  EXPECT_THAT(classes.classes({tcp(5, 20)}), SizeIs(3));
  EXPECT_THAT(classes.classes({tcp(10)}), SizeIs(1));
  const auto table = classes.table();
  EXPECT_EQ(table[4].tcp, table[1].tcp);
  EXPECT_EQ(table[5].tcp, table[9].tcp);
  EXPECT_NE(table[9].tcp, table[10].tcp);
  EXPECT_NE(table[10].tcp, table[11].tcp);
}

TEST(PortClasses, PortsThatNoRuleTellsApartShareOne) {
  const auto classes =
      classes_of({{tcp(25), tcp(465), tcp(587)}, {tcp(80)}, {tcp(465), tcp(587), tcp(25)}});
  EXPECT_THAT(classes.classes({tcp(25), tcp(465), tcp(587)}), SizeIs(1));
  EXPECT_NE(classes.table()[25].tcp, classes.table()[80].tcp);
}

TEST(PortClasses, RuleThatNamesAPortTwiceDoesNotCancelIt) {
  const auto classes = classes_of({{tcp(80), tcp(80), tcp(70, 90), tcp(91)}});
  const auto table = classes.table();
  EXPECT_NE(table[80].tcp, 0);
  EXPECT_EQ(table[80].tcp, table[70].tcp);
  EXPECT_EQ(table[91].tcp, table[70].tcp);
  EXPECT_EQ(table[92].tcp, 0);
}

TEST(PortClasses, TcpAndUdpNeverShare) {
  const auto classes = classes_of({{tcp(53), udp(53)}});
  const auto table = classes.table();
  EXPECT_NE(table[53].tcp, table[53].udp);
  EXPECT_THAT(classes.classes({tcp(53), udp(53)}), ElementsAre(table[53].tcp, table[53].udp));
}

TEST(PortClasses, TooManyToNumberIsAnError) {
  Policy policy;
  for (std::uint32_t port = 1; port < 65536; ++port)
    policy.rules.push_back(allow("*", "*", {tcp(static_cast<std::uint16_t>(port))}));
  const auto classes = PortClasses::of_policy(policy);
  ASSERT_FALSE(classes);
  EXPECT_NE(classes.error().message.find("ranges"), std::string::npos);
}

}  // namespace
}  // namespace fw::compile::test
