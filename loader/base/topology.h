// SPDX-License-Identifier: GPL-2.0-only
// The machine's network as a value: what netlink says, before fwd draws any conclusion from it.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "loader/base/net.h"

namespace fw {

using Mac = std::array<std::uint8_t, 6>;

// Which frames a VLAN interface takes: those that come in by `link` with this outer tag.
struct VlanTag {
  std::uint32_t link = 0;      // ifindex
  std::uint16_t protocol = 0;  // the tag's Ethernet type: 0x8100, 0x88a8
  std::uint16_t id = 0;

  auto operator<=>(const VlanTag&) const = default;
};

struct Interface {
  std::uint32_t index = 0;
  std::string name;
  std::string kind;    // IFLA_INFO_KIND: "veth", "bridge", "vlan", "tun"...; "" for a physical NIC
  std::string driver;  // ethtool's driver name; "" when it has none
  Mac mac{};
  std::uint32_t mtu = 0;     // bytes at layer 3
  std::uint32_t master = 0;  // ifindex of its bridge or bond; 0: none
  std::uint32_t peer = 0;    // veth: ifindex of the other end, in whichever namespace; 0: unknown
  std::optional<VlanTag> vlan;       // kind "vlan"
  std::int32_t peer_namespace = -1;  // id of that namespace in ours; -1: ours, or unknown
  bool of_engine = false;            // a bridge that a container engine made (compile/bind.h)
  bool up = false;
  bool loopback = false;
  bool ethernet = true;  // its frames start with an Ethernet header; false: tun, wireguard, ppp
  std::vector<Address> addresses;
  std::vector<Prefix> connected;  // prefixes of its addresses and of routes with scope link

  bool operator==(const Interface&) const = default;
};

// A neighbour entry, or a learned one of a bridge's forwarding database joined with it.
struct Neighbour {
  std::uint32_t interface = 0;  // where the address is resolved (a bridge or a veth)
  std::uint32_t port = 0;       // the bridge port its MAC was learned on; 0: not a bridge
  Mac mac{};
  bool of_engine = false;  // a container engine says so, rather than the neighbour itself

  bool operator==(const Neighbour&) const = default;
};

struct Topology {
  std::map<std::uint32_t, Interface> interfaces;  // by ifindex
  std::map<Address, Neighbour> neighbours;
  // Of containers: process -> id of its network namespace, as in Interface::peer_namespace.
  std::map<std::int32_t, std::int32_t> namespaces;

  [[nodiscard]] const Interface* by_name(const std::string& name) const {
    for (const auto& [index, interface] : interfaces)
      if (interface.name == name) return &interface;
    return nullptr;
  }

  bool operator==(const Topology&) const = default;
};

}  // namespace fw
