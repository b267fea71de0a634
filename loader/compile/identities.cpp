// SPDX-License-Identifier: GPL-2.0-only
// One sweep over all prefixes, wide before narrow: each inherits from the ones around it.
#include "loader/compile/identities.h"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <optional>
#include <set>
#include <tuple>

namespace fw::compile {
namespace {

using config::Peer;
using config::Policy;

// By family, address, length: every prefix stands directly before what it contains.
struct Nested {
  bool operator()(const Prefix& left, const Prefix& right) const {
    return std::tuple{left.family(), left} < std::tuple{right.family(), right};
  }
};

// Why a prefix matters; one prefix may for several reasons.
struct Facts {
  std::optional<std::uint16_t> subnet_of;  // zone
  std::string services;                    // names, joined, of those that have this address
  std::optional<std::uint16_t> listed_in;  // zone that lists one of them
  bool cidr = false;                       // a peer of a rule or a door
  bool host = false;                       // one of the machine's own addresses
  bool connected = false;                  // to an interface, whose placement follows
  std::uint8_t role = 0;
  std::uint16_t lan_zone = 0;
  std::uint32_t ifindex = 0;  // LAN: the only one its addresses come from; 0: several
};

using FactMap = std::map<Prefix, Facts, Nested>;

Prefix whole(const Address& address) {
  return {address, address.is_ipv4() ? 32U : 128U};
}

void add_subnets(const Policy& policy, const Zones& zones, FactMap& facts) {
  facts[Prefix{Address::from_ipv4(0), 0}];
  facts[Prefix{Address{}, 0}];
  for (const auto& [name, zone] : policy.zones)
    for (const Prefix& subnet : zone.subnets) facts[subnet].subnet_of = zones[name];
}

void add_services(const Policy& policy, const std::map<std::string, std::uint16_t>& zone_of_service,
                  FactMap& facts) {
  for (const auto& [name, service] : policy.services)
    for (const Address& address : service.addresses) {
      Facts& fact = facts[whole(address)];
      fact.services += fact.services.empty() ? name : ", " + name;
      if (const auto zone = zone_of_service.find(name); zone != zone_of_service.end())
        fact.listed_in = zone->second;
    }
}

void add_cidrs(const std::vector<Peer>& peers, FactMap& facts) {
  for (const Peer& peer : peers)
    if (const auto* prefix = std::get_if<Prefix>(&peer)) facts[*prefix].cidr = true;
}

void add_interface(const Interface& interface, const fw_iface* placed, FactMap& facts) {
  for (const Address& address : interface.addresses) facts[whole(address)].host = true;
  for (const Prefix& prefix : interface.connected) {
    if (prefix.length() == 0) continue;  // a default route over a point-to-point link
    Facts& fact = facts[prefix];
    const std::uint8_t role = placed == nullptr ? std::uint8_t{0} : placed->role;
    const bool taken = fact.connected && fact.role != 0;
    fact.connected = true;
    // Two interfaces with one prefix: a container's wins, being the one that is never trusted less.
    if (taken && (fact.role == FW_ROLE_CONTAINER || role != FW_ROLE_CONTAINER)) {
      if (role == FW_ROLE_LAN) fact.ifindex = 0;
      continue;
    }
    fact.role = role;
    fact.lan_zone = role == FW_ROLE_LAN ? placed->zone : std::uint16_t{0};
    fact.ifindex = role == FW_ROLE_LAN ? interface.index : 0;
  }
}

FactMap collect(const Policy& policy, const Zones& zones, const Topology& topology,
                const Placement& placement,
                const std::map<std::string, std::uint16_t>& zone_of_service) {
  FactMap facts;
  add_subnets(policy, zones, facts);
  add_services(policy, zone_of_service, facts);
  for (const config::Rule& rule : policy.rules) {
    add_cidrs(rule.from, facts);
    add_cidrs(rule.to, facts);
  }
  for (const auto& [name, door] : policy.doors) add_cidrs(door.from, facts);
  for (const auto& [index, interface] : topology.interfaces) {
    const auto placed = placement.interfaces.find(index);
    add_interface(interface, placed == placement.interfaces.end() ? nullptr : &placed->second,
                  facts);
  }
  return facts;
}

// What a prefix inherits from the wider ones around it.
struct Scope {
  Prefix prefix;
  std::optional<std::uint16_t> subnet_zone;  // innermost zone subnet
  std::optional<std::uint16_t> zone;  // that, or the zone of a LAN interface connected within it
  std::optional<Prefix> cidr;         // innermost rule CIDR: it implies all that contain it
  std::uint8_t role = 0;              // of the innermost connected interface
  std::uint32_t ifindex = 0;
  std::uint32_t id = 0;
};

void enter(const Facts& fact, Scope& scope) {
  if (fact.connected) {
    scope.role = fact.role;
    scope.ifindex = fact.ifindex;
    scope.zone = fact.role == FW_ROLE_LAN ? fact.lan_zone : scope.subnet_zone;
  }
  if (fact.subnet_of) scope.zone = scope.subnet_zone = fact.subnet_of;
  if (fact.cidr) scope.cidr = scope.prefix;
}

fw_ident judge_address(const Facts& fact, const Scope& scope) {
  fw_ident ident{};
  if (fact.host) {
    ident.zone = FW_ZONE_HOST;
    ident.flags = FW_IDENT_HOST;
    return ident;
  }
  const bool container = scope.role == FW_ROLE_CONTAINER;
  if (fact.listed_in)
    ident.zone = *fact.listed_in;
  else if (scope.zone)
    ident.zone = *scope.zone;
  else
    ident.zone = container || !fact.services.empty() ? FW_ZONE_NONE : FW_ZONE_INTERNET;
  ident.ifindex = scope.ifindex;
  if (container) ident.flags = FW_IDENT_CONTAINER;
  if (container && ident.zone == FW_ZONE_NONE && fact.services.empty())
    ident.flags |= FW_IDENT_UNMANAGED;
  return ident;
}

std::string name_of(const Facts& fact, const Scope& scope, const fw_ident& ident,
                    const Zones& zones) {
  if (!fact.services.empty()) return fact.services;
  if (ident.zone == FW_ZONE_HOST) return "host";
  if (scope.cidr) return scope.cidr->to_string();
  return ident.zone == FW_ZONE_NONE ? "unmanaged" : zones.names()[ident.zone];
}

void keep_one_of_each(std::vector<std::uint32_t>& selectors) {
  std::sort(selectors.begin(), selectors.end());
  selectors.erase(std::unique(selectors.begin(), selectors.end()), selectors.end());
}

std::map<std::string, std::uint16_t> list_services(const Policy& policy, const Zones& zones) {
  std::map<std::string, std::uint16_t> listed;
  for (const auto& [name, zone] : policy.zones)
    for (const std::string& service : zone.services) listed.emplace(service, zones[name]);
  return listed;
}

// Unset in the policy: true when the zone has members behind a container interface.
std::set<std::uint16_t> masqueraded(const Policy& policy, const Zones& zones,
                                    const std::set<std::uint16_t>& container_zones) {
  std::set<std::uint16_t> result;
  for (const auto& [name, zone] : policy.zones) {
    const std::uint16_t number = zones[name];
    if (zone.masquerade.value_or(container_zones.contains(number))) result.insert(number);
  }
  return result;
}

}  // namespace

Identities::Identities(const Policy& policy, const Zones& zones, const Topology& topology,
                       const Placement& placement)
    : policy_(policy), zones_(zones), service_zone_(list_services(policy, zones)) {
  names_.emplace_back();
  zone_.push_back(FW_ZONE_NONE);

  // Equal keys: no rule can tell the addresses apart.
  using Key =
      std::tuple<std::uint16_t, std::string, std::optional<Prefix>, std::uint8_t, std::uint32_t>;
  std::map<Key, std::uint32_t> ids;
  std::set<std::uint16_t> container_zones;
  std::vector<Scope> around;
  for (const auto& [prefix, fact] : collect(policy, zones, topology, placement, service_zone_)) {
    while (!around.empty() && !around.back().prefix.contains(prefix)) around.pop_back();
    Scope scope = around.empty() ? Scope{} : around.back();
    const std::uint32_t wider = scope.id;
    scope.prefix = prefix;
    enter(fact, scope);
    fw_ident ident = judge_address(fact, scope);
    const Key key{ident.zone, fact.services, scope.cidr, ident.flags, ident.ifindex};
    const auto [known, fresh] = ids.try_emplace(key, static_cast<std::uint32_t>(names_.size()));
    if (fresh) {
      names_.push_back(name_of(fact, scope, ident, zones));
      zone_.push_back(ident.zone);
    }
    ident.id = scope.id = known->second;
    if ((ident.flags & FW_IDENT_CONTAINER) != 0) container_zones.insert(ident.zone);
    atoms_.push_back({prefix, ident, ident.id == wider});
    around.push_back(scope);
  }
  const std::set<std::uint16_t> masquerade = masqueraded(policy, zones, container_zones);
  for (Atom& atom : atoms_)
    if (masquerade.contains(atom.ident.zone)) atom.ident.flags |= FW_IDENT_MASQUERADE;
}

std::vector<std::pair<Prefix, fw_ident>> Identities::table() const {
  std::vector<std::pair<Prefix, fw_ident>> table;
  for (const Atom& atom : atoms_)
    if (!atom.redundant) table.emplace_back(atom.prefix, atom.ident);
  std::sort(table.begin(), table.end(),
            [](const auto& left, const auto& right) { return left.first < right.first; });
  return table;
}

const Identities::Atom* Identities::atom(const Prefix& prefix) const {
  const auto found = std::lower_bound(
      atoms_.begin(), atoms_.end(), prefix,
      [](const Atom& left, const Prefix& right) { return Nested{}(left.prefix, right); });
  return found != atoms_.end() && found->prefix == prefix ? &*found : nullptr;
}

void Identities::append_inside(const Prefix& prefix, std::vector<std::uint32_t>& selectors) const {
  const Atom* inside = atom(prefix);
  assert(inside != nullptr);
  const Atom* const end = atoms_.data() + atoms_.size();
  for (; inside != nullptr && inside != end && prefix.contains(inside->prefix); ++inside)
    selectors.push_back(inside->ident.id);
}

void Identities::append(const Peer& peer, std::vector<std::uint32_t>& selectors) const {
  if (std::holds_alternative<config::Anyone>(peer)) {
    selectors.push_back(FW_SEL_ANY);
  } else if (const auto* zone = std::get_if<config::ZoneRef>(&peer)) {
    selectors.push_back(FW_SEL_ZONE | zones_[zone->name]);
  } else if (const auto* prefix = std::get_if<Prefix>(&peer)) {
    append_inside(*prefix, selectors);
  } else if (const auto* reference = std::get_if<config::ServiceRef>(&peer)) {
    const auto service = policy_.services.find(reference->name);
    assert(service != policy_.services.end());
    if (service == policy_.services.end()) return;
    if (service->second.host) selectors.push_back(FW_SEL_ZONE | FW_ZONE_HOST);
    for (const Address& address : service->second.addresses)
      selectors.push_back(atom(whole(address))->ident.id);
  }
}

std::vector<std::uint32_t> Identities::selectors(const std::vector<Peer>& peers) const {
  std::vector<std::uint32_t> selectors;
  for (const Peer& peer : peers) append(peer, selectors);
  keep_one_of_each(selectors);
  return selectors;
}

std::vector<std::uint32_t> Identities::containers() const {
  std::vector<std::uint32_t> selectors;
  for (const Atom& atom : atoms_)
    if ((atom.ident.flags & (FW_IDENT_CONTAINER | FW_IDENT_UNMANAGED)) == FW_IDENT_CONTAINER)
      selectors.push_back(atom.ident.id);
  keep_one_of_each(selectors);
  return selectors;
}

std::uint16_t Identities::zone_of(std::uint32_t selector) const {
  if ((selector & FW_SEL_ZONE) != 0) return static_cast<std::uint16_t>(selector & ~FW_SEL_ZONE);
  return zone_[selector];
}

std::uint16_t Identities::zone_of_service(const std::string& name) const {
  const auto service = policy_.services.find(name);
  if (service == policy_.services.end()) return FW_ZONE_NONE;
  if (service->second.host) return FW_ZONE_HOST;
  if (const auto listed = service_zone_.find(name); listed != service_zone_.end())
    return listed->second;
  const auto& addresses = service->second.addresses;
  return addresses.empty() ? std::uint16_t{FW_ZONE_NONE}
                           : atom(whole(addresses.front()))->ident.zone;
}

}  // namespace fw::compile
