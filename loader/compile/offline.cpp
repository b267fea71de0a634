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

// Who is where, as one policy says.
class Places {
 public:
  explicit Places(const Policy& policy) : policy_(policy) {
    for (const auto& [name, zone] : policy.zones) {
      for (const Prefix& subnet : zone.subnets) subnets_[subnet] = name;
      for (const std::string& service : zone.services) zone_of_service_.emplace(service, name);
    }
  }

  // Networks with containers in them: the services' addresses, and the subnets that hold them.
  [[nodiscard]] std::set<Prefix> containers() const {
    std::set<Prefix> networks;
    for (const auto& [name, service] : policy_.services)
      for (const Address& address : service.addresses) {
        const auto listed = zone_of_service_.find(name);
        if (listed != zone_of_service_.end() && has_interfaces(listed->second)) continue;
        const auto* subnet = subnets_.find(address);
        if (subnet != nullptr && has_interfaces(subnet->second)) continue;
        networks.insert(whole(address));
        if (subnet == nullptr) continue;
        const auto& subnets = policy_.zones.at(subnet->second).subnets;
        networks.insert(subnets.begin(), subnets.end());
      }
    for (const auto& [name, zone] : policy_.zones)
      if (!zone.networks.empty()) networks.insert(zone.subnets.begin(), zone.subnets.end());
    return networks;
  }

 private:
  [[nodiscard]] bool has_interfaces(const std::string& zone) const {
    return !policy_.zones.at(zone).interfaces.empty();
  }

  const Policy& policy_;
  PrefixMap<std::string> subnets_;  // -> zone
  std::map<std::string, std::string> zone_of_service_;
};

class Guess {
 public:
  explicit Guess(const std::vector<const Policy*>& policies) : policies_(policies) {}

  Topology run() {
    for (const Policy* policy : policies_)
      for (const std::string& name : policy->host.uplinks) add_uplink(name);
    for (const Policy* policy : policies_)
      for (const auto& [name, zone] : policy->zones)
        for (const std::string& each : zone.interfaces) add_lan(each);
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

  void add_uplink(const std::string& name) {
    if (topology_.by_name(name) == nullptr) add(name, "");
  }

  void add_lan(const std::string& name) {
    if (topology_.by_name(name) != nullptr) return;
    Interface& interface = add(name, "");
    const std::uint32_t network = lans_++ % kLanNetworks;
    interface.connected.emplace_back(Address::from_ipv4(kLanNetwork + (network << 8U)), 24);
    interface.connected.emplace_back(discard_address(static_cast<std::uint16_t>(network + 1), 0),
                                     112);
  }

  // Names with a slash: Linux gives no interface one, so that no uplink or zone can mean it.
  void add_host() {
    Interface& own = add("/host", "");
    own.addresses = {Address::from_ipv4(kHostAddress), discard_address(0, 8)};
    std::set<Address> doors;
    for (const Policy* policy : policies_)
      for (const auto& [name, door] : policy->doors)
        if (door.address && !door.address->is_loopback()) doors.insert(*door.address);
    own.addresses.insert(own.addresses.end(), doors.begin(), doors.end());
  }

  void add_containers() {
    std::set<Prefix> networks;
    for (const Policy* policy : policies_) networks.merge(Places{*policy}.containers());
    add("/containers", "veth").connected.assign(networks.begin(), networks.end());
  }

  const std::vector<const Policy*>& policies_;
  std::uint32_t lans_ = 0;
  Topology topology_;
};

}  // namespace

Topology offline_topology(const std::vector<const Policy*>& policies) {
  return Guess{policies}.run();
}

Result<Offline> compile_offline(const Policy& policy) {
  const Topology topology = offline_topology({&policy});
  Offline offline;
  auto image = compile(policy, topology, place(policy, topology), offline.book);
  if (!image) return image.error();
  offline.image = *std::move(image);
  return offline;
}

}  // namespace fw::compile
