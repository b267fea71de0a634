// SPDX-License-Identifier: GPL-2.0-only
// Zones that nobody is in, that others have taken over, or that never leave.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <tuple>

#include "loader/config/names.h"
#include "loader/lint/lints.h"
#include "loader/lint/members.h"

namespace fw::lint {
namespace {

using config::Peer;
using config::Policy;
using config::Report;

struct Nested {
  bool operator()(const Prefix& left, const Prefix& right) const {
    return std::tuple{left.family(), left} < std::tuple{right.family(), right};
  }
};

// Every subnet directly before what it contains.
using Subnets = std::map<Prefix, const std::string*, Nested>;

// The zones that together have taken all of the subnet at `outer`; none when some of it is left.
std::set<std::string> takers(const Subnets& subnets, Subnets::const_iterator outer) {
  std::set<std::string> zones;
  double taken = 0;  // the part of `outer`; sums of powers of two are exact
  auto inner = std::next(outer);
  while (inner != subnets.end() && outer->first.contains(inner->first)) {
    if (*inner->second == *outer->second) return {};
    zones.insert(*inner->second);
    taken += std::ldexp(
        1.0, static_cast<int>(outer->first.length()) - static_cast<int>(inner->first.length()));
    const Prefix& widest = inner->first;
    while (inner != subnets.end() && widest.contains(inner->first)) ++inner;
  }
  return taken == 1.0 ? zones : std::set<std::string>{};
}

// Whether traffic of a zone may go out by an uplink, under any reading of the policy.
class Exits {
 public:
  Exits(const Policy& policy, const std::string& name)
      : policy_(policy), members_(policy), name_(name) {}

  [[nodiscard]] bool any() const {
    if (policy_.host.uplinks.empty()) return false;
    const auto concerns = [&](const std::vector<Peer>& from) {
      return std::any_of(from.begin(), from.end(), [&](const Peer& peer) { return covers(peer); });
    };
    for (const config::Rule& rule : policy_.rules)
      if (rule.kind != config::RuleKind::kBlock && concerns(rule.from) &&
          std::any_of(rule.to.begin(), rule.to.end(),
                      [&](const Peer& peer) { return may_be_beyond(peer); }))
        return true;
    return std::any_of(policy_.doors.begin(), policy_.doors.end(),
                       [&](const auto& door) { return concerns(door.second.from); });
  }

 private:
  // May a member be this peer?
  [[nodiscard]] bool covers(const Peer& peer) const {
    if (const auto* zone = std::get_if<config::ZoneRef>(&peer)) return zone->name == name_;
    if (const auto* service = std::get_if<config::ServiceRef>(&peer))
      return members_.zones_of(service->name).contains(name_);
    return true;
  }

  // May the peer be behind an uplink?
  [[nodiscard]] bool may_be_beyond(const Peer& peer) const {
    if (const auto* service = std::get_if<config::ServiceRef>(&peer)) {
      const auto zones = members_.zones_of(service->name);
      return zones.empty() || std::any_of(zones.begin(), zones.end(), [&](const auto& zone) {
               return may_be_beyond(config::ZoneRef{zone});
             });
    }
    const auto* reference = std::get_if<config::ZoneRef>(&peer);
    if (reference == nullptr || reference->name == "internet") return true;
    if (reference->name == "host" || reference->name == name_) return false;
    return policy_.zones.at(reference->name).interfaces.empty();
  }

  const Policy& policy_;
  Members members_;
  const std::string& name_;
};

}  // namespace

void empty_zones(const Policy& policy, Report& report) {
  for (const auto& [name, zone] : policy.zones)
    if (zone.subnets.empty() && zone.interfaces.empty() && zone.services.empty())
      report.warning(zone.where,
                     "zone " + config::quote(name) +
                         " has no members, so rules about it match "
                         "nothing",
                     "give it 'subnets', 'interfaces' or 'services', or remove it");
}

void hidden_subnets(const Policy& policy, Report& report) {
  Subnets subnets;
  for (const auto& [name, zone] : policy.zones)
    for (const Prefix& subnet : zone.subnets) subnets.emplace(subnet, &name);
  for (auto outer = subnets.cbegin(); outer != subnets.cend(); ++outer) {
    std::string names;
    for (const std::string& zone : takers(subnets, outer))
      names += (names.empty() ? "" : ", ") + config::quote(zone);
    if (names.empty()) continue;
    report.warning(
        policy.zones.at(*outer->second).where,
        "subnet " + outer->first.to_string() + " gives zone " + config::quote(*outer->second) +
            " no address: narrower subnets of other zones (" + names + ") hold all of it",
        "the longest prefix wins; remove the subnet, or one of the narrower ones");
  }
}

void idle_masquerade(const Policy& policy, Report& report) {
  for (const auto& [name, zone] : policy.zones) {
    if (!zone.masquerade.value_or(false) || Exits{policy, name}.any()) continue;
    const std::string why = policy.host.uplinks.empty() ? "'host' names no uplinks to leave by"
                                                        : "no rule lets it leave by an uplink";
    report.warning(zone.where,
                   "'masquerade: true' of zone " + config::quote(name) + " changes nothing: " + why,
                   "write 'allow: [" + name + " -> internet]' if it shall leave; else remove it");
  }
}

}  // namespace fw::lint
