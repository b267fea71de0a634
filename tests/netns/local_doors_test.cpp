// SPDX-License-Identifier: GPL-2.0-only
// Doors used from inside, by real programs: by this machine's own processes (the hooks on their
// sockets), by containers, and by a machine on the LAN of a router.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/fmt/fmt.h>

#include "tests/netns/world.h"
#include "tests/support/nginx.h"
#include "tests/support/privilege.h"
#include "tests/support/scratch.h"

namespace fw::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kBridge4 = "172.20.1.1";
constexpr const char* kBridge6 = "fd00:dead:beef:1::1";

constexpr const char* kHead = R"(version: 1
name: inside
host:
  uplinks: [eth0]
  egress: deny
zones:
  lan: {subnets: [192.168.1.0/24, "fd00:1::/64"]}
  dmz: {subnets: [172.20.1.0/24, "fd00:dead:beef:1::/64"]}
  internal: {services: [db]}
services:
  web: {addresses: [172.20.1.10, "fd00:dead:beef:1::10"], ports: {http: 80, echo: 7/tcp+udp}}
  db:  {addresses: [172.20.2.20, "fd00:dead:beef:2::20"], ports: {echo: 7/tcp+udp}}
  replicas: {addresses: [172.20.1.10, 172.20.2.20], ports: {echo: 7}}
  own: {host: true, ports: {echo: 7007}}
publish:
  http: {router: 80, host: 8080, to: web:http, from: [internet, lan]}
  echo: {host: 8007, to: web:echo, from: internet}
  rest: {host: 8009, to: db:echo, from: lan}
)";
constexpr const char* kLoopback = R"(  admin:  {host: "127.0.0.1:8000", to: web:http}
  admin6: {host: "[::1]:8000", to: web:http}
  local:  {host: "127.0.0.1:9007", to: web:echo}
  local6: {host: "[::1]:9007", to: web:echo}
  both:   {host: "127.0.0.1:9008", to: replicas:echo}
  self:   {host: "127.0.0.1:9009", to: own:echo}
)";

std::string policy() {
  return std::string{kHead} + kLoopback;
}

class LocalDoors : public testing::Test {
 protected:
  void SetUp() override {
    FW_REQUIRE_ROOT();
    FW_ASSIGN(lab_, Lab::create({.containers = {{.name = "web"},
                                                {.name = "api", .id = 11},
                                                {.name = "db", .network = 2, .id = 20}}}));
    FW_ASSIGN(auto nginx, Nginx::start(web()));
    nginx_.emplace(std::move(nginx));
    for (const char* name : {"web", "db"})
      for (const Transport transport : {Transport::kTcp, Transport::kUdp}) {
        FW_ASSIGN(servers_.emplace_back(),
                  EchoServer::start(lab_->container(name).netns, transport, 7));
      }
    FW_ASSIGN(host_, lab_->enforce(lab_->host, policy()));
  }

  [[nodiscard]] const NetNs& web() const { return lab_->container("web").netns; }
  [[nodiscard]] const NetNs& host() const { return lab_->host; }
  [[nodiscard]] const EchoServer& server(std::size_t number) const { return *servers_.at(number); }

  // "BODY ADDRESS:PORT": whom the server sees, and whom the client thinks that it talks to.
  static std::string get(const NetNs& from, const std::string& url) {
    const Output answer = from.run({"curl", "-sSg", "--noproxy", "*", "--max-time", "5", "-w",
                                    " %{remote_ip}:%{remote_port}", url});
    if (!answer.ok()) return answer.describe();
    constexpr std::string_view kGreeting = "you are ";
    std::string text = answer.out;
    std::erase(text, '\n');
    return text.starts_with(kGreeting) ? text.substr(kGreeting.size()) : text;
  }

  std::unique_ptr<Lab> lab_;
  std::optional<Nginx> nginx_;
  std::vector<std::unique_ptr<EchoServer>> servers_;
  Daemon* host_ = nullptr;
};

TEST_F(LocalDoors, TheHostUsesLoopbackDoorsAndItsOwnPublicOnes) {
  EXPECT_EQ(get(host(), "http://127.0.0.1:8000"), "172.20.1.1 127.0.0.1:8000");
  EXPECT_EQ(get(host(), "http://[::1]:8000"), "fd00:dead:beef:1::1 ::1:8000");
  EXPECT_EQ(get(host(), "http://192.168.1.100:8080"), "172.20.1.1 192.168.1.100:8080");
  EXPECT_EQ(get(host(), "http://[fd00:1::100]:8080"), "fd00:dead:beef:1::1 fd00:1::100:8080");
  EXPECT_EQ(get(host(), "http://127.0.0.1:8080"), "172.20.1.1 127.0.0.1:8080");
  EXPECT_EQ(get(host(), "http://0.0.0.0:8000"), "172.20.1.1 127.0.0.1:8000");
  EXPECT_EQ(get(host(), "http://[::ffff:127.0.0.1]:8000"), "172.20.1.1 ::ffff:127.0.0.1:8000");
  EXPECT_EQ(nginx_->access_log().size(), 7U);
  EXPECT_GT(counted_at_door(*host_, "admin"), 0U);
}

TEST_F(LocalDoors, GetpeernameTellsTheDoor) {
  for (const char* address : {"127.0.0.1", "::1"})
    for (const Transport transport : {Transport::kTcp, Transport::kUdp}) {
      const Endpoint door{address, 9007};
      FW_ASSIGN(Client client, Client::connect(host(), transport, door));
      FW_ASSIGN(const std::string back, client.echo("hello"));
      EXPECT_EQ(back, "hello");
      EXPECT_EQ(client.peer(), door);
    }
  // What is no door stays what it is.
  FW_ASSIGN(auto listener, EchoServer::start(host(), Transport::kTcp, 7007));
  FW_ASSIGN(const Client plain, Client::connect(host(), Transport::kTcp, {"127.0.0.1", 7007}));
  EXPECT_EQ(plain.peer(), (Endpoint{"127.0.0.1", 7007}));
}

TEST_F(LocalDoors, AnUnconnectedSocketHearsTheDoor) {
  for (const Endpoint& door : {Endpoint{"127.0.0.1", 9007}, Endpoint{"::1", 9007},
                               Endpoint{"192.168.1.100", 8007}, Endpoint{"fd00:1::100", 8007}}) {
    FW_ASSIGN(const Endpoint source, source_of_answer(host(), door));
    EXPECT_EQ(source, door);
  }
}

TEST_F(LocalDoors, ConnectionsAreSpreadOverTheBackends) {
  for (int i = 0; i < 40; ++i)
    ASSERT_EQ(why_unreachable(host(), Transport::kTcp, {"127.0.0.1", 9008}), "");
  EXPECT_GT(server(0).peers().size(), 5U);
  EXPECT_GT(server(2).peers().size(), 5U);
}

TEST_F(LocalDoors, ADoorToAServiceOfTheHostItself) {
  FW_ASSIGN(auto own, EchoServer::start(host(), Transport::kTcp, 7007));
  const Endpoint door{"127.0.0.1", 9009};
  FW_ASSIGN(const Client client, Client::connect(host(), Transport::kTcp, door));
  EXPECT_EQ(client.peer(), door);
}

TEST_F(LocalDoors, NobodyElseUsesThem) {
  for (const NetNs* other : {&lab_->client, &lab_->router, &web()}) {
    const std::string said = get(*other, "http://127.0.0.1:8000");
    EXPECT_THAT(said, HasSubstr("Couldn't connect")) << other->name();
  }
  EXPECT_THAT(nginx_->access_log(), testing::IsEmpty());
}

TEST_F(LocalDoors, TheyFollowThePolicy) {
  ASSERT_EQ(get(host(), "http://127.0.0.1:8000"), "172.20.1.1 127.0.0.1:8000");
  auto talk = Conversation::start(host(), Transport::kTcp, {"127.0.0.1", 9007});
  ASSERT_TRUE(talk);

  const std::string blocked = policy() + "block:\n  - host -> host:8000\n";
  ASSERT_TRUE(host_->apply(blocked).ok());
  EXPECT_THAT(get(host(), "http://127.0.0.1:8000"), HasSubstr("Couldn't connect"));
  EXPECT_TRUE(talk->goes_on()) << "its door stays";

  ASSERT_TRUE(host_->apply(std::string{kHead} + "block:\n  - host -> web\n").ok());
  EXPECT_TRUE(eventually(milliseconds{10000}, [&] { return !talk->goes_on(1); }));
  talk->abandon();
  EXPECT_THAT(get(host(), "http://127.0.0.1:9007"), HasSubstr("Couldn't connect"));
}

TEST_F(LocalDoors, TheyOutliveTheDaemonAndEndWithTheTeardown) {
  const Endpoint door{"127.0.0.1", 9007};
  FW_ASSIGN(Client client, Client::connect(host(), Transport::kTcp, door));
  host_->kill();
  EXPECT_EQ(get(host(), "http://[::1]:8000"), "fd00:dead:beef:1::1 ::1:8000");
  FW_ASSERT_OK(host_->start());
  EXPECT_EQ(get(host(), "http://127.0.0.1:8000"), "172.20.1.1 127.0.0.1:8000");
  EXPECT_TRUE(client.echo("still here"));
  EXPECT_EQ(client.peer(), door) << "the new programs know the old sockets";

  const auto status = ask(*host_, {"status"});
  EXPECT_EQ(status["local_doors"]["open"], true) << status;
  ASSERT_TRUE(host_->ctl({"teardown"}).ok());
  EXPECT_THAT(get(host(), "http://127.0.0.1:8000"), HasSubstr("Couldn't connect"));
}

// Each fwd serves the processes of its own network namespace, under one root of the cgroups.
TEST_F(LocalDoors, TwoMachinesUnderOneKernelAreKeptApart) {
  FW_ASSERT_OK(lab_->enforce(lab_->router, R"(version: 1
host: {uplinks: [wan0]}
zones: {lan: {subnets: [192.168.1.0/24], interfaces: [lan0]}}
services: {shop: {addresses: [192.168.1.100], ports: {http: 8080}}}
publish:
  admin: {host: "127.0.0.1:8000", to: shop:http}
)"));
  EXPECT_EQ(get(lab_->router, "http://127.0.0.1:8000"), "192.168.1.1 127.0.0.1:8000");
  EXPECT_EQ(get(host(), "http://127.0.0.1:8000"), "172.20.1.1 127.0.0.1:8000");
}

TEST_F(LocalDoors, WithoutCgroupsALoopbackDoorIsRefused) {
  FW_ASSIGN(const Scratch files, Scratch::create("nocgroup"));
  const auto start = [&](const std::string& text) {
    EXPECT_TRUE(write_file(files / "fwd.yaml", text));
    return lab_->client.run(
        {"unshare", "--mount", "sh", "-c",
         "grep ' cgroup2 ' /proc/self/mounts | cut -d' ' -f2 | xargs -rn1 umount -l && "
         "mount -t bpf bpf " +
             std::string{files / "bpf"} + " && exec \"$@\"",
         "sh", program_path("fwd"), "--config", files / "fwd.yaml", "--socket", files / "fwd.sock",
         "--bpffs", files / "bpf/fwd", "--state", files / "state", "--metrics", "off"},
        milliseconds{20000});
  };
  std::filesystem::create_directory(files / "bpf");
  const Output refused = start(policy());
  EXPECT_NE(refused.status, 0);
  EXPECT_FALSE(refused.timed_out);
  EXPECT_THAT(refused.err, HasSubstr("opening the doors on loopback addresses: cgroups of version "
                                     "2 are not mounted"));
}

// --- containers, and the LAN of a router

TEST_F(LocalDoors, ContainersUsePublicDoors) {
  const NetNs& api = lab_->container("api").netns;
  const NetNs& db = lab_->container("db").netns;
  EXPECT_EQ(get(api, "http://172.20.1.1:8080"), "172.20.1.11 172.20.1.1:8080");
  EXPECT_EQ(get(api, "http://192.168.1.100:8080"), "172.20.1.11 192.168.1.100:8080");
  EXPECT_EQ(get(api, "http://[fd00:1::100]:8080"), "fd00:dead:beef:1::11 fd00:1::100:8080");
  EXPECT_EQ(get(db, "http://192.168.1.100:8080"), "172.20.2.20 192.168.1.100:8080");
  EXPECT_EQ(why_unreachable(db, Transport::kUdp, {kBridge4, 8007}), "");
  EXPECT_EQ(why_unreachable(db, Transport::kUdp, {kBridge6, 8007}), "");
  // Its own.
  EXPECT_EQ(get(web(), "http://192.168.1.100:8080"), "172.20.1.1 192.168.1.100:8080");
  EXPECT_EQ(get(web(), "http://[fd00:1::100]:8080"), "fd00:dead:beef:1::1 fd00:1::100:8080");
  EXPECT_EQ(why_unreachable(web(), Transport::kUdp, {kBridge4, 8007}), "");
}

TEST_F(LocalDoors, ADoorForTheLanOnlyStaysClosedToContainers) {
  const auto tried = why_unreachable(lab_->container("api").netns, Transport::kTcp,
                                     {"192.168.1.100", 8009}, milliseconds{1500});
  EXPECT_NE(tried, "");
  EXPECT_EQ(why_unreachable(lab_->router, Transport::kTcp, {"192.168.1.100", 8009}), "");
}

TEST_F(LocalDoors, AMachineOnTheLanUsesTheRoutersPublicAddress) {
  FW_ASSERT_OK(lab_->enforce(lab_->router, R"(version: 1
host: {uplinks: [wan0]}
zones:
  lan: {subnets: [192.168.1.0/24, "fd00:1::/64"], interfaces: [lan0], masquerade: true}
services:
  shop: {addresses: [192.168.1.100, "fd00:1::100"], ports: {http: 8080}}
publish:
  http: {host: 80, to: shop:http, from: [internet, lan]}
)"));
  ASSERT_TRUE(host_->apply(policy() + "allow:\n  - host -> internet\n  - dmz -> internet\n").ok());
  EXPECT_EQ(get(host(), "http://198.51.100.1:80"), "192.168.1.1 198.51.100.1:80");
  EXPECT_EQ(get(host(), "http://[2001:db8:1::1]:80"), "fd00:1::1 2001:db8:1::1:80");
  // A container of that machine, masqueraded on its way, and the backend itself.
  for (const char* name : {"api", "web"})
    EXPECT_EQ(get(lab_->container(name).netns, "http://198.51.100.1:80"),
              "192.168.1.1 198.51.100.1:80");
  // From outside, the server still sees the client.
  EXPECT_THAT(get(lab_->client, "http://198.51.100.1:80"), StartsWith("198.51.100.10 "));
}

}  // namespace
}  // namespace fw::test
