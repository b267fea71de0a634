// SPDX-License-Identifier: GPL-2.0-only
// Zones of containers on several bridges: every ordered pair does what the policy says, in both
// families, and nothing else does.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <nlohmann/json.hpp>

#include <map>
#include <set>

#include "tests/netns/world.h"
#include "tests/support/privilege.h"

namespace fw::test {
namespace {

using std::string;

// podplay's zones; who may use port 7 of whom. Everything else is denied.
constexpr const char* kPolicy = R"(version: 1
name: podplay
host:
  uplinks: [eth0]
zones:
  lan:      {subnets: [192.168.1.0/24, "fd00:1::/64"]}
  dmz:      {subnets: [172.20.1.0/24, "fd00:dead:beef:1::/64"]}
  internal: {services: [api, db]}
  mgmt:     {subnets: [172.20.3.0/24, "fd00:dead:beef:3::/64"], intra: allow}
services:
  web:  {addresses: [172.20.1.10, "fd00:dead:beef:1::10"], ports: {echo: 7/tcp+udp}}
  web2: {addresses: [172.20.1.11, "fd00:dead:beef:1::11"], ports: {echo: 7/tcp+udp}}
  api:  {addresses: [172.20.2.20, "fd00:dead:beef:2::20"], ports: {echo: 7/tcp+udp}}
  db:   {addresses: [172.20.2.21, "fd00:dead:beef:2::21"], ports: {echo: 7/tcp+udp}}
  mon:  {addresses: [172.20.3.30, "fd00:dead:beef:3::30"], ports: {echo: 7/tcp+udp}}
  mon2: {addresses: [172.20.3.31, "fd00:dead:beef:3::31"], ports: {echo: 7/tcp+udp}}
allow:
  - dmz -> internal:7/tcp+udp
  - dmz -> internal:ping
  - api -> db:7/tcp+udp
  - mgmt -> dmz:7/tcp+udp
  - mgmt -> internal:7/tcp+udp
  - mgmt -> host:7/tcp+udp
  - dmz -> internet:7/tcp+udp
  - internal -> lan:7/tcp+udp
  - lan -> host:7/tcp+udp
  - host -> mgmt:7/tcp+udp
  - internet -> web:7/tcp+udp        # a container is reached through a door only: stays closed
)";

struct End {
  string name;
  const NetNs* netns = nullptr;
  string address4;
  string address6;
};

// FROM -> TO of kPolicy, by end.
const std::set<std::pair<string, string>> kAllowed = {
    {"web", "api"},     {"web", "db"},     {"web2", "api"},   {"web2", "db"},     {"api", "db"},
    {"mon", "web"},     {"mon", "web2"},   {"mon2", "web"},   {"mon2", "web2"},   {"mon", "api"},
    {"mon", "db"},      {"mon2", "api"},   {"mon2", "db"},    {"mon", "host"},    {"mon2", "host"},
    {"mon", "mon2"},    {"mon2", "mon"},   {"web", "client"}, {"web2", "client"}, {"api", "lan"},
    {"db", "lan"},      {"lan", "host"},   {"host", "mon"},   {"host", "mon2"},   {"host", "lan"},
    {"host", "client"},                     // host.egress
    {"client", "lan"},  {"lan", "client"},  // do not pass the host at all
};

class Zones : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!missing_capabilities().empty()) return;
    auto lab = Lab::create({.containers = {{.name = "web"},
                                           {.name = "web2", .id = 11},
                                           {.name = "api", .network = 2, .id = 20},
                                           {.name = "db", .network = 2, .id = 21},
                                           {.name = "stray", .network = 2, .id = 22},
                                           {.name = "mon", .network = 3, .id = 30},
                                           {.name = "mon2", .network = 3, .id = 31}}});
    ASSERT_TRUE(lab) << lab.error().message;
    lab_ = *std::move(lab);
    auto daemon = lab_->enforce(lab_->host, kPolicy);
    ASSERT_TRUE(daemon) << daemon.error().message;
    host_ = *daemon;
  }
  static void TearDownTestSuite() { lab_.reset(); }

  void SetUp() override {
    FW_REQUIRE_ROOT();
    ASSERT_NE(host_, nullptr);
    const auto applied = host_->apply(kPolicy);
    ASSERT_TRUE(applied.ok()) << applied.describe();
  }

  static std::vector<End> ends() {
    std::vector<End> all = {{"client", &lab_->client, kClient4, kClient6},
                            {"lan", &lab_->router, "192.168.1.1", "fd00:1::1"},
                            {"host", &lab_->host, kHost4, kHost6}};
    for (const auto* name : {"web", "web2", "api", "db", "mon", "mon2"}) {
      const auto& container = lab_->container(name);
      all.push_back({name, &container.netns, container.address4(), container.address6()});
    }
    return all;
  }

  static inline std::unique_ptr<Lab> lab_;
  static inline Daemon* host_ = nullptr;
};

// Where `from` finds `to`: of a machine with several addresses the one that is nearest, from which
// a server also answers datagrams.
string address_of(const End& to, const End& from, bool v6) {
  if (to.name == "lan" && from.name == "client") return v6 ? kRouterWan6 : kRouterWan4;
  if (to.name == "host" && from.name != "client" && from.name != "lan") {
    const string& own = v6 ? from.address6 : from.address4;
    return own.substr(0, own.find_last_of(v6 ? ':' : '.') + 1) + "1";
  }
  return v6 ? to.address6 : to.address4;
}

// What one end finds: the names of those that answer it.
std::set<string> reached(const End& from, const std::vector<End>& ends, Transport transport,
                         bool v6) {
  std::set<string> names;
  for (const auto& to : ends) {
    if (to.name == from.name) continue;
    // Silence that is expected is waited for only briefly: the servers know who came through.
    const bool expected = kAllowed.contains({from.name, to.name});
    const auto why = why_unreachable(*from.netns, transport, {address_of(to, from, v6), 7},
                                     milliseconds{expected ? 5000 : 120});
    if (why.empty()) names.insert(to.name);
  }
  return names;
}

void expect_every_pair(const std::vector<End>& ends, Transport transport, bool v6) {
  std::map<string, std::unique_ptr<EchoServer>> servers;
  for (const auto& end : ends) {
    FW_ASSIGN(servers[end.name], EchoServer::start(*end.netns, transport, 7));
  }
  std::map<string, std::set<string>> found;
  for (const auto& from : ends) found[from.name];
  std::vector<std::thread> threads;
  for (const auto& from : ends)
    threads.emplace_back(
        [&, out = &found[from.name]] { *out = reached(from, ends, transport, v6); });
  for (auto& thread : threads) thread.join();

  for (const auto& to : ends) {
    std::size_t expected = 0;
    for (const auto& from : ends) {
      if (from.name == to.name) continue;
      const bool allowed = kAllowed.contains({from.name, to.name});
      expected += allowed ? 1 : 0;
      EXPECT_EQ(found[from.name].contains(to.name), allowed)
          << from.name << " -> " << to.name << (v6 ? " on IPv6" : " on IPv4");
    }
    std::set<std::pair<string, int>> peers;
    for (const auto& peer : servers[to.name]->peers()) peers.insert({peer.address, peer.port});
    EXPECT_EQ(peers.size(), expected) << "that many got through to " << to.name;
  }
}

// What a policy calls an end of the lab.
string name_of(const End& end) {
  return end.name == "client" ? "internet" : end.name;
}

// `fwctl explain`: of the programs in the kernel, and of the file.
TEST_F(Zones, TheKernelAndTheFileGiveTheAnswerThatIsTrue) {
  for (const End& from : ends())
    for (const End& to : ends()) {
      if (from.name == to.name) continue;
      const string target = name_of(to) + ":7/tcp";
      SCOPED_TRACE(name_of(from) + " -> " + target);
      const auto kernel = host_->ctl({"explain", name_of(from), target, "--json"});
      const auto file =
          host_->ctl({"explain", name_of(from), target, "--json", "-f", host_->policy_file()});
      ASSERT_THAT(kernel.status, testing::AnyOf(0, 1)) << kernel.describe();
      const auto said = nlohmann::json::parse(kernel.out);
      const auto written = nlohmann::json::parse(file.out);
      EXPECT_EQ(said["asked"], "kernel");
      EXPECT_EQ(written["asked"], "image");
      EXPECT_EQ(said["verdict"], written["verdict"]);
      EXPECT_EQ(said["reason"], written["reason"]);
      EXPECT_EQ(said["rule"], written["rule"]);
      // These two do not pass the host; what it would say is in the file.
      const bool passes = !(from.name == "client" && to.name == "lan") &&
                          !(from.name == "lan" && to.name == "client");
      if (passes) {
        EXPECT_EQ(said["verdict"] == "allow", kAllowed.contains({from.name, to.name}));
      }
    }
}

TEST_F(Zones, EveryOrderedPairOverTcp) {
  for (const bool v6 : {false, true}) expect_every_pair(ends(), Transport::kTcp, v6);
}

TEST_F(Zones, EveryOrderedPairOverUdp) {
  for (const bool v6 : {false, true}) expect_every_pair(ends(), Transport::kUdp, v6);
}

TEST_F(Zones, PingFollowsItsOwnRules) {
  const auto& web = lab_->container("web").netns;
  EXPECT_TRUE(pings(web, lab_->container("api").address4()));
  EXPECT_TRUE(pings(web, lab_->container("db").address6()));
  const auto before = dropped(*host_, "NO_RULE");
  ping_once(lab_->container("api").netns, lab_->container("web").address4());
  ping_once(lab_->container("api").netns, lab_->container("web").address6());
  EXPECT_GE(dropped(*host_, "NO_RULE"), before + 2);
  EXPECT_GT(counted_by_rule(*host_, "dmz -> internal:ping"), 0U);
}

TEST_F(Zones, ADoorLessContainerIsNotReachedFromTheUplink) {
  const auto before = dropped(*host_, "NOT_PUBLISHED");
  for (const auto* netns : {&lab_->client, &lab_->router})
    for (const auto& address :
         {lab_->container("web").address4(), lab_->container("web").address6()})
      EXPECT_FALSE(Client::connect(*netns, Transport::kTcp, {address, 7}, milliseconds{120}));
  EXPECT_GE(dropped(*host_, "NOT_PUBLISHED"), before + 4);
}

TEST_F(Zones, AContainerThatNothingNamesIsDenied) {
  const auto& stray = lab_->container("stray");
  const auto before = dropped(*host_, "UNMANAGED");
  FW_ASSIGN(const auto api, EchoServer::start(lab_->container("api").netns, Transport::kTcp, 7));
  FW_ASSIGN(const auto server, EchoServer::start(stray.netns, Transport::kTcp, 7));
  for (const auto* to : {"172.20.2.20", "fd00:dead:beef:2::20", kClient4, kHost4})
    EXPECT_FALSE(Client::connect(stray.netns, Transport::kTcp, {to, 7}, milliseconds{120})) << to;
  for (const auto* from : {"web", "api", "mon"})
    EXPECT_FALSE(Client::connect(lab_->container(from).netns, Transport::kTcp,
                                 {stray.address4(), 7}, milliseconds{120}))
        << from;
  EXPECT_GE(dropped(*host_, "UNMANAGED"), before + 7);
  EXPECT_TRUE(api->peers().empty());
  EXPECT_TRUE(server->peers().empty());
}

TEST_F(Zones, OneBridgeNeedsNoBrNetfilter) {
  for (const auto* value : {"0", "1"}) {
    // The setting is the namespace's own where the kernel has it at all.
    (void)lab_->host.sysctl("net/bridge/bridge-nf-call-iptables", value);
    (void)lab_->host.sysctl("net/bridge/bridge-nf-call-ip6tables", value);
    FW_ASSIGN(const auto db, EchoServer::start(lab_->container("db").netns, Transport::kTcp, 7));
    FW_ASSIGN(const auto web2,
              EchoServer::start(lab_->container("web2").netns, Transport::kTcp, 7));
    for (const auto& address : {lab_->container("db").address4(), lab_->container("db").address6()})
      EXPECT_EQ(why_unreachable(lab_->container("api").netns, Transport::kTcp, {address, 7}), "");
    for (const auto& address :
         {lab_->container("web2").address4(), lab_->container("web2").address6()})
      EXPECT_FALSE(Client::connect(lab_->container("web").netns, Transport::kTcp, {address, 7},
                                   milliseconds{120}));
    EXPECT_EQ(db->peers().size(), 2U);
    EXPECT_TRUE(web2->peers().empty());
  }
}

string replaced(string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  EXPECT_NE(at, string::npos) << from;
  return at == string::npos ? text : text.replace(at, from.size(), to);
}

TEST_F(Zones, TheHostGoesOutOnlyWhereEgressAllows) {
  FW_ASSIGN(const auto server, EchoServer::start(lab_->client, Transport::kTcp, 7));
  FW_ASSIGN(const auto lan, EchoServer::start(lab_->router, Transport::kTcp, 7));
  EXPECT_EQ(why_unreachable(lab_->host, Transport::kTcp, {kClient4, 7}), "");
  EXPECT_EQ(why_unreachable(lab_->host, Transport::kTcp, {kClient6, 7}), "");
  const auto closed =
      replaced(replaced(kPolicy, "uplinks: [eth0]", "uplinks: [eth0]\n  egress: deny"),
               "allow:", "allow:\n  - host -> lan:7");
  ASSERT_TRUE(host_->apply(closed).ok());
  for (const auto* address : {kClient4, kClient6})
    EXPECT_FALSE(Client::connect(lab_->host, Transport::kTcp, {address, 7}, milliseconds{150}));
  EXPECT_EQ(why_unreachable(lab_->host, Transport::kTcp, {"192.168.1.1", 7}), "");
  EXPECT_EQ(why_unreachable(lab_->host, Transport::kTcp, {"fd00:1::1", 7}), "");
  EXPECT_EQ(server->peers().size(), 2U);
  EXPECT_EQ(lan->peers().size(), 2U);
}

TEST_F(Zones, TighteningCutsALiveFlowAndNoOther) {
  FW_ASSIGN(const auto api, EchoServer::start(lab_->container("api").netns, Transport::kTcp, 7));
  FW_ASSIGN(const auto db, EchoServer::start(lab_->container("db").netns, Transport::kTcp, 7));
  const auto cut = Conversation::start(lab_->container("web").netns, Transport::kTcp,
                                       {lab_->container("api").address4(), 7});
  const auto kept = Conversation::start(lab_->container("mon").netns, Transport::kTcp,
                                        {lab_->container("db").address6(), 7});
  ASSERT_TRUE(cut && kept);
  ASSERT_TRUE(host_->apply(replaced(kPolicy, "  - dmz -> internal:7/tcp+udp\n", "")).ok());
  const auto before = dropped(*host_, "NO_RULE");
  EXPECT_TRUE(eventually(milliseconds{5000}, [&] { return dropped(*host_, "NO_RULE") > before; }));
  const auto so_far = cut->messages();
  EXPECT_TRUE(kept->goes_on(50)) << kept->end();
  EXPECT_EQ(cut->messages(), so_far) << "the flow that is no longer allowed goes on";
  EXPECT_EQ(kept->end(), "");
  cut->abandon();
}

TEST_F(Zones, ABlockRuleCutsWhatAnAllowRuleLetIn) {
  FW_ASSIGN(const auto api, EchoServer::start(lab_->container("api").netns, Transport::kTcp, 7));
  const auto& web = lab_->container("web").netns;
  EXPECT_EQ(why_unreachable(web, Transport::kTcp, {"172.20.2.20", 7}), "");
  ASSERT_TRUE(host_->apply(string{kPolicy} + "block:\n  - web -> api\n").ok());
  const auto before = dropped(*host_, "BLOCKED");
  EXPECT_FALSE(Client::connect(web, Transport::kTcp, {"172.20.2.20", 7}, milliseconds{150}));
  EXPECT_GT(dropped(*host_, "BLOCKED"), before);
  EXPECT_EQ(why_unreachable(lab_->container("web2").netns, Transport::kTcp, {"172.20.2.20", 7}),
            "");
}

// --- how a machine gets its address

// A UDP socket on one port of one link that may broadcast.
Fd dhcp_socket(const NetNs& netns, const char* link, std::uint16_t port) {
  return netns.enter([&] {
    Fd fd{socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    const int on = 1;
    setsockopt(fd.get(), SOL_SOCKET, SO_BROADCAST, &on, sizeof(on));
    setsockopt(fd.get(), SOL_SOCKET, SO_BINDTODEVICE, link,
               static_cast<socklen_t>(std::char_traits<char>::length(link)));
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_port = htons(port);
    EXPECT_EQ(bind(fd.get(), reinterpret_cast<const sockaddr*>(&any), sizeof(any)), 0);
    return fd;
  });
}

bool broadcast_arrives(const Fd& from, const Fd& to, std::uint16_t port) {
  sockaddr_in everyone{};
  everyone.sin_family = AF_INET;
  everyone.sin_port = htons(port);
  everyone.sin_addr.s_addr = INADDR_BROADCAST;
  char text[8] = "";
  for (int attempt = 0; attempt < 10; ++attempt) {
    sendto(from.get(), "dhcp", 4, 0, reinterpret_cast<const sockaddr*>(&everyone),
           sizeof(everyone));
    pollfd ready{to.get(), POLLIN, 0};
    if (poll(&ready, 1, 300) > 0 && recv(to.get(), text, sizeof(text), 0) == 4) return true;
  }
  return false;
}

TEST_F(Zones, TheHostMayAskForAnAddress) {
  const Fd server = dhcp_socket(lab_->router, "lan0", 67);
  const Fd client = dhcp_socket(lab_->host, "eth0", 68);
  EXPECT_TRUE(broadcast_arrives(client, server, 67));
  EXPECT_TRUE(broadcast_arrives(server, client, 68));
}

}  // namespace
}  // namespace fw::test
