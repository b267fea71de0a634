// SPDX-License-Identifier: GPL-2.0-only
// Ports that a service does not declare, and services that nothing is about.
#include <algorithm>
#include <set>

#include "loader/compile/prefix_map.h"
#include "loader/config/canonical.h"
#include "loader/config/names.h"
#include "loader/lint/lints.h"
#include "loader/lint/members.h"

namespace fw::lint {
namespace {

using config::Peer;
using config::Policy;
using config::PortSet;
using config::Report;
using config::Rule;
using config::Service;

bool overlap(const PortSet& a, const PortSet& b) {
  return a.proto == b.proto && a.range.first <= b.range.last && b.range.first <= a.range.last;
}

// "http (80), dns (53/udp)"; a port's name says what it is for.
std::string declared(const Service& service) {
  std::string text;
  for (const auto& [name, sets] : service.ports)
    text += (text.empty() ? "" : ", ") + name + " (" + config::ports_text(sets) + ")";
  return text;
}

// A service that declares no port at all is described by its addresses alone.
bool is_declared(const Service& service, const PortSet& port) {
  if (service.ports.empty() || port.proto == Proto::kIcmp) return true;
  return std::any_of(service.ports.begin(), service.ports.end(), [&](const auto& named) {
    return std::any_of(named.second.begin(), named.second.end(),
                       [&](const PortSet& set) { return overlap(set, port); });
  });
}

void must_be_declared(const Policy& policy, const std::string& name,
                      const std::vector<PortSet>& ports, const std::string& what,
                      const config::Location& where, Report& report) {
  const Service& service = policy.services.at(name);
  for (const PortSet& port : ports) {
    if (is_declared(service, port)) continue;
    report.warning(
        where,
        what + " is about port " + config::ports_text({port}) + ", which service " +
            config::quote(name) + " does not declare",
        "it declares " + declared(service) + "; use one of these, or add the port there");
  }
}

// What the rules, doors and tests are about.
class Mentions {
 public:
  explicit Mentions(const Policy& policy) {
    for (const Rule& rule : policy.rules) {
      add(rule.from);
      add(rule.to);
    }
    for (const auto& [name, door] : policy.doors) {
      add(door.from);
      services_.insert(door.service);
    }
    for (const config::Test& test : policy.tests) {
      add(test.from);
      for (const auto* targets : {&test.allow, &test.deny})
        for (const config::Target& target : *targets) add({target.to});
    }
    for (const auto& [name, zone] : policy.zones) {
      services_.insert(zone.services.begin(), zone.services.end());
      if (zone.intra_allowed) zones_.insert(name);
    }
  }

  [[nodiscard]] bool concern(const std::string& name, const Service& service,
                             const Members& members) const {
    if (services_.contains(name)) return true;
    const auto zones = members.zones_of(name);
    return std::any_of(zones.begin(), zones.end(),
                       [&](const std::string& zone) { return zones_.contains(zone); }) ||
           std::any_of(service.addresses.begin(), service.addresses.end(),
                       [&](const Address& address) { return prefixes_.find(address) != nullptr; });
  }
  [[nodiscard]] bool anyone() const { return anyone_; }

 private:
  void add(const std::vector<Peer>& peers) {
    for (const Peer& peer : peers) {
      if (const auto* zone = std::get_if<config::ZoneRef>(&peer)) zones_.insert(zone->name);
      if (const auto* service = std::get_if<config::ServiceRef>(&peer))
        services_.insert(service->name);
      if (const auto* prefix = std::get_if<Prefix>(&peer)) prefixes_[*prefix] = true;
      anyone_ |= std::holds_alternative<config::Anyone>(peer);
    }
  }

  std::set<std::string> services_;
  std::set<std::string> zones_;
  compile::PrefixMap<bool> prefixes_;
  bool anyone_ = false;
};

}  // namespace

void undeclared_ports(const Policy& policy, Report& report) {
  for (const Rule& rule : policy.rules)
    for (const Peer& peer : rule.to)
      if (const auto* service = std::get_if<config::ServiceRef>(&peer))
        must_be_declared(policy, service->name, rule.ports, config::quote(rule.text), rule.where,
                         report);
  for (const auto& [name, door] : policy.doors)
    for (const auto& mapping : door.mappings)
      must_be_declared(policy, door.service, {{mapping.proto, mapping.target}},
                       "door " + config::quote(name), door.where, report);
}

void unused_services(const Policy& policy, Report& report) {
  const Mentions mentions{policy};
  if (mentions.anyone()) return;  // a rule with '*' is about everything
  const Members members{policy};
  for (const auto& [name, service] : policy.services)
    if (!mentions.concern(name, service, members))
      report.warning(service.where,
                     "service " + config::quote(name) +
                         " is never used: no door, rule, zone or test is about it, so it reaches "
                         "nothing and nothing reaches it",
                     "open it by a line of 'publish' or 'allow', or remove it");
}

}  // namespace fw::lint
