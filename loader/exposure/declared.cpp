// SPDX-License-Identifier: GPL-2.0-only
#include "loader/exposure/declared.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace fw::exposure {
namespace {

using config::Peer;
using config::Policy;
using control::RuleRef;

RuleRef reference(const std::string& text, const config::Location& where) {
  return {text, where.file, where.line};
}

bool inside(const PortRange& ports, const PortRange& wide) {
  return wide.contains(ports.first) && wide.contains(ports.last);
}

bool names(const std::vector<config::PortSet>& sets, const Door& door) {
  return std::any_of(sets.begin(), sets.end(), [&](const config::PortSet& set) {
    return set.proto == door.proto && inside(door.ports, set.range);
  });
}

// Is `address` of this machine the one that `to` means? Unspecified: a machine without addresses.
bool is_to(const Policy& policy, const Peer& to, const Address& address) {
  if (const auto* prefix = std::get_if<Prefix>(&to))
    return !address.is_unspecified() && prefix->contains(address);
  if (const auto* zone = std::get_if<config::ZoneRef>(&to)) return zone->name == "host";
  if (const auto* service = std::get_if<config::ServiceRef>(&to))
    return policy.services.at(service->name).host;
  return true;
}

// A block of some is an exception from what the others may; one of everybody says "closed".
bool is_word_on_the_port(const config::Rule& rule) {
  if (rule.kind != config::RuleKind::kBlock) return true;
  return rule.list == nullptr &&
         std::any_of(rule.from.begin(), rule.from.end(),
                     [](const Peer& peer) { return std::holds_alternative<config::Anyone>(peer); });
}

std::optional<RuleRef> declared_at(const Policy& policy, const Door& door, const Address& address) {
  for (const auto& [name, published] : policy.doors)
    for (const auto& mapping : published.mappings)
      if ((!published.address || *published.address == address) && mapping.proto == door.proto &&
          inside(door.ports, mapping.host))
        return reference(published.text, published.where);
  for (const auto& rule : policy.rules) {
    const bool here = std::any_of(rule.to.begin(), rule.to.end(),
                                  [&](const Peer& to) { return is_to(policy, to, address); });
    if (here && is_word_on_the_port(rule) && names(rule.ports, door))
      return reference(rule.text, rule.where);
  }
  for (const auto& [name, service] : policy.services)
    for (const auto& [port, sets] : service.ports)
      if (service.host && names(sets, door))
        return reference(fmt::format("service {}:{}", name, port), service.where);
  return std::nullopt;
}

}  // namespace

std::optional<RuleRef> declared_by(const Policy& policy, const Door& door,
                                   const std::vector<Address>& own) {
  std::vector<Address> places;
  if (door.address) places.push_back(*door.address);
  if (!door.address)
    std::copy_if(own.begin(), own.end(), std::back_inserter(places),
                 [&](const Address& address) { return door.has(address.family()); });
  if (places.empty()) places.emplace_back();
  std::optional<RuleRef> first;
  for (const Address& place : places) {
    const auto declared = declared_at(policy, door, place);
    if (!declared) return std::nullopt;
    if (!first) first = declared;
  }
  return first;
}

}  // namespace fw::exposure
