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
  std::uint64_t lists = 0;  // a bit for each list around it
  std::uint32_t id = 0;
};

void add_facts(const Facts& fact, Scope& scope) {
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

// The order of images; the families stand apart already.
void sort_by_address(std::vector<std::pair<Prefix, fw_ident>>& table) {
  const auto ipv6 = std::find_if(table.begin(), table.end(), [](const auto& entry) {
    return entry.first.family() == Family::kIpv6;
  });
  std::inplace_merge(table.begin(), ipv6, table.end(),
                     [](const auto& left, const auto& right) { return left.first < right.first; });
}

// Numbers the identities of prefixes that come in order, each before what it holds.
class Sweep {
 public:
  Sweep(const Zones& zones, const Listed& lists, std::vector<Identities::Common>& commons)
      : zones_(zones), lists_(lists), commons_(commons) {
    commons_.assign(1, {});
  }

  struct Entered {
    fw_ident ident;
    bool redundant = false;  // the next wider prefix has the same identity
  };

  Entered enter(const Prefix& prefix, const Facts& fact, std::uint64_t lists) {
    while (!around_.empty() && !around_.back().prefix.contains(prefix)) around_.pop_back();
    Scope scope = around_.empty() ? Scope{} : around_.back();
    const std::uint32_t wider = scope.id;
    scope.prefix = prefix;
    scope.lists |= lists;
    add_facts(fact, scope);
    fw_ident ident = judge_address(fact, scope);
    const Key key{ident.zone, fact.services, scope.cidr, ident.flags, ident.ifindex, scope.lists};
    const auto [known, fresh] = ids_.try_emplace(key, static_cast<std::uint32_t>(commons_.size()));
    if (fresh)
      commons_.push_back({name_of(fact, scope, ident), ident.zone, scope.cidr, scope.lists});
    ident.id = scope.id = known->second;
    around_.push_back(scope);
    return {ident, ident.id == wider};
  }

 private:
  // Equal keys: no rule can tell the addresses apart.
  using Key = std::tuple<std::uint16_t, std::string, std::optional<Prefix>, std::uint8_t,
                         std::uint32_t, std::uint64_t>;

  [[nodiscard]] std::string name_of(const Facts& fact, const Scope& scope,
                                    const fw_ident& ident) const {
    if (!fact.services.empty()) return fact.services;
    if (ident.zone == FW_ZONE_HOST) return "host";
    if (scope.cidr) return scope.cidr->to_string();
    if (scope.lists != 0) return "list " + lists_.name_of(scope.lists);
    return ident.zone == FW_ZONE_NONE ? "unmanaged" : zones_.names()[ident.zone];
  }

  const Zones& zones_;
  const Listed& lists_;
  std::vector<Identities::Common>& commons_;
  std::map<Key, std::uint32_t> ids_;
  std::vector<Scope> around_;
};

}  // namespace

Identities::Identities(const Policy& policy, const Zones& zones, const Topology& topology,
                       const Placement& placement)
    : policy_(policy), zones_(zones), lists_(policy), service_zone_(list_services(policy, zones)) {
  static const Facts kNothing;
  const FactMap facts = collect(policy, zones, topology, placement, service_zone_);
  Sweep sweep{zones, lists_, commons_};
  auto fact = facts.begin();
  auto listed = lists_.prefixes().begin();
  const auto end = lists_.prefixes().end();
  while (fact != facts.end() || listed != end) {
    const bool named =
        listed == end || (fact != facts.end() && !Nested{}(listed->prefix, fact->first));
    if (!named) {
      const auto [ident, redundant] = sweep.enter(listed->prefix, kNothing, listed->lists);
      if (!redundant) {
        listed_.emplace_back(listed->prefix, ident);
        listed_ids_.insert(ident.id);
      }
      ++listed;
      continue;
    }
    const bool both = listed != end && listed->prefix == fact->first;
    const auto [ident, redundant] =
        sweep.enter(fact->first, fact->second, both ? listed->lists : 0);
    atoms_.push_back({fact->first, ident, redundant});
    if (both) ++listed;
    ++fact;
  }
  mark_masqueraded();
}

// Unset in the policy: true when the zone has members behind a container interface.
void Identities::mark_masqueraded() {
  std::set<std::uint16_t> container_zones;
  for (const Atom& atom : atoms_)
    if ((atom.ident.flags & FW_IDENT_CONTAINER) != 0) container_zones.insert(atom.ident.zone);
  std::vector<bool> masqueraded(zones_.count());
  for (const auto& [name, zone] : policy_.zones) {
    const std::uint16_t number = zones_[name];
    masqueraded[number] = zone.masquerade.value_or(container_zones.contains(number));
  }
  for (Atom& atom : atoms_)
    if (masqueraded[atom.ident.zone]) atom.ident.flags |= FW_IDENT_MASQUERADE;
  for (auto& [prefix, ident] : listed_)
    if (masqueraded[ident.zone]) ident.flags |= FW_IDENT_MASQUERADE;
}

std::vector<std::pair<Prefix, fw_ident>> Identities::table() const {
  std::vector<std::pair<Prefix, fw_ident>> table;
  for (const Atom& atom : atoms_)
    if (!atom.redundant) table.emplace_back(atom.prefix, atom.ident);
  sort_by_address(table);
  return table;
}

std::vector<std::pair<Prefix, fw_ident>> Identities::take_listed() {
  sort_by_address(listed_);
  return std::move(listed_);
}

std::vector<std::string> Identities::names() const {
  std::vector<std::string> names;
  names.reserve(commons_.size());
  for (const Common& common : commons_) names.push_back(common.name);
  return names;
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
  for (const std::uint32_t id : listed_ids_)
    if (commons_[id].cidr && prefix.contains(*commons_[id].cidr)) selectors.push_back(id);
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

std::vector<std::uint32_t> Identities::selectors(const std::vector<Peer>& peers,
                                                 const config::AddressList& list) const {
  const auto whole = selectors(peers);
  const auto has = [&](std::uint32_t selector) {
    return std::binary_search(whole.begin(), whole.end(), selector);
  };
  const std::uint64_t bit = lists_.bit(list);
  std::vector<std::uint32_t> part;
  for (std::uint32_t id = 0; id < commons_.size(); ++id) {
    if ((commons_[id].lists & bit) == 0) continue;
    if (has(FW_SEL_ANY) || has(FW_SEL_ZONE | commons_[id].zone) || has(id)) part.push_back(id);
  }
  return part;
}

std::uint16_t Identities::zone_of(std::uint32_t selector) const {
  if ((selector & FW_SEL_ZONE) != 0) return static_cast<std::uint16_t>(selector & ~FW_SEL_ZONE);
  return commons_[selector].zone;
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
