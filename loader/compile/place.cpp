// SPDX-License-Identifier: GPL-2.0-only
// Which interface plays which role, and behind which one is each container?
#include <algorithm>
#include <cstring>
#include <limits>

#include "loader/compile/compile.h"
#include "loader/compile/prefix_map.h"
#include "loader/compile/zones.h"

namespace fw::compile {
namespace {

using config::Policy;

bool is_link_local(const Address& address) {
  const auto& bytes = address.bytes();
  if (address.is_ipv4()) return bytes[12] == 169 && bytes[13] == 254;
  return bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
}

std::uint16_t capped_mtu(std::uint32_t mtu) {
  return static_cast<std::uint16_t>(
      std::min<std::uint32_t>(mtu, std::numeric_limits<std::uint16_t>::max()));
}

// The kernel lists an interface's addresses primary first; the first that another machine can
// answer to is the one that masquerade uses.
void set_addresses(const Interface& interface, fw_iface& placed) {
  bool have6 = false;
  for (const Address& address : interface.addresses) {
    if (is_link_local(address) || address.is_loopback()) continue;
    if (address.is_ipv4()) {
      if (placed.addr4 == 0) placed.addr4 = address.ipv4_be();
    } else if (!have6) {
      placed.addr6 = address.to_abi();
      have6 = true;
    }
  }
}

// `face` is what its neighbours see of the router: itself, or the bridge that it is a port of.
fw_iface placed_as(fw_role role, std::uint16_t zone, const Interface& interface,
                   const Interface& face) {
  fw_iface placed{};
  placed.role = static_cast<std::uint8_t>(role);
  placed.zone = zone;
  placed.mtu = capped_mtu(interface.mtu);
  std::copy(face.mac.begin(), face.mac.end(), placed.mac);
  set_addresses(face, placed);
  if (interface.index != face.index) placed.bridge = face.index;
  return placed;
}

class Placer {
 public:
  Placer(const Policy& policy, const Topology& topology) : policy_(policy), topology_(topology) {
    for (const auto& [index, interface] : topology.interfaces)
      for (const Prefix& prefix : interface.connected)
        if (prefix.length() > 0) connected_[prefix].push_back(index);
  }

  Placement run() {
    place_wires();
    for (const auto& [name, service] : policy_.services)
      for (const Address& address : service.addresses) place_service(address);
    place_subnets();
    for (const auto& [name, service] : policy_.services)
      for (const Address& address : service.addresses) locate(address);
    place_vlans();
    for (const auto& [address, neighbour] : topology_.neighbours)
      if (neighbour.of_engine) locate(address);
    return std::move(placement_);
  }

 private:
  void place_wires() {
    for (const std::string& name : policy_.host.uplinks)
      place_wire(FW_ROLE_UPLINK, FW_ZONE_INTERNET, name);
    std::uint16_t zone_number = FW_ZONE_USER;  // as Zones numbers them: in the order of names
    for (const auto& [name, zone] : policy_.zones) {
      for (const std::string& interface : zone.interfaces)
        place_wire(FW_ROLE_LAN, zone_number, interface, zone.masquerade.value_or(false));
      ++zone_number;
    }
  }

  void place_wire(fw_role role, std::uint16_t zone, const std::string& name,
                  bool masquerade = false) {
    const Interface* interface = topology_.by_name(name);
    if (interface == nullptr) return;  // it may come later
    fw_iface placed = placed_as(role, zone, *interface, *interface);
    if (masquerade) placed.flags |= FW_IFACE_MASQUERADE;
    placement_.interfaces.try_emplace(interface->index, placed);
  }

  // A veth by itself, or a bridge with its veths. Anything else carries no container.
  void place_container(const Interface& interface) {
    if (placement_.interfaces.contains(interface.index)) return;
    if (interface.kind != "veth" && interface.kind != "bridge") return;
    placement_.interfaces.emplace(interface.index,
                                  placed_as(FW_ROLE_CONTAINER, FW_ZONE_NONE, interface, interface));
    if (interface.kind != "bridge") return;
    for (const auto& [index, port] : topology_.interfaces)
      if (port.master == interface.index && port.kind == "veth")
        placement_.interfaces.try_emplace(
            index, placed_as(FW_ROLE_CONTAINER, FW_ZONE_NONE, port, interface));
  }

  // The interface that an address is directly connected to; null when it is routed.
  [[nodiscard]] const Interface* interface_of(const Address& address) const {
    const auto* entry = connected_.find(address);
    if (entry == nullptr) return nullptr;
    std::uint32_t index = entry->second.front();
    const auto neighbour = topology_.neighbours.find(address);
    if (neighbour != topology_.neighbours.end() &&
        std::find(entry->second.begin(), entry->second.end(), neighbour->second.interface) !=
            entry->second.end())
      index = neighbour->second.interface;
    return &topology_.interfaces.at(index);
  }

  void place_service(const Address& address) {
    const Interface* interface = interface_of(address);
    if (interface == nullptr || interface->loopback) return;
    const auto& own = interface->addresses;
    if (std::find(own.begin(), own.end(), address) == own.end()) place_container(*interface);
  }

  void place_subnets() {
    for (const auto& [index, interface] : topology_.interfaces) {
      const auto& connected = interface.connected;
      const bool named = std::any_of(connected.begin(), connected.end(), [&](const Prefix& prefix) {
        return !is_link_local(prefix.address()) && in_a_subnet(prefix);
      });
      if (named || interface.of_engine) place_container(interface);
    }
  }

  // An interface passes the tagged frames of those that are guarded themselves.
  void place_vlans() {
    for (const auto& [index, placed] : placement_.interfaces)
      if (const auto& vlan = topology_.interfaces.at(index).vlan)
        placement_.vlans.emplace(*vlan, index);
  }

  [[nodiscard]] bool in_a_subnet(const Prefix& prefix) const {
    for (const auto& [name, zone] : policy_.zones)
      for (const Prefix& subnet : zone.subnets)
        if (subnet.contains(prefix)) return true;
    return false;
  }

  // Without a neighbour entry nobody knows the container's MAC yet; the next topology will.
  void locate(const Address& address) {
    const auto neighbour = topology_.neighbours.find(address);
    const Interface* interface = interface_of(address);
    if (neighbour == topology_.neighbours.end() || interface == nullptr ||
        neighbour->second.interface != interface->index)
      return;
    const std::uint32_t veth =
        interface->kind == "bridge" ? neighbour->second.port : interface->index;
    const auto placed = placement_.interfaces.find(veth);
    if (placed == placement_.interfaces.end() || placed->second.role != FW_ROLE_CONTAINER) return;

    fw_endpoint endpoint{};
    endpoint.ifindex = veth;
    const Mac& mac = neighbour->second.mac;
    std::copy(mac.begin(), mac.end(), endpoint.mac);
    std::memcpy(endpoint.gw_mac, placed->second.mac, sizeof(endpoint.gw_mac));
    endpoint.mtu = placed->second.mtu;
    placement_.endpoints.emplace(address, endpoint);
  }

  const Policy& policy_;
  const Topology& topology_;
  PrefixMap<std::vector<std::uint32_t>> connected_;  // ifindexes, ascending
  Placement placement_;
};

template <class Map>
bool equal_bytes(const Map& left, const Map& right) {
  return std::equal(
      left.begin(), left.end(), right.begin(), right.end(), [](const auto& a, const auto& b) {
        return a.first == b.first && std::memcmp(&a.second, &b.second, sizeof(a.second)) == 0;
      });
}

}  // namespace

bool Placement::operator==(const Placement& other) const {
  return equal_bytes(interfaces, other.interfaces) && equal_bytes(endpoints, other.endpoints) &&
         vlans == other.vlans;
}

Placement place(const Policy& policy, const Topology& topology) {
  return Placer{policy, topology}.run();
}

}  // namespace fw::compile
