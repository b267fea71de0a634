// SPDX-License-Identifier: GPL-2.0-only
// Guessing the network from the policy: by the zones, who is behind a wire and who in a container.
#include "loader/compile/offline.h"

#include <algorithm>
#include <array>
#include <set>

#include "loader/compile/compile.h"
#include "loader/compile/prefix_map.h"

namespace fw::compile {
namespace {

using config::Policy;

// Addresses that no policy has a reason to name: RFC 7600's dummy address, RFC 2544's benchmark
// networks, RFC 6666's discard prefix.
constexpr std::uint32_t kHostAddress = 0xc0000008;  // 192.0.0.8
constexpr std::uint32_t kLanNetwork = 0xc6120000;   // 198.18.0.0/15
constexpr std::uint32_t kLanNetworks = 512;         // of a /24 each

Prefix whole(const Address& address) {
  return {address, address.is_ipv4() ? 32U : 128U};
}

// 100::NETWORK:HOST
Address discard_address(std::uint16_t network, std::uint16_t host) {
  std::array<std::uint8_t, 16> bytes{1};
  bytes[12] = static_cast<std::uint8_t>(network >> 8U);
  bytes[13] = static_cast<std::uint8_t>(network & 0xffU);
  bytes[14] = static_cast<std::uint8_t>(host >> 8U);
  bytes[15] = static_cast<std::uint8_t>(host & 0xffU);
  return Address::from_bytes(Family::kIpv6, bytes.data());
}

class Guess {
 public:
  explicit Guess(const Policy& policy) : policy_(policy) {
    for (const auto& [name, zone] : policy.zones) {
      for (const Prefix& subnet : zone.subnets) subnets_[subnet] = name;
      for (const std::string& service : zone.services) zone_of_service_.emplace(service, name);
    }
  }

  Topology run() {
    for (const std::string& name : policy_.host.uplinks) add(name, "");
    add_lans();
    add_host();
    add_containers();
    return std::move(topology_);
  }

 private:
  Interface& add(const std::string& name, const std::string& kind) {
    const auto index = static_cast<std::uint32_t>(topology_.interfaces.size() + 1);
    Interface& interface = topology_.interfaces[index];
    interface.index = index;
    interface.name = name;
    interface.kind = kind;
    interface.mtu = 1500;
    interface.up = true;
    return interface;
  }

  void add_lans() {
    std::uint32_t number = 0;
    for (const auto& [name, zone] : policy_.zones)
      for (const std::string& each : zone.interfaces) {
        Interface& interface = add(each, "");
        const std::uint32_t network = number++ % kLanNetworks;
        interface.connected.emplace_back(Address::from_ipv4(kLanNetwork + (network << 8U)), 24);
        interface.connected.emplace_back(
            discard_address(static_cast<std::uint16_t>(network + 1), 0), 112);
      }
  }

  // Names with a slash: Linux gives no interface one, so that no uplink or zone can mean it.
  void add_host() {
    Interface& own = add("/host", "");
    own.addresses = {Address::from_ipv4(kHostAddress), discard_address(0, 8)};
    for (const auto& [name, door] : policy_.doors)
      if (door.address && !door.address->is_loopback()) own.addresses.push_back(*door.address);
  }

  void add_containers() {
    Interface& interface = add("/containers", "veth");
    std::set<Prefix> connected;
    std::set<std::string> zones;  // whose subnets have containers
    for (const auto& [name, service] : policy_.services)
      for (const Address& address : service.addresses) {
        const auto listed = zone_of_service_.find(name);
        if (listed != zone_of_service_.end() && has_interfaces(listed->second)) continue;
        const auto* subnet = subnets_.find(address);
        if (subnet != nullptr && has_interfaces(subnet->second)) continue;
        connected.insert(whole(address));
        if (subnet != nullptr) zones.insert(subnet->second);
      }
    for (const std::string& zone : zones) {
      const auto& subnets = policy_.zones.at(zone).subnets;
      connected.insert(subnets.begin(), subnets.end());
    }
    interface.connected.assign(connected.begin(), connected.end());
  }

  [[nodiscard]] bool has_interfaces(const std::string& zone) const {
    return !policy_.zones.at(zone).interfaces.empty();
  }

  const Policy& policy_;
  PrefixMap<std::string> subnets_;  // -> zone
  std::map<std::string, std::string> zone_of_service_;
  Topology topology_;
};

}  // namespace

Topology offline_topology(const Policy& policy) {
  return Guess{policy}.run();
}

Result<Offline> compile_offline(const Policy& policy) {
  const Topology topology = offline_topology(policy);
  Offline offline;
  auto image = compile(policy, topology, place(policy, topology), offline.book);
  if (!image) return image.error();
  offline.image = *std::move(image);
  return offline;
}

}  // namespace fw::compile
