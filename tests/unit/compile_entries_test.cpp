// SPDX-License-Identifier: GPL-2.0-only
// Which entries do rules become, which one wins, and where is it counted?
#include "loader/compile/entries.h"

#include "tests/unit/compile_model.h"

namespace fw::compile::test {
namespace {

// Zones a and b, one service in each.
Policy two_zones(std::vector<Rule> rules) {
  Policy policy;
  policy.zones["a"].subnets = {cidr("10.1.0.0/16")};
  policy.zones["b"].subnets = {cidr("10.2.0.0/16")};
  policy.services["x"] = service({"10.1.0.1"});
  policy.services["y"] = service({"10.2.0.1"});
  policy.services["here"].host = true;
  policy.rules = std::move(rules);
  return policy;
}

constexpr std::uint32_t kA = FW_SEL_ZONE | 3U, kB = FW_SEL_ZONE | 4U;
constexpr std::uint32_t kHost = FW_SEL_ZONE | FW_ZONE_HOST;
constexpr std::uint32_t kInternet = FW_SEL_ZONE | FW_ZONE_INTERNET;

TEST(Entries, PeersBecomeSelectors) {
  const Image image = must_compile(two_zones({allow("zone:a", "host"), allow("internet", "here"),
                                              allow("x", "y"), allow("*", "zone:b")}),
                                   {});
  const std::uint32_t x = ident_of(image, "10.1.0.1").id, y = ident_of(image, "10.2.0.1").id;
  EXPECT_TRUE(entry_at(image, {kA, kHost, FW_PORTS_ANY}));
  EXPECT_TRUE(entry_at(image, {kInternet, kHost, FW_PORTS_ANY}));
  EXPECT_TRUE(entry_at(image, {x, y, FW_PORTS_ANY}));
  EXPECT_TRUE(entry_at(image, {FW_SEL_ANY, kB, FW_PORTS_ANY}));
  EXPECT_EQ(image.policy.size(), 4U);
}

TEST(Entries, OneRuleWithSeveralPeersAndPortsIsTheirProduct) {
  Rule made = allow("zone:a", "zone:b", {tcp(80), udp(53), ping()});
  made.from.push_back(peer("internet"));
  made.to.push_back(peer("host"));
  const Image image = must_compile(two_zones({made}), {});
  EXPECT_EQ(image.policy.size(), 2U * 2U * 3U);
  EXPECT_TRUE(entry_at(image, {kInternet, kHost, FW_PORTS_PING}));
}

TEST(Entries, IntraAllowsMembersAmongThemselves) {
  Policy policy = two_zones({});
  policy.zones["a"].intra_allowed = true;
  AccountBook book;
  const Image image = must_compile(policy, {}, book);
  const auto* entry = entry_at(image, {kA, kA, FW_PORTS_ANY});
  ASSERT_TRUE(entry);
  EXPECT_EQ(book.names().at(entry->account),
            (AccountName{AccountName::Kind::kRule, "a -> a (intra)", "a", "a"}));
  EXPECT_EQ(image.policy.size(), 1U);
}

TEST(Entries, AdminBeatsBlockBeatsAllow) {
  const auto verdict = [](std::vector<Rule> rules) {
    const Image image = must_compile(two_zones(std::move(rules)), {});
    return int{entry_at(image, {kA, kB, FW_PORTS_ANY})->verdict};
  };
  const Rule yes = allow("zone:a", "zone:b"), no = block("zone:a", "zone:b"),
             safe = admin("zone:a", "zone:b");
  EXPECT_EQ(verdict({yes}), FW_ALLOW);
  EXPECT_EQ(verdict({yes, no}), FW_BLOCK);
  EXPECT_EQ(verdict({no, yes}), FW_BLOCK);
  EXPECT_EQ(verdict({no, safe, yes}), FW_ADMIT);
}

TEST(Entries, AmongEqualsTheSmallestTextCounts) {
  Rule first = allow("zone:a", "zone:b"), second = first;
  first.text = "aaa";
  second.text = "bbb";
  for (const auto& rules : {std::vector{first, second}, std::vector{second, first}}) {
    AccountBook book;
    const Image image = must_compile(two_zones(rules), {}, book);
    EXPECT_EQ(book.names().at(entry_at(image, {kA, kB, 0})->account).subject, "aaa");
  }
}

TEST(Entries, LevelsAreTheShapesInUse) {
  const Image image =
      must_compile(two_zones({admin("zone:a", "host", {tcp(22)}), block("10.9.0.0/16", "*"),
                              allow("x", "y", {tcp(80)}), allow("*", "zone:b")}),
                   {});
  EXPECT_EQ(image.parameters.admit_levels, FW_LEVEL_BIT(1, 1, 0));
  EXPECT_EQ(image.parameters.block_levels, FW_LEVEL_BIT(0, 2, 1));
  EXPECT_EQ(image.parameters.allow_levels, FW_LEVEL_BIT(0, 0, 0) | FW_LEVEL_BIT(2, 1, 1));
  EXPECT_EQ(image.parameters.door_levels, 0U);
}

TEST(Entries, WildcardSideHasAnAccountForEachZone) {
  AccountBook book;
  const Image image = must_compile(
      two_zones({allow("*", "zone:b"), block("zone:a", "*"), block("*", "*", {tcp(23)})}), {},
      book);
  const auto name = [&](const fw_policy_entry& entry, unsigned from, unsigned to) {
    const AccountName& found =
        book.names().at(entry.account + from * entry.from_stride + to * entry.to_stride);
    return found.subject + " / " + found.from_zone + " " + found.to_zone;
  };
  const auto& to_b = *entry_at(image, {FW_SEL_ANY, kB, 0});
  EXPECT_EQ(to_b.to_stride, 0);
  EXPECT_EQ(name(to_b, 0, 4), "* -> zone:b / none b");
  EXPECT_EQ(name(to_b, 3, 4), "* -> zone:b / a b");
  const auto& from_a = *entry_at(image, {kA, FW_SEL_ANY, 0});
  EXPECT_EQ(name(from_a, 3, 2), "zone:a -> * / a internet");
  const auto& all = *entry_at(image, {FW_SEL_ANY, FW_SEL_ANY, image.ports[23].tcp});
  for (unsigned from = 0; from < 5; ++from)
    for (unsigned to = 0; to < 5; ++to)
      EXPECT_EQ(name(all, from, to),
                "* -> *:23/tcp / " + image.zones[from] + " " + image.zones[to]);
}

TEST(Entries, OneAccountForEachZonePairOfARule) {
  AccountBook book;
  Rule made = allow("x", "y");
  made.from.push_back(peer("10.1.0.9"));  // zone a, as x is
  made.from.push_back(peer("10.9.0.9"));  // internet
  const Image image = must_compile(two_zones({made}), {}, book);
  const std::uint32_t y = ident_of(image, "10.2.0.1").id;
  const auto account = [&](const char* from) {
    return entry_at(image, {ident_of(image, from).id, y, 0})->account;
  };
  EXPECT_EQ(account("10.1.0.1"), account("10.1.0.9"));
  EXPECT_NE(account("10.1.0.1"), account("10.9.0.9"));
  EXPECT_EQ(book.names().at(account("10.9.0.9")).from_zone, "internet");
}

TEST(Entries, DeniedAndEgressBlocksAreWhereTheKernelComputesThem) {
  AccountBook book;
  const Image image = must_compile(two_zones({}), {}, book);
  const auto& p = image.parameters;
  for (unsigned from = 0; from < p.zones; ++from) {
    EXPECT_EQ(book.names().at(p.egress_account + from),
              (AccountName{AccountName::Kind::kEgress, "host.egress", "host", image.zones[from]}));
    for (unsigned to = 0; to < p.zones; ++to)
      EXPECT_EQ(
          book.names().at(p.denied + (from * p.zones + to) * FW_REASON_COUNT + FW_REASON_BLOCKED),
          (AccountName{AccountName::Kind::kDenied, "BLOCKED", image.zones[from], image.zones[to]}));
  }
}

TEST(Entries, TooManyIsAnErrorNotAnOutOfMemory) {
  Rule made = allow("x", "y");
  made.from.clear();
  made.to.clear();
  for (std::uint32_t i = 0; i < 2000; ++i) {
    made.from.emplace_back(Prefix{Address::from_ipv4(0x0b000000U + i), 32});
    made.to.emplace_back(Prefix{Address::from_ipv4(0x0c000000U + i), 32});
  }
  AccountBook book;
  Policy policy = two_zones({made});
  const auto image = compile(policy, {}, {}, book);
  ASSERT_FALSE(image);
  EXPECT_NE(image.error().message.find(std::to_string(kMaxPolicyEntries)), std::string::npos);
}

TEST(Accounts, SameNamesKeepTheirNumbers) {
  AccountBook book;
  const auto account = [&](const Policy& policy) {
    const Image image = must_compile(policy, {}, book);
    return entry_at(image, {kA, kB, 0})->account;
  };
  const Rule stays = allow("zone:a", "zone:b"), goes = allow("zone:b", "zone:a");
  const std::uint32_t first = account(two_zones({goes, stays}));
  const std::uint32_t size = book.size();
  EXPECT_EQ(account(two_zones({stays})), first);
  EXPECT_EQ(account(two_zones({stays, goes})), first) << "removed and added again";
  EXPECT_EQ(book.size(), size);
}

TEST(Accounts, BookSurvivesBeingWrittenDown) {
  AccountBook book;
  const Policy policy = podplay();
  const Image before = must_compile(policy, podplay_machine(), book);
  AccountBook again = AccountBook::from_names(book.names(), book.block_starts());
  const Image after = must_compile(policy, podplay_machine(), again);
  EXPECT_EQ(again.names(), book.names());
  EXPECT_EQ(again.block_starts(), book.block_starts());
  ASSERT_EQ(before.policy.size(), after.policy.size());
  for (std::size_t i = 0; i < before.policy.size(); ++i)
    EXPECT_EQ(before.policy[i].second.account, after.policy[i].second.account);
}

TEST(Accounts, DamagedBlockStartsAreIgnored) {
  const std::vector<AccountName> names(3, {AccountName::Kind::kRule, "r", "a", "b"});
  const AccountBook book = AccountBook::from_names(names, {0, 2, 9, 1});
  for (const std::uint32_t start : book.block_starts()) EXPECT_LT(start, 3U);
  EXPECT_EQ(book.size(), 3U);
}

TEST(Accounts, MoreThanTheKernelCountsIsAnError) {
  AccountBook book;
  const std::vector<AccountName> names(10);
  ASSERT_TRUE(allot(book, names, 10));
  ASSERT_TRUE(allot(book, names, 10)) << "known names need no room";
  const auto one_more = allot(book, {{AccountName::Kind::kRule, "r", "a", "b"}}, 10);
  ASSERT_FALSE(one_more);
  EXPECT_NE(one_more.error().message.find("more than 10;"), std::string::npos);
}

}  // namespace
}  // namespace fw::compile::test
