// SPDX-License-Identifier: GPL-2.0-only
#include "loader/config/families.h"

namespace fw::config {
namespace {

constexpr Families kBoth{true, true};

}  // namespace

Families families_of(const Service& service) {
  if (service.host) return kBoth;
  Families families;
  for (const Address& address : service.addresses) families.add(address.family());
  return families;
}

Families families_of(const Policy& policy, const Peer& peer) {
  Families families;
  if (const auto* prefix = std::get_if<Prefix>(&peer)) {
    families.add(prefix->family());
    return families;
  }
  if (const auto* service = std::get_if<ServiceRef>(&peer))
    return families_of(policy.services.at(service->name));
  const auto* reference = std::get_if<ZoneRef>(&peer);
  if (reference == nullptr) return kBoth;
  const auto zone = policy.zones.find(reference->name);
  if (zone == policy.zones.end() || !zone->second.interfaces.empty()) return kBoth;
  for (const Prefix& subnet : zone->second.subnets) families.add(subnet.family());
  for (const std::string& service : zone->second.services)
    families.add(families_of(policy.services.at(service)));
  return families;
}

Families families_of(const Policy& policy, const std::vector<Peer>& peers) {
  Families families;
  for (const Peer& peer : peers) families.add(families_of(policy, peer));
  return families;
}

}  // namespace fw::config
