// SPDX-License-Identifier: GPL-2.0-only
// Does the daemon see the network as it is, and hear of its changes?
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/fmt/fmt.h>
#include <sys/socket.h>

#include <string>

#include "loader/netlink/sysctl.h"
#include "loader/netlink/topology.h"
#include "loader/netlink/watcher.h"
#include "tests/support/netns.h"
#include "tests/support/privilege.h"

namespace fw::test {
namespace {

using testing::Contains;
using testing::Not;

Address address(const char* text) {
  return *Address::parse(text);
}
Prefix prefix(const char* text) {
  return *Prefix::parse(text);
}

// A host with one container behind a bridge, and a route on.
class Topologies : public testing::Test {
 protected:
  void SetUp() override {
    FW_REQUIRE_ROOT();
    FW_ASSIGN(auto host, NetNs::create("host"));
    FW_ASSIGN(auto container, NetNs::create("ctr"));
    host_ = std::make_unique<NetNs>(std::move(host));
    container_ = std::make_unique<NetNs>(std::move(container));
    FW_ASSERT_OK(connect(*host_, "vctr", *container_, "eth0"));
    FW_ASSERT_OK(
        host_->ip("link add br0 type bridge\nlink set br0 up\nlink set vctr master br0\n"
                  "addr add 172.20.1.1/24 dev br0\naddr add fd00:1::1/64 dev br0\n"
                  "route add 10.9.0.0/16 dev br0\nroute add default via 172.20.1.10"));
    FW_ASSERT_OK(
        container_->ip("addr add 172.20.1.10/24 dev eth0\naddr add fd00:1::10/64 dev eth0"));
  }

  Result<Topology> read() {
    return host_->enter([] { return netlink::read_topology(); });
  }

  std::unique_ptr<NetNs> host_;
  std::unique_ptr<NetNs> container_;
};

TEST_F(Topologies, NameLinksAddressesAndConnectedPrefixes) {
  FW_ASSIGN(const Topology topology, read());
  const Interface* bridge = topology.by_name("br0");
  const Interface* veth = topology.by_name("vctr");
  const Interface* loopback = topology.by_name("lo");
  ASSERT_TRUE(bridge && veth && loopback);

  EXPECT_EQ(bridge->kind, "bridge");
  EXPECT_EQ(bridge->driver, "bridge");
  EXPECT_TRUE(bridge->up);
  EXPECT_THAT(bridge->addresses, Contains(address("172.20.1.1")));
  EXPECT_THAT(bridge->addresses, Contains(address("fd00:1::1")));
  EXPECT_THAT(bridge->connected, Contains(prefix("172.20.1.0/24")));
  EXPECT_THAT(bridge->connected, Contains(prefix("fd00:1::/64")));
  EXPECT_THAT(bridge->connected, Contains(prefix("10.9.0.0/16")));
  EXPECT_THAT(bridge->connected, Not(Contains(prefix("0.0.0.0/0"))));

  EXPECT_EQ(veth->kind, "veth");
  EXPECT_EQ(veth->master, bridge->index);
  EXPECT_EQ(veth->peer, container_->ifindex("eth0"));
  EXPECT_EQ(veth->mtu, 1500U);
  EXPECT_TRUE(loopback->loopback);
  EXPECT_EQ(loopback->kind, "");
}

TEST_F(Topologies, FindTheBridgePortOfANeighbour) {
  ASSERT_TRUE(host_->run({"ping", "-c1", "-W2", "172.20.1.10"}).ok());
  ASSERT_TRUE(host_->run({"ping", "-c1", "-W2", "fd00:1::10"}).ok());
  FW_ASSIGN(const Topology topology, read());
  FW_ASSIGN(const Topology inside, container_->enter([] { return netlink::read_topology(); }));
  for (const char* text : {"172.20.1.10", "fd00:1::10"}) {
    const auto found = topology.neighbours.find(address(text));
    ASSERT_NE(found, topology.neighbours.end()) << text;
    EXPECT_EQ(found->second.interface, topology.by_name("br0")->index);
    EXPECT_EQ(found->second.port, topology.by_name("vctr")->index);
    EXPECT_EQ(found->second.mac, inside.by_name("eth0")->mac);
  }
}

TEST_F(Topologies, AreOfOneNamespaceOnly) {
  FW_ASSIGN(const Topology topology, read());
  EXPECT_EQ(topology.by_name("eth0"), nullptr);
}

TEST_F(Topologies, ReadTwiceAreEqual) {
  FW_ASSIGN(const Topology first, read());
  FW_ASSIGN(const Topology second, read());
  EXPECT_EQ(first, second);
}

class Watches : public Topologies {
 protected:
  void SetUp() override {
    Topologies::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    FW_ASSIGN(auto watcher, host_->enter([] { return netlink::Watcher::open(); }));
    watcher_ = std::make_unique<netlink::Watcher>(std::move(watcher));
  }

  // What one command of `ip` changed.
  netlink::Changes after(const char* command) {
    settle();
    EXPECT_TRUE(host_->ip(command));
    auto changes = watcher_->drain();
    EXPECT_TRUE(changes);
    return changes ? *changes : netlink::Changes{};
  }

  // The kernel speaks of fresh links for a while (router solicitations, bridge port states).
  void settle() {
    eventually(milliseconds{5000}, [this] {
      std::this_thread::sleep_for(milliseconds{300});
      auto changes = watcher_->drain();
      return changes && !changes->any();
    });
  }

  std::unique_ptr<netlink::Watcher> watcher_;
};

// The kernel has news of its own (an IPv6 address that is no longer tentative), so one change in a
// few is enough to show that a change of routes is not told as one of interfaces.
TEST_F(Watches, TellInterfacesFromRoutes) {
  const auto told_apart = [this](const char* change) {
    for (int i = 0; i < 20; ++i) {
      const auto changes = after(fmt::format(fmt::runtime(change), i).c_str());
      if (!changes.routes) return false;
      if (!changes.interfaces) return true;
    }
    return false;
  };
  EXPECT_TRUE(after("link add extra type bridge").interfaces);
  EXPECT_TRUE(after("addr add 192.0.2.1/32 dev lo").interfaces);
  EXPECT_TRUE(told_apart("route add 10.10.{}.0/24 dev br0"));
  EXPECT_TRUE(told_apart("neigh add 172.20.1.1{} lladdr 02:00:00:00:00:77 dev br0"));
}

TEST_F(Watches, CountAnOverrunAsEverythingChanged) {
  settle();
  const int tiny = 1;
  ASSERT_EQ(setsockopt(watcher_->fd(), SOL_SOCKET, SO_RCVBUF, &tiny, sizeof(tiny)), 0);
  std::string many;
  for (int i = 0; i < 250; ++i) many += "route add 10.11." + std::to_string(i) + ".0/24 dev br0\n";
  ASSERT_TRUE(host_->ip(many));
  FW_ASSIGN(const auto changes, watcher_->drain());
  EXPECT_TRUE(changes.interfaces);
  EXPECT_TRUE(changes.routes);
  EXPECT_TRUE(after("route add 10.12.0.0/16 dev br0").any());
}

TEST_F(Topologies, ForwardAfterwardsAndKeepRouterAdvertisements) {
  const auto setting = [this](const std::string& path) {
    return host_->run({"cat", "/proc/sys/net/" + path}).out;
  };
  for (int again = 0; again < 2; ++again)
    FW_ASSERT_OK(host_->enter([] { return netlink::enable_forwarding("br0"); }));
  EXPECT_EQ(setting("ipv4/conf/br0/forwarding"), "1\n");
  EXPECT_EQ(setting("ipv6/conf/br0/forwarding"), "1\n");
  EXPECT_EQ(setting("ipv6/conf/br0/accept_ra"), "2\n");
  FW_ASSERT_OK(host_->enter([] { return netlink::enable_forwarding("not-there"); }));
}

}  // namespace
}  // namespace fw::test
