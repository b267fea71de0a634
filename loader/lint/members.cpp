// SPDX-License-Identifier: GPL-2.0-only
#include "loader/lint/members.h"

namespace fw::lint {

Members::Members(const config::Policy& policy) : policy_(policy) {
  for (const auto& [name, zone] : policy.zones) {
    for (const Prefix& subnet : zone.subnets) subnets_[subnet] = name;
    for (const std::string& service : zone.services) listed_.emplace(service, name);
  }
  for (const auto& [name, service] : policy.services) with_services_.merge(zones_of(name));
}

const std::string* Members::zone_of(const std::string& service, const Address& address) const {
  if (const auto zone = listed_.find(service); zone != listed_.end()) return &zone->second;
  const auto* subnet = subnets_.find(address);
  return subnet == nullptr ? nullptr : &subnet->second;
}

std::set<std::string> Members::zones_of(const std::string& service) const {
  const config::Service& found = policy_.services.at(service);
  if (found.host) return {"host"};
  std::set<std::string> zones;
  for (const Address& address : found.addresses)
    if (const std::string* zone = zone_of(service, address)) zones.insert(*zone);
  return zones;
}

}  // namespace fw::lint
