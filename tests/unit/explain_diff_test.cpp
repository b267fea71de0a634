// SPDX-License-Identifier: GPL-2.0-only
// Does diff tell reachability apart, and nothing else?
#include "loader/explain/diff.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <sstream>

#include "ctl/verbs.h"
#include "loader/compile/offline.h"
#include "loader/explain/atlas.h"
#include "tests/unit/explain_policy.h"

namespace fw::explain::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// kShop with one text replaced by another.
std::string shop_with(const std::string& old_text, const std::string& new_text) {
  std::string text = kShop;
  const auto at = text.find(old_text);
  EXPECT_NE(at, std::string::npos) << old_text;
  return text.replace(at, old_text.size(), new_text);
}

std::vector<std::string> lines_between(const std::string& before, const std::string& after,
                                       const std::vector<control::FlowReport>& flows = {}) {
  const auto report = diff(must_parse(before), must_parse(after), flows);
  EXPECT_TRUE(report) << (report ? "" : report.error().message);
  if (!report) return {};
  std::vector<std::string> lines;
  std::istringstream text{ctl::render(*report, {})};
  for (std::string line; std::getline(text, line);)
    if (report->differs) lines.push_back(line);
  return lines;
}

TEST(Diff, ARuleMoreAndARuleLess) {
  const auto more = shop_with("allow:\n", "allow:\n  - backend -> redis:redis\n");
  EXPECT_THAT(lines_between(kShop, more), ElementsAre("+ backend may reach redis:6379/tcp"));
  EXPECT_THAT(lines_between(more, kShop),
              ElementsAre("- backend may no longer reach redis:6379/tcp"));
}

TEST(Diff, ADoorIsToldByWhereItLeads) {
  const auto https =
      shop_with("publish:\n", "publish:\n  https: {host: 8443, to: proxy:https, from: internet}\n");
  EXPECT_THAT(
      lines_between(kShop, https),
      ElementsAre("+ data may reach proxy:443/tcp (by host:8443)",
                  "+ dmz may reach proxy:443/tcp (by host:8443)", "+ host may reach proxy:443/tcp",
                  "+ internet may reach proxy:443/tcp (by host:8443)",
                  "+ peers may reach proxy:443/tcp (by host:8443)"))
      << "what the internet may use, this machine's containers may";
  const auto moved = shop_with("host: 8000", "host: 8008");
  EXPECT_THAT(lines_between(kShop, moved),
              ElementsAre("+ lan may reach backend:8000/tcp (by host:8008)",
                          "- lan may no longer reach backend:8000/tcp (by host:8000)"));
}

TEST(Diff, ALongerListOfSources) {
  EXPECT_THAT(lines_between(kShop, shop_with("from: [internet, lan]", "from: [internet]")),
              ElementsAre("- lan may no longer reach proxy:80/tcp (by host:8080)"));
}

TEST(Diff, WrittenDifferentlyIsNoDifference) {
  const auto same = [](const std::string& text) {
    EXPECT_THAT(lines_between(kShop, text), IsEmpty());
    EXPECT_THAT(lines_between(text, kShop), IsEmpty());
  };
  same(kShop);
  same(shop_with("backend -> db:postgres", "172.20.1.20 -> 172.20.3.5:5432/tcp"));
  same(shop_with("name: shop", "name: other"));
  same(shop_with("  - lan -> host:ping\n", "  - lan -> host:ping\n  - lan -> host:22\n"));
  same(shop_with("  http:  {router: 80,", "  web:   {router: 81,"));
  same(shop_with("  - office -> internet\n",
                 "  - office -> internet:443\n  - office -> internet\n"));
  same(shop_with("203.0.113.0/24 -> *\n", "203.0.113.0/25 -> *\n  - 203.0.113.128/25 -> *\n"));
}

TEST(Diff, ABlockClosesForItsNetworkAlone) {
  const auto more = shop_with("block:\n", "block:\n  - 198.51.100.0/24 -> *\n");
  EXPECT_THAT(lines_between(kShop, more),
              ElementsAre("- 198.51.100.0/24 may no longer reach proxy:80/tcp (by host:8080)"));
}

TEST(Diff, EveryPortAndAllBut) {
  const auto all = shop_with("backend -> db:postgres", "backend -> db");
  EXPECT_THAT(lines_between(kShop, all), ElementsAre("+ backend may reach db, all but 5432/tcp"));
  const auto without = shop_with("  - backend -> db:postgres\n", "");
  EXPECT_THAT(lines_between(without, all), ElementsAre("+ backend may reach db"));
}

TEST(Diff, ZonesStandForTheirMembers) {
  const auto zone = shop_with("allow:\n", "allow:\n  - proxy -> data:6379\n");
  EXPECT_THAT(lines_between(kShop, zone), ElementsAre("+ proxy may reach data:6379/tcp"));
  const auto wide =
      shop_with("office -> internet", "office -> internet\n  - data -> internet:53/udp");
  EXPECT_THAT(lines_between(kShop, wide), ElementsAre("+ data may reach internet:53/udp"));
  EXPECT_THAT(lines_between(kShop, shop_with("intra: allow", "intra: deny")),
              ElementsAre("- peers may no longer reach peers"));
}

TEST(Diff, AServiceThatIsGoneIsCalledByItsName) {
  auto without = shop_with("[db, redis]", "[db]");
  without.erase(without.find("  redis:"), without.find("  ring:") - without.find("  redis:"));
  const auto linked = shop_with("allow:\n", "allow:\n  - backend -> redis:redis\n");
  EXPECT_THAT(lines_between(linked, without),
              testing::Contains("- backend may no longer reach redis:6379/tcp"));
}

TEST(Diff, TheHostsEgressAndAdmin) {
  EXPECT_THAT(
      lines_between(kShop, shop_with("lan -> host:22", "lan -> host:2222")),
      ElementsAre("+ lan may reach host:2222/tcp", "- lan may no longer reach host:22/tcp"));
}

control::FlowReport flow(const char* src, const char* dst, std::uint16_t port, const char* rule,
                         const char* from_zone, const char* to_zone) {
  control::FlowReport made;
  made.proto = "tcp";
  made.original = {src, dst, 40000, port};
  made.rule = rule;
  made.from_zone = from_zone;
  made.to_zone = to_zone;
  return made;
}

TEST(Diff, CountsTheFlowsThatItWouldCut) {
  const std::vector<control::FlowReport> flows = {
      flow("172.20.1.20", "172.20.3.5", 5432, "backend -> db:5432/tcp", "dmz", "data"),
      flow("172.20.1.20", "172.20.3.5", 5432, "backend -> db:5432/tcp", "dmz", "data"),
      flow("172.20.1.10", "172.20.1.20", 8000, "proxy -> backend:8000/tcp", "dmz", "dmz"),
      flow("198.51.100.7", "192.168.1.20", 8080, "http", "internet", "dmz"),
      flow("192.168.1.5", "192.168.1.20", 8080, "http", "lan", "dmz"),
      flow("192.168.1.5", "192.168.1.20", 22, "lan -> host:22/tcp", "lan", "host")};
  EXPECT_THAT(lines_between(kShop, shop_with("  - backend -> db:postgres\n", ""), flows),
              ElementsAre("- backend may no longer reach db:5432/tcp (2 live flows)"));
  EXPECT_THAT(lines_between(kShop, shop_with("from: [internet, lan]", "from: [internet]"), flows),
              ElementsAre("- lan may no longer reach proxy:80/tcp (by host:8080; 1 live flow)"));
  EXPECT_THAT(lines_between(kShop, shop_with("  admin: [lan -> host:22]\n", ""), flows),
              ElementsAre("- lan may no longer reach host:22/tcp (1 live flow)"));
}

// What the judge says to flows under one policy.
class Court {
 public:
  explicit Court(const World& world) : atlas_(world), judge_(world.image) {}
  [[nodiscard]] bool allows(const Address& src, const Address& dst, std::uint8_t proto,
                            std::uint16_t port) const {
    return judge_.judge(probe_of(atlas_.member(src), atlas_.member(dst), proto, port)).allowed;
  }

 private:
  Atlas atlas_;
  compile::Judge judge_;
};

// Whatever differs for some flow is in the diff, and a diff without a line means no such flow.
TEST(Diff, AgreesWithTheJudgeOnEveryFlow) {
  const std::vector<std::string> policies = {
      kShop,
      shop_with("backend -> db:postgres", "172.20.1.20 -> 172.20.3.5:5432/tcp"),
      shop_with("203.0.113.0/24 -> *", "203.0.113.0/25 -> *"),
      shop_with("from: [internet, lan]", "from: [internet]"),
      shop_with("backend -> db:postgres", "dmz -> data:5000-6000"),
      shop_with("office -> internet", "office -> *"),
      shop_with("intra: allow", "intra: deny"),
      shop_with("lan -> host:ping", "\"* -> host:ping\"")};
  // 192.0.0.8 stands in for the host, 198.18.0.0/24 for the office.
  const std::vector<const char*> addresses = {
      "192.168.1.5", "172.20.1.10", "172.20.1.20", "172.20.1.99",   "172.20.3.5",   "172.20.3.6",
      "172.20.4.1",  "172.20.4.2",  "203.0.113.9", "203.0.113.200", "198.51.100.9", "192.0.0.8",
      "198.18.0.25", "fd00:1::5",   "fd00:2::10",  "2001:db8::1"};
  for (const auto& before : policies)
    for (const auto& after : policies) {
      const auto old_policy = must_parse(before);
      const auto new_policy = must_parse(after);
      const auto machine = compile::offline_topology({&old_policy, &new_policy});
      const auto old_compiled = Compiled::of(old_policy, machine);
      const auto new_compiled = Compiled::of(new_policy, machine);
      ASSERT_TRUE(old_compiled && new_compiled);
      const World old_world = old_compiled->world();
      const World new_world = new_compiled->world();
      const Court old_court{old_world};
      const Court new_court{new_world};
      bool opens = false;
      bool closes = false;
      for (const char* from : addresses)
        for (const char* to : addresses) {
          const auto src = *Address::parse(from);
          const auto dst = *Address::parse(to);
          if (src == dst || src.family() != dst.family()) continue;
          for (const std::uint8_t proto : std::initializer_list<std::uint8_t>{6, 17, 1, 47})
            for (const std::uint16_t port :
                 std::initializer_list<std::uint16_t>{22, 80, 5432, 5433, 8000, 8080}) {
              const bool was = old_court.allows(src, dst, proto, port);
              const bool is = new_court.allows(src, dst, proto, port);
              opens |= is && !was;
              closes |= was && !is;
            }
        }
      const auto report = diff(old_world, new_world);
      const auto has = [&](bool wanted) {
        return std::ranges::any_of(report.changes,
                                   [&](const auto& change) { return change.opens == wanted; });
      };
      EXPECT_EQ(has(true), opens) << ctl::render(report, {});
      EXPECT_EQ(has(false), closes) << ctl::render(report, {});
    }
}

// Two hundred services that talk in a ring, and one link that changes.
std::string ring(int changed) {
  constexpr int kServices = 200;
  std::string services;
  std::string rules;
  const auto name = [](int number) { return "s" + std::to_string(number % kServices); };
  for (int i = 0; i < kServices; ++i) {
    services += "  " + name(i) + ": {addresses: [10.1.0." + std::to_string(i + 1) + "]}\n";
    rules += "  - " + name(i) + " -> " + name(i == changed ? i + 2 : i + 1) + ":" +
             std::to_string(1000 + i % 40) + "\n";
  }
  return "version: 1\nhost: {uplinks: [eth0]}\nservices:\n" + services + "allow:\n" + rules;
}

TEST(Diff, IsFastForTwoHundredIdentities) {
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(lines_between(ring(-1), ring(7)),
              ElementsAre("+ s7 may reach s9:1007/tcp", "- s7 may no longer reach s8:1007/tcp"));
  const auto took = std::chrono::steady_clock::now() - start;
  EXPECT_LT(took, std::chrono::seconds{5});
  RecordProperty(
      "milliseconds",
      static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(took).count()));
}

}  // namespace
}  // namespace fw::explain::test
