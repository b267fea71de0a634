// SPDX-License-Identifier: GPL-2.0-only
#include "loader/compile/bind.h"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <set>

#include "loader/base/join.h"

namespace fw::compile {
namespace {

using config::Policy;
using config::Service;

bool is_host_network(const Container& container) {
  return container.network_mode == "host";
}

bool names(const Service& service, const Container& container) {
  if (!service.container.empty() && service.container == container.name) return true;
  return service.compose && service.compose->project == container.project &&
         service.compose->service == container.service;
}

void add_unique(const Address& address, std::vector<Address>& addresses) {
  const auto place = std::lower_bound(addresses.begin(), addresses.end(), address);
  if (place == addresses.end() || *place != address) addresses.insert(place, address);
}

class Binder {
 public:
  Binder(Policy policy, Topology topology, const Endpoints& endpoints) : endpoints_(endpoints) {
    bound_.policy = std::move(policy);
    bound_.topology = std::move(topology);
    for (const auto& [name, zone] : bound_.policy.zones)
      for (const std::string& service : zone.services) zone_of_[service] = name;
    for (const auto& [name, service] : bound_.policy.services)
      for (const Address& address : service.addresses) written_[address].push_back(name);
  }

  Bound run() {
    for (const ContainerNetwork& network : endpoints_.networks) mark_bridge(network);
    for (const Container& container : endpoints_.containers) add(container);
    for (auto& [name, zone] : bound_.policy.zones) add_subnets(zone);
    report_unknown();
    return std::move(bound_);
  }

 private:
  // By its name, or by a subnet that it is connected to: podman does not say the name.
  static bool is_bridge_of(const ContainerNetwork& network, const Interface& interface) {
    if (interface.kind != "bridge") return false;
    return interface.name == network.bridge ||
           std::ranges::any_of(network.subnets, [&](const Prefix& subnet) {
             return std::ranges::find(interface.connected, subnet) != interface.connected.end();
           });
  }

  void mark_bridge(const ContainerNetwork& network) {
    if (network.driver != "bridge") return;
    for (auto& [index, interface] : bound_.topology.interfaces)
      if (is_bridge_of(network, interface)) interface.of_engine = true;
  }

  [[nodiscard]] const Interface* bridge_of(const Address& address) const {
    for (const auto& [index, interface] : bound_.topology.interfaces)
      if (interface.kind == "bridge" &&
          std::ranges::any_of(interface.connected, [&](const Prefix& prefix) {
            return prefix.length() > 0 && prefix.contains(address);
          }))
        return &interface;
    return nullptr;
  }

  // The host's end of the veth of the container that `pid` is in.
  [[nodiscard]] const Interface* veth_of(std::int32_t pid, const Interface& bridge) const {
    const auto inside = bound_.topology.namespaces.find(pid);
    if (inside == bound_.topology.namespaces.end()) return nullptr;
    for (const auto& [index, interface] : bound_.topology.interfaces)
      if (interface.kind == "veth" && interface.master == bridge.index &&
          interface.peer_namespace == inside->second)
        return &interface;
    return nullptr;
  }

  void add(const Container& container) {
    std::vector<std::string> services;
    for (const auto& [name, service] : bound_.policy.services)
      if (names(service, container)) services.push_back(name);
    if (container.attachments.empty()) {
      say(container, services, std::nullopt, without_address(container));
      return;
    }
    for (const ContainerAttachment& attachment : container.attachments)
      for (const Address& address : attachment.addresses)
        say(container, services, address, place(container, attachment, address, services));
  }

  static std::string without_address(const Container& container) {
    if (is_host_network(container))
      return "it has the host's own network; a service of the policy with 'host: true' covers it";
    if (container.network_mode.starts_with("container:"))
      return "it shares the network of another container; that one is guarded";
    return "its engine gives it no address";
  }

  // Returns why the container is not guarded at this address; "" when it is.
  std::string place(const Container& container, const ContainerAttachment& attachment,
                    const Address& address, const std::vector<std::string>& services) {
    const Interface* bridge = bridge_of(address);
    const Interface* veth = bridge == nullptr ? nullptr : veth_of(container.pid, *bridge);
    if (veth == nullptr)
      return "no veth of this machine leads to it (network '" + attachment.network + "'" +
             driver_of(attachment.network) + ")";
    bound_.topology.neighbours[address] = {
        .interface = bridge->index, .port = veth->index, .mac = attachment.mac, .of_engine = true};
    if (std::string conflict = conflict_of(address, services); !conflict.empty()) return conflict;
    for (const std::string& name : services)
      add_unique(address, bound_.policy.services[name].addresses);
    return "";
  }

  [[nodiscard]] std::string driver_of(const std::string& network) const {
    for (const ContainerNetwork& each : endpoints_.networks)
      if (each.name == network && each.driver != "bridge") return ", driver " + each.driver;
    return "";
  }

  // A service is in one zone. A container that services of two zones name is in neither.
  [[nodiscard]] std::string conflict_of(const Address& address,
                                        const std::vector<std::string>& services) const {
    std::set<std::string> zones;
    std::vector<std::string> all = services;
    if (const auto found = written_.find(address); found != written_.end())
      all.insert(all.end(), found->second.begin(), found->second.end());
    for (const std::string& name : all)
      if (const auto zone = zone_of_.find(name); zone != zone_of_.end()) zones.insert(zone->second);
    if (zones.size() < 2) return "";
    return "the services " + join(all) + " name it and are in different zones (" +
           join({zones.begin(), zones.end()}) + "); leave it to one of them";
  }

  void say(const Container& container, const std::vector<std::string>& services,
           std::optional<Address> address, std::string why) {
    bound_.members.push_back({container.name, join(services), address, std::move(why)});
  }

  // A subnet that the policy writes into a zone stays that zone's.
  void add_subnets(config::Zone& zone) {
    for (const ContainerNetwork& network : endpoints_.networks) {
      if (std::ranges::find(zone.networks, network.name) == zone.networks.end()) continue;
      for (const Prefix& subnet : network.subnets)
        if (!is_a_zones(subnet)) zone.subnets.push_back(subnet);
    }
  }

  [[nodiscard]] bool is_a_zones(const Prefix& subnet) const {
    return std::ranges::any_of(bound_.policy.zones, [&](const auto& zone) {
      return std::ranges::find(zone.second.subnets, subnet) != zone.second.subnets.end();
    });
  }

  [[nodiscard]] bool has_network(const std::string& name) const {
    return std::ranges::any_of(endpoints_.networks,
                               [&](const auto& network) { return network.name == name; });
  }

  void report_unknown() {
    for (const auto& [name, zone] : bound_.policy.zones)
      for (const std::string& network : zone.networks)
        if (!has_network(network))
          bound_.troubles.push_back("no container engine has the network '" + network +
                                    "', which a zone names; it is followed as soon as one has");
    for (const auto& [name, service] : bound_.policy.services)
      if (service.follows_engine() && service.addresses.empty())
        bound_.troubles.push_back("service '" + name + "' has no container at the moment");
  }

  const Endpoints& endpoints_;
  Bound bound_;
  std::map<std::string, std::string> zone_of_;           // service -> the zone that lists it
  std::map<Address, std::vector<std::string>> written_;  // -> services that have it in `addresses`
};

// Numbers by name, so that a name has the same one in two policies that are compared.
class Numbers {
 public:
  explicit Numbers(std::uint32_t count) : count_(count) {}

  std::uint32_t operator()(const std::string& name) {
    auto number = static_cast<std::uint32_t>(std::hash<std::string>{}(name) % count_);
    for (std::uint32_t tries = 0; tries < count_; ++tries, number = (number + 1) % count_) {
      const auto [taken, fresh] = names_.try_emplace(number, name);
      if (fresh || taken->second == name) break;
    }
    return number;
  }

 private:
  std::uint32_t count_;
  std::map<std::uint32_t, std::string> names_;
};

// In 198.19.0.0/16 (half of RFC 2544's benchmark networks) and 100:0:0:0:1::/80 (of RFC 6666's
// discard prefix).
Address assumed_ipv4(std::uint32_t number) {
  return Address::from_ipv4(0xc6130000U + number);
}
Address assumed_ipv6(std::uint32_t number) {
  std::array<std::uint8_t, 16> bytes{1};
  bytes[9] = 1;
  for (std::size_t i = 0; i < 4; ++i) bytes[15 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  return Address::from_bytes(Family::kIpv6, bytes.data());
}

}  // namespace

Bound bind(Policy policy, Topology topology, const Endpoints& endpoints) {
  return Binder{std::move(policy), std::move(topology), endpoints}.run();
}

Policy with_assumed_members(Policy policy) {
  constexpr std::uint32_t kNetworkAddresses = 8;  // a /29, and a /125
  constexpr std::uint32_t kNetworks = 4096;       // the first half of the range
  constexpr std::uint32_t kServices = 32768;      // the second
  Numbers networks{kNetworks};
  for (auto& [name, zone] : policy.zones)
    for (const std::string& network : zone.networks) {
      const std::uint32_t first = networks(network) * kNetworkAddresses;
      zone.subnets.emplace_back(assumed_ipv4(first), 29);
      zone.subnets.emplace_back(assumed_ipv6(first), 125);
    }
  Numbers services{kServices};
  for (auto& [name, service] : policy.services) {
    if (!service.follows_engine()) continue;
    const std::uint32_t number = kNetworks * kNetworkAddresses + services(name);
    service.addresses = {assumed_ipv4(number), assumed_ipv6(number)};
    std::sort(service.addresses.begin(), service.addresses.end());
  }
  return policy;
}

}  // namespace fw::compile
