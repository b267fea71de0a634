// SPDX-License-Identifier: GPL-2.0-only
#include "loader/exposure/door.h"

#include <algorithm>
#include <tuple>

namespace fw::exposure {
namespace {

void set_place(Door& door, const std::optional<Address>& address) {
  if (!address) {
    door.ipv4 = door.ipv6 = true;
    return;
  }
  (address->is_ipv4() ? door.ipv4 : door.ipv6) = true;
  if (!address->is_unspecified()) door.address = address;
}

Door opened_by(const inventory::Listener& listener) {
  Door door;
  set_place(door, listener.address);
  if (listener.dual_stack) door.ipv4 = true;
  door.interface = listener.interface;
  door.proto = listener.proto;
  door.ports = {listener.port, listener.port};
  door.listeners = {&listener};
  return door;
}

Door opened_by(const inventory::PublishedPort& published) {
  Door door;
  set_place(door, published.address);
  door.proto = published.proto;
  door.ports = published.host;
  door.published = {&published};
  return door;
}

Door opened_by(const inventory::Redirect& redirect) {
  Door door;
  set_place(door, redirect.address);
  if (!redirect.address && redirect.family)
    (*redirect.family == Family::kIpv4 ? door.ipv6 : door.ipv4) = false;
  door.interface = redirect.interface;
  door.proto = redirect.proto;
  door.ports = redirect.ports;
  door.redirects = {&redirect};
  return door;
}

void add_policy(const config::Policy& policy, std::vector<Door>& openings) {
  for (const auto& named : policy.doors)
    for (const auto& mapping : named.second.mappings) {
      Door door;
      set_place(door, named.second.address);
      door.proto = mapping.proto;
      door.ports = mapping.host;
      door.in_policy = {&named};
      openings.push_back(std::move(door));
    }
}

auto place(const Door& door) {
  return std::tie(door.proto, door.address, door.interface);
}

// A redirect of every port is no reason to show all that listens as one door.
bool covers(const Door& wide, const Door& narrow) {
  if (place(wide) != place(narrow)) return false;
  if (wide.ports == narrow.ports) return true;
  return (!wide.published.empty() || !wide.in_policy.empty()) &&
         wide.ports.contains(narrow.ports.first) && wide.ports.contains(narrow.ports.last);
}

template <class T>
void append(const std::vector<T>& more, std::vector<T>& all) {
  all.insert(all.end(), more.begin(), more.end());
}

void join(const Door& opening, Door& door) {
  door.ipv4 |= opening.ipv4;
  door.ipv6 |= opening.ipv6;
  append(opening.listeners, door.listeners);
  append(opening.published, door.published);
  append(opening.redirects, door.redirects);
  append(opening.in_policy, door.in_policy);
}

}  // namespace

std::string Door::address_text() const {
  if (address) return address->to_string();
  if (ipv4 && ipv6) return "*";
  return ipv4 ? "0.0.0.0" : "::";
}

std::vector<Door> find_doors(const inventory::Inventory& inventory, const config::Policy* policy) {
  std::vector<Door> openings;
  if (policy != nullptr) add_policy(*policy, openings);
  for (const auto& published : inventory.published) openings.push_back(opened_by(published));
  for (const auto& redirect : inventory.redirects) openings.push_back(opened_by(redirect));
  for (const auto& listener : inventory.listeners) openings.push_back(opened_by(listener));
  std::stable_sort(openings.begin(), openings.end(),
                   [](const Door& a, const Door& b) { return a.ports.size() > b.ports.size(); });
  std::vector<Door> doors;
  for (const Door& opening : openings) {
    const auto door = std::find_if(doors.begin(), doors.end(),
                                   [&](const Door& each) { return covers(each, opening); });
    if (door == doors.end())
      doors.push_back(opening);
    else
      join(opening, *door);
  }
  std::sort(doors.begin(), doors.end(), [](const Door& a, const Door& b) {
    return std::tuple_cat(std::tie(a.ports), place(a)) <
           std::tuple_cat(std::tie(b.ports), place(b));
  });
  return doors;
}

}  // namespace fw::exposure
