// SPDX-License-Identifier: GPL-2.0-only
#include "loader/exposure/reach.h"

#include <algorithm>
#include <utility>

#include "loader/explain/segments.h"

namespace fw::exposure {
namespace {

using explain::Member;

// What the image calls containers that no zone holds, and what people do.
constexpr const char* kNoZone = "none";
constexpr const char* kUnmanaged = "containers in no zone";

}  // namespace

Reach::Reach(const explain::World& world, std::set<std::string> unattached)
    : world_(world), atlas_(world), jury_(world), unattached_(std::move(unattached)) {}

bool Reach::guards(const Interface& interface) const {
  return world_.placement.interfaces.contains(interface.index) &&
         !unattached_.contains(interface.name);
}

// A bridge is as guarded as its ports; without any, nobody is behind it.
bool Reach::has_somebody(const Interface& interface) const {
  if (!interface.up || interface.loopback || interface.master != 0 || interface.addresses.empty() ||
      interface.kind == "dummy")
    return false;
  if (interface.kind != "bridge") return true;
  return std::any_of(world_.topology.interfaces.begin(), world_.topology.interfaces.end(),
                     [&](const auto& each) {
                       return each.second.master == interface.index && !guards(each.second);
                     });
}

std::vector<Member> Reach::places(const Door& door) const {
  if (door.address) return {atlas_.member(*door.address)};
  auto places = atlas_.members(config::ZoneRef{"host"});
  std::erase_if(places, [&](const Member& place) { return !door.has(place.family()); });
  return places;
}

bool Reach::may(const Member& from, const std::vector<Member>& places, const Door& door,
                std::string& reason) const {
  const explain::Segments segments{{&world_.policy}};
  for (const config::PortSet& ports : segments.within({{door.proto, door.ports}}))
    for (const Member& place : places) {
      if (place.family() != from.family()) continue;
      const auto verdict =
          jury_.judge(from, place, static_cast<std::uint8_t>(ports.proto), ports.range.first);
      if (verdict.allowed) return true;
      if (reason.empty()) reason = verdict.reason_name();
    }
  return false;
}

void Reach::ask_zone(const std::string& zone, const Door& door, Reached& reached) const {
  const auto at = places(door);
  bool all = true;
  std::vector<std::string> some;
  for (const Member& from : atlas_.members(config::ZoneRef{zone})) {
    if ((from.ident.flags & FW_IDENT_HOST) != 0 || !door.has(from.family())) continue;
    if (may(from, at, door, reached.denied)) {
      some.push_back(from.name);
    } else if (!from.exception) {
      all = false;
    }
  }
  if (some.empty()) return;
  if (all) some = {zone == kNoZone ? kUnmanaged : zone};
  for (auto& name : some)
    if (std::find(reached.from.begin(), reached.from.end(), name) == reached.from.end())
      reached.from.push_back(std::move(name));
}

Reached Reach::ask(const Door& door) const {
  Reached reached;
  ask_zone("internet", door, reached);
  for (const auto& [name, zone] : world_.policy.zones) ask_zone(name, door, reached);
  ask_zone(kNoZone, door, reached);
  for (const auto& [index, interface] : world_.topology.interfaces)
    if (has_somebody(interface) && !guards(interface) &&
        (door.interface.empty() || door.interface == interface.name))
      reached.unguarded.push_back(interface.name);
  if (!reached.from.empty() || !reached.unguarded.empty()) reached.denied.clear();
  return reached;
}

}  // namespace fw::exposure
