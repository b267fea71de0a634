// SPDX-License-Identifier: GPL-2.0-only
// The main job: router:80 -> host:8080 -> container:80 with fwd on both hops, in XDP and in TC
// mode. Each test holds in both modes, or the modes would not be the same firewall.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <spdlog/fmt/fmt.h>
#include <sys/socket.h>

#include <arpa/inet.h>

#include <array>
#include <map>

#include "tests/netns/world.h"
#include "tests/support/nginx.h"
#include "tests/support/privilege.h"

namespace fw::test {
namespace {

using testing::Contains;

// A network, its web server and both daemons; made once for each mode.
struct Hops {
  std::unique_ptr<Lab> lab;
  std::unique_ptr<Nginx> nginx;
  std::unique_ptr<EchoServer> tcp;
  std::unique_ptr<EchoServer> udp;
  Daemon* router = nullptr;
  Daemon* host = nullptr;
};

Result<Hops> make_hops(const std::string& mode) {
  Hops hops;
  auto lab = Lab::create({.containers = {{.name = "web"}, {.name = "other", .id = 11}},
                          .finish_checksums = mode == "xdp"});
  if (!lab) return lab.error();
  hops.lab = *std::move(lab);
  const NetNs& web = hops.lab->container("web").netns;
  auto nginx = Nginx::start(web);
  if (!nginx) return nginx.error();
  hops.nginx = std::make_unique<Nginx>(*std::move(nginx));
  for (auto* server : {&hops.tcp, &hops.udp}) {
    auto echo = EchoServer::start(web, server == &hops.tcp ? Transport::kTcp : Transport::kUdp, 7);
    if (!echo) return echo.error();
    *server = *std::move(echo);
  }
  auto router = hops.lab->enforce(hops.lab->router, router_with_echo(mode));
  if (!router) return router.error();
  auto host = hops.lab->enforce(hops.lab->host, host_with_echo(mode));
  if (!host) return host.error();
  hops.router = *router;
  hops.host = *host;
  return hops;
}

class MainJob : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    FW_REQUIRE_ROOT();
    auto& hops = made_[GetParam()];
    if (!hops.lab) {
      FW_ASSIGN(hops, make_hops(GetParam()));
    }
    hops_ = &hops;
  }
  static void TearDownTestSuite() { made_.clear(); }

  [[nodiscard]] const Lab& lab() const { return *hops_->lab; }
  [[nodiscard]] const NetNs& web() const { return lab().container("web").netns; }

  // 32 MB of "b", neither more nor less.
  void expect_big(const Output& answer) const {
    EXPECT_TRUE(answer.ok()) << answer.status << answer.err;
    EXPECT_EQ(answer.out.size(), Nginx::kBigBytes);
    EXPECT_EQ(answer.out.find_first_not_of('b'), std::string::npos);
  }

  Hops* hops_ = nullptr;

 private:
  static inline std::map<std::string, Hops> made_;
};

INSTANTIATE_TEST_SUITE_P(Modes, MainJob, testing::Values("tc", "xdp"),
                         [](const auto& mode) { return std::string{mode.param}; });

TEST_P(MainJob, RunsInTheModeThatThePolicyForces) {
  const std::string wanted = GetParam() == std::string_view{"xdp"} ? "xdp-native" : "tc";
  EXPECT_EQ(mode_of(*hops_->router, "wan0"), wanted);
  EXPECT_EQ(mode_of(*hops_->router, "lan0"), wanted);
  EXPECT_EQ(mode_of(*hops_->host, "eth0"), wanted);
}

TEST_P(MainJob, TheContainerSeesTheClient) {
  EXPECT_EQ(lab().get("http://198.51.100.1/").out, "you are 198.51.100.10\n");
  EXPECT_EQ(lab().get("http://[2001:db8:1::1]/").out, "you are 2001:db8:1::10\n");
  EXPECT_THAT(hops_->nginx->access_log(), Contains("198.51.100.10 200 GET / HTTP/1.1"));
  EXPECT_THAT(hops_->nginx->access_log(), Contains("2001:db8:1::10 200 GET / HTTP/1.1"));
  EXPECT_GT(counted_at_door(*hops_->router, "http"), 0U);
  EXPECT_GT(counted_at_door(*hops_->host, "http"), 0U);
}

TEST_P(MainJob, ADownloadIsWhole) {
  expect_big(lab().get("http://198.51.100.1/big", milliseconds{30000}));
  expect_big(lab().get("http://[2001:db8:1::1]/big", milliseconds{30000}));
}

TEST_P(MainJob, TcpAndUdpGoThroughTheDoor) {
  for (const auto* address : {kRouterWan4, kRouterWan6})
    for (const auto transport : {Transport::kTcp, Transport::kUdp})
      EXPECT_EQ(why_unreachable(lab().client, transport, {address, 7}), "") << address;
  for (const auto* server : {&hops_->tcp, &hops_->udp}) {
    const auto peers = (*server)->peers();
    ASSERT_GE(peers.size(), 2U);
    for (const auto& peer : peers)
      EXPECT_TRUE(peer.address == kClient4 || peer.address == kClient6) << peer.address;
  }
}

TEST_P(MainJob, IperfRunsInBothDirections) {
  FW_ASSIGN(const auto server, web().start({"iperf3", "-s"}));
  const auto finishes = [&](Argv argv) {
    argv.insert(argv.begin(), {"iperf3", "-t", "1", "--connect-timeout", "3000", "-c"});
    // Until the server is up, or has ended the run before.
    return eventually(milliseconds{15000},
                      [&] { return lab().client.run(argv, milliseconds{10000}).ok(); });
  };
  EXPECT_TRUE(finishes({kRouterWan4}));
  EXPECT_TRUE(finishes({kRouterWan6, "-R"}));
}

TEST_P(MainJob, PingIsAnsweredWhereItIsAllowed) {
  for (const auto* address : {kRouterWan4, kRouterWan6, kHost4, kHost6})
    EXPECT_TRUE(pings(lab().client, address)) << address;
  for (const auto* address : {kClient4, kClient6})
    EXPECT_TRUE(pings(web(), address)) << "out of a container, masqueraded twice: " << address;
}

TEST_P(MainJob, APortThatIsNotPublishedIsSilent) {
  const auto before = dropped(*hops_->router, "NOT_PUBLISHED");
  for (const auto* address : {kRouterWan4, kRouterWan6}) {
    const auto closed =
        Client::connect(lab().client, Transport::kTcp, {address, 5432}, milliseconds{300});
    ASSERT_FALSE(closed);
    EXPECT_EQ(closed.error().code, ETIMEDOUT);
  }
  EXPECT_GE(dropped(*hops_->router, "NOT_PUBLISHED"), before + 2);
}

TEST_P(MainJob, ContainersAreNotReachedDirectlyFromTheLan) {
  const auto seen = hops_->tcp->peers().size();
  const auto before = dropped(*hops_->host, "NOT_PUBLISHED");
  for (const auto& address : {lab().container("web").address4(), lab().container("web").address6()})
    EXPECT_NE(why_unreachable(lab().router, Transport::kTcp, {address, 7}, milliseconds{300}), "");
  EXPECT_GE(dropped(*hops_->host, "NOT_PUBLISHED"), before + 2);
  EXPECT_EQ(hops_->tcp->peers().size(), seen);
}

TEST_P(MainJob, AContainerGoesOutAsItsHost) {
  for (const auto transport : {Transport::kTcp, Transport::kUdp}) {
    FW_ASSIGN(const auto server, EchoServer::start(lab().router, transport, 9));
    EXPECT_EQ(why_unreachable(web(), transport, {"192.168.1.1", 9}), "");
    EXPECT_EQ(why_unreachable(web(), transport, {"fd00:1::1", 9}), "");
    const auto peers = server->peers();
    ASSERT_GE(peers.size(), 2U);
    EXPECT_EQ(peers.front().address, kHost4);
    EXPECT_EQ(peers.back().address, kHost6);
  }
}

TEST_P(MainJob, BothHopsMasqueradeOneAfterTheOther) {
  FW_ASSIGN(const auto server, EchoServer::start(lab().client, Transport::kTcp, 7));
  EXPECT_EQ(why_unreachable(web(), Transport::kTcp, {kClient4, 7}), "");
  EXPECT_EQ(why_unreachable(web(), Transport::kTcp, {kClient6, 7}), "");
  const auto peers = server->peers();
  ASSERT_EQ(peers.size(), 2U);
  EXPECT_EQ(peers[0].address, kRouterWan4);
  EXPECT_EQ(peers[1].address, kRouterWan6);
}

// A UDP socket with a local port of the test's choice; two containers that choose the same.
class BoundSocket {
 public:
  BoundSocket(const NetNs& netns, std::uint16_t port, const char* to, std::uint16_t to_port)
      : fd_(netns.enter([] { return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0); })) {
    const sockaddr_in local = name("0.0.0.0", port);
    const sockaddr_in remote = name(to, to_port);
    good_ = bind(fd_.get(), reinterpret_cast<const sockaddr*>(&local), sizeof(local)) == 0 &&
            connect(fd_.get(), reinterpret_cast<const sockaddr*>(&remote), sizeof(remote)) == 0;
  }
  [[nodiscard]] std::string echo(const std::string& text) const {
    std::array<char, 64> back{};
    for (int attempt = 0; good_ && attempt < 20; ++attempt) {
      if (send(fd_.get(), text.data(), text.size(), 0) < 0) continue;
      pollfd ready{fd_.get(), POLLIN, 0};
      if (poll(&ready, 1, 200) <= 0) continue;
      const ssize_t got = recv(fd_.get(), back.data(), back.size(), 0);
      if (got > 0) return {back.data(), static_cast<std::size_t>(got)};
    }
    return "nothing";
  }

 private:
  static sockaddr_in name(const char* address, std::uint16_t port) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(port);
    inet_pton(AF_INET, address, &in.sin_addr);
    return in;
  }
  Fd fd_;
  bool good_ = false;
};

TEST_P(MainJob, TheSamePortOfTwoContainersAndTheHostIsToldApart) {
  FW_ASSIGN(const auto server, EchoServer::start(lab().router, Transport::kUdp, 9));
  const BoundSocket web_socket{web(), 5555, "192.168.1.1", 9};
  const BoundSocket other{lab().container("other").netns, 5555, "192.168.1.1", 9};
  const BoundSocket host{lab().host, 5555, "192.168.1.1", 9};
  for (int again = 0; again < 3; ++again) {
    EXPECT_EQ(web_socket.echo("web"), "web");
    EXPECT_EQ(other.echo("other"), "other");
    EXPECT_EQ(host.echo("host"), "host");
  }
  std::map<std::uint16_t, int> ports;
  for (const auto& peer : server->peers()) {
    EXPECT_EQ(peer.address, kHost4);
    ++ports[peer.port];
  }
  EXPECT_EQ(ports.size(), 3U) << "one source port for each of the three";
}

TEST_P(MainJob, TrafficRecoversFromForgottenNeighbours) {
  for (const auto* address : {kRouterWan4, kRouterWan6}) {
    const auto talk = Conversation::start(lab().client, Transport::kTcp, {address, 7});
    ASSERT_NE(talk, nullptr);
    for (const auto* netns : {&lab().client, &lab().router, &lab().host, &web()}) {
      for (const auto* family : {"-4", "-6"})
        ASSERT_TRUE(netns->run({"ip", family, "neigh", "flush", "all"}).ok());
      EXPECT_TRUE(talk->goes_on()) << talk->end();
    }
    EXPECT_EQ(talk->end(), "");
  }
  EXPECT_EQ(lab().get("http://198.51.100.1/").out, "you are 198.51.100.10\n");
}

// --- path MTU

// Sets a link's MTU for the time of a test, on one end or both.
class SmallLink {
 public:
  SmallLink(const NetNs& netns, std::string link) : netns_(netns), link_(std::move(link)) {
    good_ = netns_.run({"ip", "link", "set", link_, "mtu", "1300"}).ok();
  }
  ~SmallLink() { (void)netns_.run({"ip", "link", "set", link_, "mtu", "1500"}); }
  SmallLink(const SmallLink&) = delete;
  SmallLink& operator=(const SmallLink&) = delete;
  [[nodiscard]] bool good() const { return good_; }

 private:
  const NetNs& netns_;
  std::string link_;
  bool good_ = false;
};

void forget_path_mtu(const Lab& lab) {
  for (const auto* netns : {&lab.client, &lab.container("web").netns})
    for (const auto* family : {"-4", "-6"})
      (void)netns->run({"ip", family, "route", "flush", "cache"});
}

// `ip route get` tells what path MTU discovery has learned.
std::string learned(const NetNs& netns, const std::string& to) {
  return netns.run({"ip", "route", "get", to}).out;
}

TEST_P(MainJob, ASmallerLinkTowardsTheClientIsNoBlackHole) {
  const SmallLink wan{lab().router, "wan0"};
  ASSERT_TRUE(wan.good());
  for (const auto* url : {"http://198.51.100.1/big", "http://[2001:db8:1::1]/big"})
    expect_big(lab().get(url, milliseconds{30000}));
  forget_path_mtu(lab());
}

// The connection is older than the small link, so only path MTU discovery can help.
TEST_P(MainJob, ALinkThatShrinksIsNoBlackHoleInEitherDirection) {
  FW_ASSIGN(auto client4, Client::connect(lab().client, Transport::kTcp, {kRouterWan4, 7}));
  FW_ASSIGN(auto client6, Client::connect(lab().client, Transport::kTcp, {kRouterWan6, 7}));
  const SmallLink lan{lab().router, "lan0"};
  const SmallLink uplink{lab().host, "eth0"};
  ASSERT_TRUE(lan.good() && uplink.good());
  const std::string block(1U << 20U, 'u');
  // fwd hears of the links a moment later.
  const auto learns = [&](Client& client, const NetNs& netns, const char* to) {
    return eventually(milliseconds{30000}, [&] {
      const auto back = client.echo(block, milliseconds{20000});
      EXPECT_TRUE(back && *back == block);
      return !back || learned(netns, to).find("mtu 1300") != std::string::npos;
    });
  };
  EXPECT_TRUE(learns(client4, lab().client, kRouterWan4));
  EXPECT_TRUE(learns(client6, web(), kClient6));
  forget_path_mtu(lab());
}

// --- TTL

// What the kernel tells a socket about the datagram it sent: the error's type and its author. The
// kernel does so only if the error quotes the datagram as the client sent it.
struct SocketError {
  int type = -1;
  std::string author;
};

SocketError probe(const NetNs& from, const char* to, int ttl) {
  const bool v6 = std::string_view{to}.find(':') != std::string_view::npos;
  const int family = v6 ? AF_INET6 : AF_INET;
  const Fd fd{from.enter([&] { return socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0); })};
  const int on = 1;
  setsockopt(fd.get(), v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_RECVERR : IP_RECVERR, &on,
             sizeof(on));
  setsockopt(fd.get(), v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_UNICAST_HOPS : IP_TTL, &ttl,
             sizeof(ttl));
  sockaddr_in6 in6{};
  sockaddr_in in{};
  in6.sin6_family = AF_INET6;
  in6.sin6_port = htons(7);
  inet_pton(AF_INET6, to, &in6.sin6_addr);
  in.sin_family = AF_INET;
  in.sin_port = htons(7);
  inet_pton(AF_INET, to, &in.sin_addr);
  const auto* name = v6 ? reinterpret_cast<sockaddr*>(&in6) : reinterpret_cast<sockaddr*>(&in);
  const socklen_t length = v6 ? sizeof(in6) : sizeof(in);
  for (int attempt = 0; attempt < 10; ++attempt) {
    (void)sendto(fd.get(), "ttl", 3, 0, name, length);
    pollfd ready{fd.get(), 0, 0};
    if (poll(&ready, 1, 500) <= 0) continue;
    std::array<char, 512> control{};
    std::array<char, 64> data{};
    iovec vector{data.data(), data.size()};
    msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    if (recvmsg(fd.get(), &message, MSG_ERRQUEUE) < 0) continue;
    for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
      const auto* error = reinterpret_cast<const sock_extended_err*>(CMSG_DATA(c));
      if (c->cmsg_type != (v6 ? IPV6_RECVERR : IP_RECVERR)) continue;
      char text[INET6_ADDRSTRLEN] = "";
      const auto* author = reinterpret_cast<const sockaddr*>(error + 1);
      if (v6)
        inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(author)->sin6_addr, text,
                  sizeof(text));
      else
        inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(author)->sin_addr, text,
                  sizeof(text));
      return {error->ee_type, text};
    }
  }
  return {};
}

TEST_P(MainJob, EachHopAnswersAnExpiredTtlThroughTheTranslation) {
  constexpr int kTimeExceeded6 = 3;
  const auto first4 = probe(lab().client, kRouterWan4, 1);
  EXPECT_EQ(first4.type, ICMP_TIME_EXCEEDED);
  EXPECT_EQ(first4.author, kRouterWan4);
  const auto first6 = probe(lab().client, kRouterWan6, 1);
  EXPECT_EQ(first6.type, kTimeExceeded6);
  EXPECT_EQ(first6.author, kRouterWan6);
  // From behind the router's door: the quoted packet must be the one that the client sent.
  EXPECT_EQ(probe(lab().client, kRouterWan4, 2).type, ICMP_TIME_EXCEEDED);
  EXPECT_EQ(probe(lab().client, kRouterWan6, 2).type, kTimeExceeded6);
}

}  // namespace
}  // namespace fw::test
