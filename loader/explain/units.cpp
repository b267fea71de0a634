// SPDX-License-Identifier: GPL-2.0-only
#include "loader/explain/units.h"

#include <algorithm>
#include <iterator>
#include <tuple>

namespace fw::explain {
namespace {

compile::Image merged(const World& before, const World& after) {
  compile::Image image;
  std::map<Prefix, fw_ident> prefixes;
  for (const auto* world : {&before, &after})
    for (const auto& [prefix, ident] : world->image.identities) prefixes.emplace(prefix, ident);
  image.identities.assign(prefixes.begin(), prefixes.end());
  std::set_union(before.image.listed.begin(), before.image.listed.end(), after.image.listed.begin(),
                 after.image.listed.end(), std::back_inserter(image.listed),
                 [](const auto& a, const auto& b) { return a.first < b.first; });
  return image;
}

std::string name_of(const World& world, const Member& member, const Prefix& prefix, bool door) {
  if (!member.service.empty()) return member.service;
  if ((member.ident.flags & FW_IDENT_HOST) != 0)
    return door ? "host at " + member.address.to_string() : "host";
  const bool zoned = member.ident.zone != FW_ZONE_NONE;
  return zoned ? world.image.identity_names.at(member.ident.id) : prefix.to_string();
}

// What one policy names and the other does not is called as the one calls it.
const std::string& specific_name(const Unit& unit, Side side) {
  const Member& own = unit.on(side);
  const Member& other = unit.on(side == Side::kOld ? Side::kNew : Side::kOld);
  if (!own.service.empty()) return own.name;
  const bool named = !other.service.empty() || other.exception || Prefix::parse(other.name);
  return named ? other.name : own.name;
}

void append(const fw_ident& ident, std::vector<std::uint64_t>& key) {
  key.insert(key.end(), {ident.id, ident.zone, ident.flags, ident.ifindex});
}

}  // namespace

Units::Units(const World& before, const World& after) : old_(before), new_(after) {
  for (const auto* world : {&before, &after})
    for (const auto& [name, door] : world->policy.doors)
      if (door.address) door_addresses_.insert(*door.address);
  const compile::Image both = merged(before, after);
  const Atlas atlas{World{after.policy, both, after.placement, after.topology, after.accounts}};
  const Atlas old_atlas{before};
  const Atlas new_atlas{after};
  for (const auto& [prefix, ident] : both.identities) {
    const auto address = atlas.represent(prefix);
    if (address) add(*address, atlas.represent(prefix, address), prefix, old_atlas, new_atlas);
  }
  add_listed(both, atlas, old_atlas, new_atlas);
  name_groups();
}

// Of a million listed prefixes a few pairs of identities: one of each pair is enough, but where the
// policies differ a live flow must be found by its address.
void Units::add_listed(const compile::Image& both, const Atlas& atlas, const Atlas& before,
                       const Atlas& after) {
  std::map<std::tuple<Family, std::uint32_t, std::uint32_t>, std::size_t> pairs;
  for (const auto& [prefix, ident] : both.listed) {
    const auto old_ident = before.ident(prefix.address());
    const auto new_ident = after.ident(prefix.address());
    const auto [pair, fresh] =
        pairs.try_emplace({prefix.family(), old_ident.id, new_ident.id}, units_.size());
    if (fresh) {
      const auto address = atlas.represent(prefix).value_or(prefix.address());
      add(address, atlas.represent(prefix, address), prefix, before, after);
      pair->second = by_prefix_[prefix];
    } else if (old_ident.id != new_ident.id) {
      by_prefix_[prefix] = pair->second;
    }
  }
}

void Units::add(const Address& address, const std::optional<Address>& other, const Prefix& prefix,
                const Atlas& before, const Atlas& after) {
  Unit unit{before.member(address), after.member(address)};
  const bool door = door_addresses_.contains(address);
  std::vector<std::uint64_t> key{static_cast<std::uint64_t>(unit.family())};
  if (door) key.insert(key.end(), address.bytes().begin(), address.bytes().end());
  append(unit.old_member.ident, key);
  append(unit.new_member.ident, key);
  const auto [known, fresh] = known_.try_emplace(key, units_.size());
  by_prefix_[prefix] = known->second;
  if (!fresh) {
    Unit& first = units_[known->second];
    if (!first.old_member.other) first.old_member.other = first.new_member.other = address;
    return;
  }
  unit.old_member.other = unit.new_member.other = other;
  unit.old_member.name = name_of(old_, unit.old_member, prefix, door);
  unit.new_member.name = name_of(new_, unit.new_member, prefix, door);
  units_.push_back(std::move(unit));
}

void Units::name_groups() {
  for (const Side side : {Side::kOld, Side::kNew}) {
    const World& world = side == Side::kOld ? old_ : new_;
    auto& groups = groups_[static_cast<std::size_t>(side)];
    groups.push_back({"*", {}});
    for (const auto& zone : world.image.zones) groups.push_back({zone, {}});
    std::map<std::string, UnitSet> services;
    for (std::size_t i = 0; i < units_.size(); ++i) {
      const Member& member = units_[i].on(side);
      groups[0].units.insert(i);
      groups[1U + member.ident.zone].units.insert(i);
      if (!member.service.empty()) services[member.service].insert(i);
    }
    groups.erase(groups.begin() + 1 + FW_ZONE_NONE);
    for (auto& [name, units] : services) groups.push_back({name, std::move(units)});
  }
}

std::vector<Label> Units::labels(const UnitSet& set, Side side) const {
  std::set<Family> families;
  for (const std::size_t unit : set) families.insert(units_[unit].family());
  UnitSet rest = set;
  std::vector<Label> labels;
  for (const Label& group : groups_[static_cast<std::size_t>(side)]) {
    UnitSet wanted;
    for (const std::size_t unit : group.units)
      if (families.contains(units_[unit].family())) wanted.insert(unit);
    const bool fresh = std::any_of(wanted.begin(), wanted.end(),
                                   [&](std::size_t unit) { return rest.contains(unit); });
    if (!fresh || !std::includes(set.begin(), set.end(), wanted.begin(), wanted.end())) continue;
    for (const std::size_t unit : wanted) rest.erase(unit);
    labels.push_back({group.name, std::move(wanted)});
  }
  std::map<std::string, UnitSet> named;
  for (const std::size_t unit : rest) named[specific_name(units_[unit], side)].insert(unit);
  for (auto& [name, units] : named) labels.push_back({name, std::move(units)});
  return labels;
}

const std::size_t* Units::find(const Address& address, const std::string& old_zone) const {
  const auto* entry = by_prefix_.find(address);
  const std::uint16_t zone = zone_number(old_.image, old_zone);
  if (entry != nullptr && units_[entry->second].old_member.ident.zone == zone)
    return &entry->second;
  // The real machine's own addresses, and a network behind a zone's interface.
  for (const auto& [key, index] : known_)
    if (units_[index].family() == address.family() && units_[index].old_member.ident.zone == zone)
      return &index;
  return nullptr;
}

}  // namespace fw::explain
