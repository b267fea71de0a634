// SPDX-License-Identifier: GPL-2.0-only
// Lines that no packet can belong to, and machines of whose two families one was forgotten.
#include "loader/config/families.h"

#include <algorithm>
#include <set>

#include "loader/config/names.h"
#include "loader/lint/lints.h"
#include "loader/lint/members.h"

namespace fw::lint {
namespace {

using config::Families;
using config::families_of;
using config::Location;
using config::Peer;
using config::Policy;
using config::Report;
using config::Rule;

std::string only_family(const Families& families) {
  return families.ipv4 ? "only IPv4" : "only IPv6";
}

void must_meet(const std::string& what, const Location& where, const Families& from,
               const Families& to, Report& report) {
  if (from.none() || to.none() || from.meets(to)) return;  // an empty zone is told of by itself
  report.warning(where,
                 what + " can match nothing: one end has " + only_family(from) +
                     " addresses, the other " + only_family(to),
                 "give one of them an address of the other family, or remove the line");
}

bool all_internet(const std::vector<Peer>& peers) {
  return std::all_of(peers.begin(), peers.end(),
                     [](const Peer& peer) { return peer == Peer{config::ZoneRef{"internet"}}; });
}

// Behind an interface of a zone, a service is a machine; else a container (compile/offline.h).
bool is_container(const Policy& policy, const Members& members, const Peer& peer) {
  const auto* service = std::get_if<config::ServiceRef>(&peer);
  if (service == nullptr || policy.services.at(service->name).host) return false;
  const auto zones = members.zones_of(service->name);
  return std::none_of(zones.begin(), zones.end(), [&](const std::string& zone) {
    return !policy.zones.at(zone).interfaces.empty();
  });
}

void must_have_a_door(const Policy& policy, const Members& members, const Rule& rule,
                      Report& report) {
  if (rule.kind != config::RuleKind::kAllow || !all_internet(rule.from)) return;
  const bool containers = std::all_of(rule.to.begin(), rule.to.end(), [&](const Peer& peer) {
    return is_container(policy, members, peer);
  });
  if (!containers) return;
  report.warning(rule.where,
                 config::quote(rule.text) +
                     " lets nothing in: a container is reached from the internet through a door "
                     "only",
                 "write a door under 'publish', with 'from: internet'");
}

// Zones of clients: networks, where a machine has whatever families it likes. Where services are,
// the policy knows the addresses.
class Networks {
 public:
  Networks(const Policy& policy, const Members& members) {
    for (const auto& [name, zone] : policy.zones) {
      const Families families = families_of(policy, config::ZoneRef{name});
      if (families.ipv4 && !families.ipv6 && !members.has_services(name)) only_ipv4_.insert(name);
    }
  }

  // Those of `peers`; none where the peers hold the internet too, which has their IPv6 addresses.
  [[nodiscard]] std::set<std::string> forgotten(const std::vector<Peer>& peers) const {
    std::set<std::string> zones;
    for (const Peer& peer : peers) {
      const auto* zone = std::get_if<config::ZoneRef>(&peer);
      if (std::holds_alternative<config::Anyone>(peer) ||
          (zone != nullptr && zone->name == "internet"))
        return {};
      if (zone != nullptr && only_ipv4_.contains(zone->name)) zones.insert(zone->name);
    }
    return zones;
  }

 private:
  std::set<std::string> only_ipv4_;
};

bool is_dual_service(const Policy& policy, const Peer& peer) {
  const auto* service = std::get_if<config::ServiceRef>(&peer);
  if (service == nullptr) return false;
  const config::Service& found = policy.services.at(service->name);
  const Families families = families_of(found);
  return !found.host && families.ipv4 && families.ipv6;
}

bool names_ipv6(const Policy& policy) {
  const auto ipv6 = [](const auto& one) { return one.family() == Family::kIpv6; };
  return std::any_of(policy.zones.begin(), policy.zones.end(),
                     [&](const auto& zone) {
                       const auto& subnets = zone.second.subnets;
                       return std::any_of(subnets.begin(), subnets.end(), ipv6);
                     }) ||
         std::any_of(policy.services.begin(), policy.services.end(), [&](const auto& service) {
           const auto& addresses = service.second.addresses;
           return std::any_of(addresses.begin(), addresses.end(), ipv6);
         });
}

class ForgottenIpv6 {
 public:
  ForgottenIpv6(const Policy& policy, Report& report)
      : policy_(policy), report_(report), members_(policy), networks_(policy, members_) {}

  void run() {
    if (!names_ipv6(policy_)) return;
    for (const Rule& rule : policy_.rules) {
      const bool dual = std::any_of(rule.to.begin(), rule.to.end(), [&](const Peer& peer) {
        return is_dual_service(policy_, peer);
      });
      if (rule.kind == config::RuleKind::kBlock)
        tell(rule.from, "is not stopped by ", rule.text, rule.where);
      else if (dual)
        tell(rule.from, "is not covered by ", rule.text, rule.where);
    }
    for (const auto& [name, door] : policy_.doors)
      if (is_dual_service(policy_, config::ServiceRef{door.service}))
        tell(door.from, "is not let in by door ", name, door.where);
    for (const auto& [name, service] : policy_.services) split(name, service);
  }

 private:
  // Once for each zone.
  void tell(const std::vector<Peer>& from, const char* what, const std::string& text,
            const Location& line) {
    for (const std::string& name : networks_.forgotten(from)) {
      if (!told_.insert(name).second) continue;
      const Location& where = policy_.zones.at(name).where;
      report_.warning(where,
                      "zone " + config::quote(name) +
                          " has no IPv6 subnet: what its machines send over IPv6 counts as "
                          "'internet', and " +
                          what + called(text, line, where),
                      "add the IPv6 network of these machines to 'subnets'");
    }
  }

  // One service, two zones: what a rule says of its zone holds for half of it.
  void split(const std::string& name, const config::Service& service) {
    std::set<std::string> zones[2];  // by family; "" where it is in none
    for (const Address& address : service.addresses) {
      const std::string* zone = members_.zone_of(name, address);
      zones[address.is_ipv4() ? 0 : 1].insert(zone == nullptr ? "" : *zone);
    }
    if (zones[0].size() != 1 || zones[1].size() != 1 || zones[0] == zones[1]) return;
    const auto in = [](const std::string& zone) {
      return zone.empty() ? std::string{"in no zone"} : "in zone " + config::quote(zone);
    };
    report_.warning(service.where,
                    "service " + config::quote(name) + " is " + in(*zones[0].begin()) +
                        " over IPv4 and " + in(*zones[1].begin()) + " over IPv6",
                    "add the network of the other family to the zone's 'subnets', or list the "
                    "service under its 'services'");
  }

  const Policy& policy_;
  Report& report_;
  Members members_;
  Networks networks_;
  std::set<std::string> told_;
};

}  // namespace

void impossible_lines(const Policy& policy, Report& report) {
  const Members members{policy};
  for (const Rule& rule : policy.rules) {
    must_meet(config::quote(rule.text), rule.where, families_of(policy, rule.from),
              families_of(policy, rule.to), report);
    must_have_a_door(policy, members, rule, report);
  }
  for (const auto& [name, door] : policy.doors)
    must_meet("door " + config::quote(name), door.where, families_of(policy, door.from),
              families_of(policy.services.at(door.service)), report);
}

void forgotten_ipv6(const Policy& policy, Report& report) {
  ForgottenIpv6{policy, report}.run();
}

}  // namespace fw::lint
