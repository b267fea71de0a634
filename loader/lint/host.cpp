// SPDX-License-Identifier: GPL-2.0-only
// The machine itself: may anybody reach it, and are its rules more than decoration?
#include <algorithm>

#include "loader/config/names.h"
#include "loader/lint/lints.h"

namespace fw::lint {
namespace {

using config::Peer;
using config::Policy;
using config::Rule;

bool is_zone(const Peer& peer, const char* name) {
  return peer == Peer{config::ZoneRef{name}};
}

bool is_host_service(const Policy& policy, const Peer& peer) {
  const auto* service = std::get_if<config::ServiceRef>(&peer);
  return service != nullptr && policy.services.at(service->name).host;
}

// An address may be one of the machine's own.
bool may_be_host(const Policy& policy, const Peer& peer) {
  return is_zone(peer, "host") || is_host_service(policy, peer) ||
         std::holds_alternative<config::Anyone>(peer) || std::holds_alternative<Prefix>(peer);
}

bool leads_to_host(const Policy& policy, const Rule& rule) {
  return rule.kind != config::RuleKind::kBlock &&
         std::any_of(rule.to.begin(), rule.to.end(),
                     [&](const Peer& peer) { return may_be_host(policy, peer); });
}

}  // namespace

void closed_host(const Policy& policy, config::Report& report) {
  if (policy.host.uplinks.empty()) return;  // no network of the machine's own is filtered
  const bool by_rule = std::any_of(policy.rules.begin(), policy.rules.end(),
                                   [&](const Rule& rule) { return leads_to_host(policy, rule); });
  const bool by_door = std::any_of(policy.doors.begin(), policy.doors.end(), [&](const auto& door) {
    return policy.services.at(door.second.service).host;
  });
  if (by_rule || by_door) return;
  report.warning(policy.host.where,
                 "nobody may reach this machine itself: there is no 'host.admin', and no rule or "
                 "door leads to the host",
                 "name your own way in: 'admin: [\"192.168.1.0/24 -> host:22\"]'");
}

void idle_egress_rules(const Policy& policy, config::Report& report) {
  if (!policy.host.egress_allowed) return;
  for (const Rule& rule : policy.rules) {
    const bool from_host = std::all_of(rule.from.begin(), rule.from.end(), [&](const Peer& peer) {
      return is_zone(peer, "host") || is_host_service(policy, peer);
    });
    const bool to_internet = std::all_of(
        rule.to.begin(), rule.to.end(), [](const Peer& peer) { return is_zone(peer, "internet"); });
    const bool limits = rule.limit.has_value();  // that is more than host.egress says
    if (rule.kind != config::RuleKind::kAllow || limits || !from_host || !to_internet) continue;
    report.warning(rule.where,
                   config::quote(rule.text) +
                       " changes nothing: 'host.egress' lets the host connect to everything but "
                       "containers",
                   "write 'egress: deny' under 'host' if only such rules shall let it out");
  }
}

}  // namespace fw::lint
