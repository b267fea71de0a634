// SPDX-License-Identifier: GPL-2.0-only
// The assumed machine, built from nothing but what policies name.
#include "loader/explain/world.h"

#include <algorithm>
#include <set>

namespace fw::explain {
namespace {

using config::Policy;

constexpr std::uint32_t kMtu = 1500;

class Assumption {
 public:
  explicit Assumption(const std::vector<const Policy*>& policies) : policies_(policies) {}

  Topology build() {
    for (const Policy* policy : policies_) collect(*policy);
    add_uplinks();
    for (const Policy* policy : policies_)
      for (const auto& [name, zone] : policy->zones) add_lan(zone);
    for (const Policy* policy : policies_)
      for (const auto& [name, service] : policy->services) add_containers(*policy, name, service);
    return std::move(topology_);
  }

 private:
  void collect(const Policy& policy) {
    const auto add = [&](const std::vector<config::Peer>& peers) {
      for (const auto& peer : peers)
        if (const auto* prefix = std::get_if<Prefix>(&peer)) named_.insert(*prefix);
    };
    for (const auto& [name, zone] : policy.zones)
      named_.insert(zone.subnets.begin(), zone.subnets.end());
    for (const auto& [name, service] : policy.services)
      for (const Address& address : service.addresses) named_.insert(whole(address));
    for (const auto& rule : policy.rules) {
      add(rule.from);
      add(rule.to);
    }
    for (const auto& [name, door] : policy.doors) {
      add(door.from);
      if (door.address) doors_.insert(*door.address);
    }
  }

  static Prefix whole(const Address& address) { return {address, address.is_ipv4() ? 32U : 128U}; }

  [[nodiscard]] bool is_named(const Prefix& wanted) const {
    return std::any_of(named_.begin(), named_.end(), [&](const Prefix& prefix) {
      return prefix.length() > 0 && (prefix.contains(wanted) || wanted.contains(prefix));
    });
  }

  // The first of 192.0.0.0/24 and 100::/48 that no policy means something by: 192.0.0.8 is the
  // IPv4 dummy address (RFC 7600), 100::/64 the discard prefix (RFC 6666).
  Prefix stand_in(Family family, unsigned length) {
    constexpr unsigned kTries = 30;
    Prefix prefix;
    for (unsigned i = 0; i < kTries; ++i) {
      const unsigned number = ++stand_ins_;
      std::array<std::uint8_t, 16> bytes{1, 0};
      bytes[7] = static_cast<std::uint8_t>(number);
      bytes[15] = 1;
      const Address address = family == Family::kIpv4
                                  ? Address::from_ipv4(0xc0000000U + (number % 32) * 8)
                                  : Address::from_bytes(Family::kIpv6, bytes.data());
      prefix = Prefix{address, length};
      if (!is_named(prefix)) break;
    }
    return prefix;
  }

  Interface& add(const std::string& name, const std::string& kind) {
    const auto index = static_cast<std::uint32_t>(topology_.interfaces.size() + 1);
    Interface& made = topology_.interfaces[index];
    made.index = index;
    made.name = name;
    made.kind = kind;
    made.mtu = kMtu;
    made.up = true;
    return made;
  }

  void add_uplinks() {
    std::set<std::string> names;
    for (const Policy* policy : policies_)
      names.insert(policy->host.uplinks.begin(), policy->host.uplinks.end());
    if (names.empty()) names.insert("(uplink)");
    for (const auto& name : names) add(name, "");
    Interface& first = topology_.interfaces.begin()->second;
    first.addresses = {stand_in(Family::kIpv4, 32).address(),
                       stand_in(Family::kIpv6, 128).address()};
    first.addresses.insert(first.addresses.end(), doors_.begin(), doors_.end());
  }

  void add_lan(const config::Zone& zone) {
    for (const auto& name : zone.interfaces) {
      if (topology_.by_name(name) != nullptr) continue;
      Interface& lan = add(name, "");
      lan.connected = zone.subnets;
      if (lan.connected.empty())
        lan.connected = {stand_in(Family::kIpv4, 29), stand_in(Family::kIpv6, 64)};
    }
  }

  static bool in_lan(const Policy& policy, const std::string& service, const Address& address) {
    const config::Zone* holder = nullptr;
    unsigned longest = 0;
    for (const auto& [name, zone] : policy.zones) {
      if (std::find(zone.services.begin(), zone.services.end(), service) != zone.services.end())
        return !zone.interfaces.empty();
      for (const Prefix& subnet : zone.subnets)
        if (subnet.contains(address) && (holder == nullptr || subnet.length() >= longest)) {
          holder = &zone;
          longest = subnet.length();
        }
    }
    return holder != nullptr && !holder->interfaces.empty();
  }

  void add_containers(const Policy& policy, const std::string& name,
                      const config::Service& service) {
    for (const Address& address : service.addresses) {
      if (in_lan(policy, name, address) || !containers_.insert(address).second) continue;
      if (veth_ == 0) veth_ = add("(containers)", "veth").index;
      topology_.interfaces[veth_].connected.push_back(whole(address));
    }
  }

  const std::vector<const Policy*>& policies_;
  std::set<Prefix> named_;
  std::set<Address> doors_;
  std::set<Address> containers_;
  unsigned stand_ins_ = 0;
  std::uint32_t veth_ = 0;
  Topology topology_;
};

}  // namespace

Topology assumed_machine(const std::vector<const Policy*>& policies) {
  return Assumption{policies}.build();
}

Result<Compiled> Compiled::of(Policy policy, Topology topology) {
  Compiled compiled;
  compiled.policy_ = std::move(policy);
  compiled.topology_ = std::move(topology);
  compiled.placement_ = compile::place(compiled.policy_, compiled.topology_);
  auto image = compile::compile(compiled.policy_, compiled.topology_, compiled.placement_,
                                compiled.accounts_);
  if (!image) return image.error();
  compiled.image_ = std::move(*image);
  return compiled;
}

std::uint16_t zone_number(const compile::Image& image, std::string_view name) {
  const auto found = std::find(image.zones.begin(), image.zones.end(), name);
  return found == image.zones.end() ? std::uint16_t{FW_ZONE_NONE}
                                    : static_cast<std::uint16_t>(found - image.zones.begin());
}

}  // namespace fw::explain
