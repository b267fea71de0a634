// SPDX-License-Identifier: GPL-2.0-only
// Datagrams larger than a link, and links smaller than a segment: real programs through both hops.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <map>

#include "tests/netns/world.h"
#include "tests/support/nginx.h"
#include "tests/support/packet.h"
#include "tests/support/privilege.h"

namespace fw::test {
namespace {

constexpr milliseconds kPatience{15000};
constexpr std::size_t kLarge = 8192;

struct Network {
  std::unique_ptr<Lab> lab;
  std::unique_ptr<Nginx> nginx;
  std::unique_ptr<EchoServer> echo;
  Daemon* router = nullptr;
  Daemon* host = nullptr;
};

Result<Network> make_network(const std::string& mode) {
  Network network;
  auto lab = Lab::create({.containers = {{.name = "web"}}, .finish_checksums = mode == "xdp"});
  if (!lab) return lab.error();
  network.lab = *std::move(lab);
  const NetNs& web = network.lab->container().netns;
  auto nginx = Nginx::start(web);
  if (!nginx) return nginx.error();
  network.nginx = std::make_unique<Nginx>(*std::move(nginx));
  auto echo = EchoServer::start(web, Transport::kUdp, 7);
  if (!echo) return echo.error();
  network.echo = *std::move(echo);
  auto router = network.lab->enforce(network.lab->router, router_with_echo(mode));
  if (!router) return router.error();
  auto host = network.lab->enforce(network.lab->host, host_with_echo(mode));
  if (!host) return host.error();
  network.router = *router;
  network.host = *host;
  return network;
}

class LargeDatagrams : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    FW_REQUIRE_ROOT();
    auto& network = made_[GetParam()];
    if (!network.lab) {
      FW_ASSIGN(network, make_network(GetParam()));
    }
    network_ = &network;
  }
  static void TearDownTestSuite() { made_.clear(); }

  [[nodiscard]] const Lab& lab() const { return *network_->lab; }
  [[nodiscard]] const NetNs& web() const { return lab().container().netns; }

  Network* network_ = nullptr;

 private:
  static inline std::map<std::string, Network> made_;
};

INSTANTIATE_TEST_SUITE_P(Modes, LargeDatagrams, testing::Values("tc", "xdp"),
                         [](const auto& mode) { return std::string{mode.param}; });

std::string text_of(std::size_t bytes) {
  std::string text(bytes, ' ');
  for (std::size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>('a' + i * 7 % 26);
  return text;
}

void expect_echo(const NetNs& from, const Endpoint& to, std::size_t bytes) {
  SCOPED_TRACE(to.address);
  FW_ASSIGN(auto client, Client::connect(from, Transport::kUdp, to));
  for (int again = 0; again < 3; ++again) {
    FW_ASSIGN(const auto back, client.echo(text_of(bytes), kPatience));
    EXPECT_TRUE(back == text_of(bytes)) << back.size();
  }
}

TEST_P(LargeDatagrams, GoThroughBothDoorsAndBack) {
  const auto before = dropped(*network_->router, "FRAGMENT") + dropped(*network_->host, "FRAGMENT");
  for (const auto* address : {kRouterWan4, kRouterWan6})
    for (const std::size_t bytes : {kLarge, std::size_t{60000}})
      expect_echo(lab().client, {address, 7}, bytes);
  EXPECT_EQ(dropped(*network_->router, "FRAGMENT") + dropped(*network_->host, "FRAGMENT"), before);
}

TEST_P(LargeDatagrams, GoOutOfAContainerAndOfTheHostItself) {
  FW_ASSIGN(const auto server, EchoServer::start(lab().client, Transport::kUdp, 9));
  for (const auto* address : {kClient4, kClient6})
    for (const NetNs* from : {&web(), &lab().host, &lab().router})
      expect_echo(*from, {address, 9}, kLarge);
}

TEST_P(LargeDatagrams, PingWithALargePayload) {
  const auto pings_large = [](const NetNs& from, const char* to) {
    return from.run({"ping", "-c3", "-i0.2", "-W3", "-s4000", to}).ok();
  };
  for (const auto* address : {kRouterWan4, kRouterWan6, kHost4, kHost6})
    EXPECT_TRUE(pings_large(lab().client, address)) << address;
  for (const auto* address : {kClient4, kClient6})
    EXPECT_TRUE(pings_large(web(), address)) << address;
}

TEST_P(LargeDatagrams, ToAPortThatIsNotPublishedAreDenied) {
  const auto before = dropped(*network_->router, "NOT_PUBLISHED");
  for (const auto* address : {kRouterWan4, kRouterWan6}) {
    FW_ASSIGN(auto client, Client::connect(lab().client, Transport::kUdp, {address, 999}));
    EXPECT_FALSE(client.echo(text_of(kLarge), milliseconds{100}, Resend::kNo));
  }
  EXPECT_GE(dropped(*network_->router, "NOT_PUBLISHED"), before + 12);
}

// Packets as they are, from the network layer on.
class RawSender {
 public:
  RawSender(const NetNs& from, bool ip6)
      : ip6_(ip6), fd_(from.enter([ip6] {
          return socket(ip6 ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
        })) {}

  [[nodiscard]] bool send(const Bytes& frame, const char* to) const {
    sockaddr_in in{};
    sockaddr_in6 in6{};
    in.sin_family = AF_INET;
    in6.sin6_family = AF_INET6;
    inet_pton(AF_INET, to, &in.sin_addr);
    inet_pton(AF_INET6, to, &in6.sin6_addr);
    const auto* name = ip6_ ? reinterpret_cast<sockaddr*>(&in6) : reinterpret_cast<sockaddr*>(&in);
    const socklen_t length = ip6_ ? sizeof(in6) : sizeof(in);
    const std::size_t size = frame.size() - kLink;
    return sendto(fd_.get(), frame.data() + kLink, size, 0, name, length) ==
           static_cast<ssize_t>(size);
  }

 private:
  static constexpr std::size_t kLink = 14;
  bool ip6_;
  Fd fd_;
};

// The answer's length on a socket that has the port which the raw sender speaks for.
class Listener {
 public:
  Listener(const NetNs& in, std::uint16_t port)
      : fd_(in.enter([] { return socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0); })) {
    sockaddr_in6 any{};
    any.sin6_family = AF_INET6;
    any.sin6_port = htons(port);
    good_ = bind(fd_.get(), reinterpret_cast<const sockaddr*>(&any), sizeof(any)) == 0;
  }
  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] ssize_t receive(int patience_ms) const {
    std::array<char, 65536> buffer;
    pollfd ready{fd_.get(), POLLIN, 0};
    return poll(&ready, 1, patience_ms) > 0 ? recv(fd_.get(), buffer.data(), buffer.size(), 0) : -1;
  }

 private:
  Fd fd_;
  bool good_ = false;
};

Bytes datagram(bool ip6, std::size_t bytes) {
  const Udp udp{.sport = 45678, .dport = 7};
  if (ip6) return Eth{} / Ip6{.src = kClient6, .dst = kRouterWan6} / udp / filler(bytes);
  return Eth{} / Ip4{.src = kClient4, .dst = kRouterWan4, .dont_fragment = false} / udp /
         filler(bytes);
}

// Each order of four pieces, each of them answered.
TEST_P(LargeDatagrams, ArriveInAnyOrder) {
  const Listener listener{lab().client, 45678};
  ASSERT_TRUE(listener.good());
  for (const bool ip6 : {false, true}) {
    const RawSender sender{lab().client, ip6};
    std::uint32_t id = 1000;
    std::vector<std::size_t> order = {0, 1, 2, 3};
    do {
      bool answered = false;
      for (int attempt = 0; attempt < 10 && !answered; ++attempt) {
        // No two of the same length, so that a late answer is not taken for another one's.
        const std::size_t bytes = 4 * 1024 - 8 - ++id % 512;
        const auto pieces = fragments(datagram(ip6, bytes), 1024, id);
        ASSERT_EQ(pieces.size(), order.size());
        for (const std::size_t i : order)
          ASSERT_TRUE(sender.send(pieces[i], ip6 ? kRouterWan6 : kRouterWan4));
        answered = listener.receive(500) == static_cast<ssize_t>(bytes);
      }
      EXPECT_TRUE(answered) << testing::PrintToString(order) << (ip6 ? " IPv6" : " IPv4");
    } while (std::next_permutation(order.begin(), order.end()));
  }
}

TEST_P(LargeDatagrams, ForgedPiecesNeverReachTheContainer) {
  const auto seen = network_->echo->peers().size();
  const auto before = dropped(*network_->router, "FRAGMENT");
  for (const bool ip6 : {false, true}) {
    const RawSender sender{lab().client, ip6};
    const char* to = ip6 ? kRouterWan6 : kRouterWan4;
    // The first one is for a port that is closed; an overlap would turn it into that of a door.
    Bytes closed = datagram(ip6, 2040);
    closed[14 + (ip6 ? 40 : 20) + 3] = 9;
    const auto denied = fragments(closed, 1024, 7);
    const auto open = fragments(datagram(ip6, 2040), 512, 7);
    EXPECT_TRUE(sender.send(denied[0], to));
    for (std::size_t i = 1; i < open.size(); ++i) EXPECT_TRUE(sender.send(open[i], to));
    // Pieces without a first one.
    for (const Bytes& piece : {open[1], open[2], open[3]}) {
      Bytes other = piece;
      other[ip6 ? 14 + 40 + 7 : 14 + 5] ^= 0x55;
      EXPECT_TRUE(sender.send(other, to));
    }
  }
  // What waited in vain is counted, too.
  EXPECT_TRUE(eventually(milliseconds{30000}, [&] {
    return dropped(*network_->router, "FRAGMENT") >= before + 2 * (1 + 3);
  })) << dropped(*network_->router, "FRAGMENT") - before;
  EXPECT_EQ(network_->echo->peers().size(), seen);
}

// --- a link smaller than a segment, where path MTU discovery does not work

TEST_P(LargeDatagrams, ADownloadThroughAPathMtuBlackHoleDoesNotHang) {
  const Output deaf = web().run(
      {"nft",
       "add table inet deaf; add chain inet deaf in { type filter hook input priority 0; };"
       "add rule inet deaf in icmp type destination-unreachable counter drop;"
       "add rule inet deaf in icmpv6 type packet-too-big counter drop"});
  ASSERT_TRUE(deaf.ok()) << deaf.describe();
  ASSERT_TRUE(lab().router.run({"ip", "link", "set", "wan0", "mtu", "1400"}).ok());
  const auto before = dropped(*network_->router, "MTU_EXCEEDED");
  ASSERT_TRUE(eventually(kPatience, [&] {
    (void)web().run({"ping", "-c1", "-W0.1", "-Mdo", "-s1440", kClient4});
    return dropped(*network_->router, "MTU_EXCEEDED") > before;
  })) << "fwd has not heard of the new MTU";
  for (const auto* url : {"http://198.51.100.1/big", "http://[2001:db8:1::1]/big"}) {
    const Output answer = lab().get(url, milliseconds{60000});
    EXPECT_TRUE(answer.ok()) << answer.status << answer.err;
    EXPECT_EQ(answer.out.size(), Nginx::kBigBytes);
  }
  EXPECT_TRUE(lab().router.run({"ip", "link", "set", "wan0", "mtu", "1500"}).ok());
  EXPECT_TRUE(web().run({"nft", "delete", "table", "inet", "deaf"}).ok());
}

}  // namespace
}  // namespace fw::test
