// SPDX-License-Identifier: GPL-2.0-only
// Dumps of links, addresses, routes, neighbours and bridge forwarding databases -> Topology.
#include "loader/netlink/topology.h"

#include <arpa/inet.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netlink/route/addr.h>
#include <netlink/route/link/vlan.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <utility>

#include "loader/netlink/ethtool.h"
#include "loader/netlink/socket.h"

namespace fw::netlink {
namespace {

constexpr int kDumpAttempts = 5;

std::optional<Address> to_address(nl_addr* address) {
  if (address == nullptr) return std::nullopt;
  const void* bytes = nl_addr_get_binary_addr(address);
  switch (nl_addr_get_family(address)) {
    case AF_INET:
      if (nl_addr_get_len(address) != 4) return std::nullopt;
      return Address::from_bytes(Family::kIpv4, bytes);
    case AF_INET6:
      if (nl_addr_get_len(address) != 16) return std::nullopt;
      return Address::from_bytes(Family::kIpv6, bytes);
    default:
      return std::nullopt;
  }
}

std::optional<Mac> to_mac(nl_addr* address) {
  Mac mac{};
  if (address == nullptr || nl_addr_get_len(address) != mac.size()) return std::nullopt;
  std::memcpy(mac.data(), nl_addr_get_binary_addr(address), mac.size());
  return mac;
}

bool is_link_local(const Address& address) {
  const auto& bytes = address.bytes();
  return !address.is_ipv4() && bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
}

// fe80::/64 is on every interface and a default route leads anywhere: neither says where an
// address belongs.
void add_connected(Interface& interface, const Address& address, unsigned length) {
  if (length == 0 || is_link_local(address)) return;
  const Prefix prefix{address, length};
  if (std::ranges::find(interface.connected, prefix) == interface.connected.end())
    interface.connected.push_back(prefix);
}

template <class Object, class Visit>
void each(nl_cache* cache, Visit visit) {
  for (nl_object* object = nl_cache_get_first(cache); object != nullptr;
       object = nl_cache_get_next(object))
    visit(reinterpret_cast<Object*>(object));  // NOLINT: libnl's way of inheritance
}

// A dump that raced with a change is incomplete and says so: take another.
Result<Cache> dump(const char* what, const std::function<int(nl_cache**)>& fill) {
  int failed = 0;
  for (int attempt = 0; attempt < kDumpAttempts; ++attempt) {
    nl_cache* cache = nullptr;
    failed = fill(&cache);
    if (failed >= 0) return Cache{cache};
    if (failed != -NLE_DUMP_INTR && failed != -NLE_AGAIN) break;
  }
  return netlink_error(std::string{"reading "} + what + " by netlink", failed);
}

Interface to_interface(rtnl_link* link) {
  Interface interface;
  interface.index = static_cast<std::uint32_t>(rtnl_link_get_ifindex(link));
  if (const char* name = rtnl_link_get_name(link)) interface.name = name;
  if (const char* kind = rtnl_link_get_type(link)) interface.kind = kind;
  interface.driver = driver_name(interface.name);
  interface.mac = to_mac(rtnl_link_get_addr(link)).value_or(Mac{});
  interface.mtu = rtnl_link_get_mtu(link);
  interface.master = static_cast<std::uint32_t>(std::max(0, rtnl_link_get_master(link)));
  if (interface.kind == "veth")
    interface.peer = static_cast<std::uint32_t>(std::max(0, rtnl_link_get_link(link)));
  if (rtnl_link_is_vlan(link) != 0)
    interface.vlan =
        VlanTag{.link = static_cast<std::uint32_t>(std::max(0, rtnl_link_get_link(link))),
                .protocol = ntohs(static_cast<std::uint16_t>(rtnl_link_vlan_get_protocol(link))),
                .id = static_cast<std::uint16_t>(std::max(0, rtnl_link_vlan_get_id(link)))};
  std::int32_t peer_namespace = -1;
  if (rtnl_link_get_link_netnsid(link, &peer_namespace) == 0)
    interface.peer_namespace = peer_namespace;
  interface.up = (rtnl_link_get_flags(link) & IFF_UP) != 0;
  interface.loopback = (rtnl_link_get_flags(link) & IFF_LOOPBACK) != 0;
  interface.ethernet = interface.loopback || rtnl_link_get_arptype(link) == ARPHRD_ETHER;
  return interface;
}

Interface* find(Topology& topology, int index) {
  const auto found = topology.interfaces.find(static_cast<std::uint32_t>(index));
  return found == topology.interfaces.end() ? nullptr : &found->second;
}

Result<void> read_links(nl_sock* socket, Topology& topology) {
  auto links = dump("interfaces", [socket](nl_cache** cache) {
    return rtnl_link_alloc_cache(socket, AF_UNSPEC, cache);
  });
  if (!links) return links.error();
  each<rtnl_link>(links->get(), [&](rtnl_link* link) {
    auto interface = to_interface(link);
    topology.interfaces.emplace(interface.index, std::move(interface));
  });
  return {};
}

Result<void> read_addresses(nl_sock* socket, Topology& topology) {
  auto addresses = dump(
      "addresses", [socket](nl_cache** cache) { return rtnl_addr_alloc_cache(socket, cache); });
  if (!addresses) return addresses.error();
  each<rtnl_addr>(addresses->get(), [&](rtnl_addr* entry) {
    Interface* interface = find(topology, rtnl_addr_get_ifindex(entry));
    const auto own = to_address(rtnl_addr_get_local(entry));
    if (interface == nullptr || !own) return;
    interface->addresses.push_back(*own);
    // On a point-to-point link the prefix is the other end's.
    nl_addr* peer = rtnl_addr_get_peer(entry);
    const auto other = to_address(peer);
    add_connected(*interface, other.value_or(*own),
                  other ? nl_addr_get_prefixlen(peer)
                        : static_cast<unsigned>(rtnl_addr_get_prefixlen(entry)));
  });
  return {};
}

// Routes of the main table that need no gateway. IPv6 has no scope link in its routes; the
// missing gateway says the same.
Result<void> read_routes(nl_sock* socket, Topology& topology) {
  auto routes = dump("routes", [socket](nl_cache** cache) {
    return rtnl_route_alloc_cache(socket, AF_UNSPEC, 0, cache);
  });
  if (!routes) return routes.error();
  each<rtnl_route>(routes->get(), [&](rtnl_route* route) {
    nl_addr* destination = rtnl_route_get_dst(route);
    const auto network = to_address(destination);
    if (!network || rtnl_route_get_table(route) != RT_TABLE_MAIN ||
        rtnl_route_get_type(route) != RTN_UNICAST)
      return;
    for (int hop = 0; hop < rtnl_route_get_nnexthops(route); ++hop) {
      rtnl_nexthop* next = rtnl_route_nexthop_n(route, hop);
      if (rtnl_route_nh_get_gateway(next) != nullptr || rtnl_route_nh_get_via(next) != nullptr)
        continue;
      if (Interface* interface = find(topology, rtnl_route_nh_get_ifindex(next)))
        add_connected(*interface, *network, nl_addr_get_prefixlen(destination));
    }
  });
  return {};
}

using BridgePorts = std::map<std::pair<std::uint32_t, Mac>, std::uint32_t>;

// libnl asks for neighbours with a one-byte header, which the kernel refuses for AF_BRIDGE; so
// the request is our own and only the answer is libnl's.
Result<BridgePorts> read_bridge_ports(nl_sock* socket) {
  auto entries = dump("bridge forwarding tables", [socket](nl_cache** cache) {
    if (const int failed = nl_cache_alloc_name("route/neigh", cache); failed < 0) return failed;
    ndmsg request{};
    request.ndm_family = AF_BRIDGE;
    int failed = nl_send_simple(socket, RTM_GETNEIGH, NLM_F_DUMP, &request, sizeof(request));
    if (failed >= 0) failed = nl_cache_pickup(socket, *cache);
    if (failed < 0) nl_cache_free(*cache);
    return failed;
  });
  if (!entries) return entries.error();
  BridgePorts ports;
  each<rtnl_neigh>(entries->get(), [&](rtnl_neigh* entry) {
    const auto mac = to_mac(rtnl_neigh_get_lladdr(entry));
    const int bridge = rtnl_neigh_get_master(entry);
    // Permanent entries are the ports' own addresses; the others were learned or set.
    if (!mac || bridge <= 0 || (rtnl_neigh_get_state(entry) & NUD_PERMANENT) != 0) return;
    ports[{static_cast<std::uint32_t>(bridge), *mac}] =
        static_cast<std::uint32_t>(rtnl_neigh_get_ifindex(entry));
  });
  return ports;
}

Result<void> read_neighbours(nl_sock* socket, Topology& topology) {
  auto ports = read_bridge_ports(socket);
  if (!ports) return ports.error();
  auto entries = dump("neighbours",
                      [socket](nl_cache** cache) { return rtnl_neigh_alloc_cache(socket, cache); });
  if (!entries) return entries.error();
  constexpr int kKnown = NUD_PERMANENT | NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE;
  each<rtnl_neigh>(entries->get(), [&](rtnl_neigh* entry) {
    const auto address = to_address(rtnl_neigh_get_dst(entry));
    const auto mac = to_mac(rtnl_neigh_get_lladdr(entry));
    const int state = rtnl_neigh_get_state(entry);
    if (!address || !mac || (state & kKnown) == 0 || is_link_local(*address)) return;
    const auto interface = static_cast<std::uint32_t>(rtnl_neigh_get_ifindex(entry));
    const auto port = ports->find({interface, *mac});
    const Neighbour neighbour{
        .interface = interface, .port = port == ports->end() ? 0 : port->second, .mac = *mac};
    // An address seen on two interfaces: the one that answered last.
    if ((state & (NUD_REACHABLE | NUD_PERMANENT)) != 0)
      topology.neighbours.insert_or_assign(*address, neighbour);
    else
      topology.neighbours.emplace(*address, neighbour);
  });
  return {};
}

}  // namespace

Result<Topology> read_topology() {
  auto socket = connect();
  if (!socket) return socket.error();
  Topology topology;
  for (auto* read : {read_links, read_addresses, read_routes, read_neighbours})
    if (auto done = read(socket->get(), topology); !done) return done.error();
  for (auto& [index, interface] : topology.interfaces) {
    std::ranges::sort(interface.addresses);
    std::ranges::sort(interface.connected);
  }
  return topology;
}

}  // namespace fw::netlink
