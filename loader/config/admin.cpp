// SPDX-License-Identifier: GPL-2.0-only
// `host.admin` must be able to let somebody in: a way that nothing can come by is worse than none,
// because people rely on it.
#include <algorithm>

#include "loader/config/families.h"
#include "loader/config/names.h"
#include "loader/config/sections.h"

namespace fw::config {
namespace {

bool is_host(const Policy& policy, const Peer& peer) {
  if (const auto* zone = std::get_if<ZoneRef>(&peer)) return zone->name == "host";
  const auto* service = std::get_if<ServiceRef>(&peer);
  return service != nullptr && policy.services.at(service->name).host;
}

bool all_host(const Policy& policy, const std::vector<Peer>& peers) {
  return std::all_of(peers.begin(), peers.end(),
                     [&](const Peer& peer) { return is_host(policy, peer); });
}

// Why no packet can belong to this flow; "" when one can.
std::string contradiction(const Policy& policy, const Rule& rule) {
  const Families from = families_of(policy, rule.from);
  const Families to = families_of(policy, rule.to);
  if (from.none()) return "its source has no address: nobody is in that zone";
  if (to.none()) return "its destination has no address: nobody is in that zone";
  if (!from.meets(to)) return "its two ends have no address of one family";
  if (all_host(policy, rule.from) && all_host(policy, rule.to))
    return "the host reaches itself without fwd";
  return "";
}

}  // namespace

void check_admin(Scope& scope) {
  for (const Rule& rule : scope.policy.rules) {
    if (rule.kind != RuleKind::kAdmin) continue;
    const std::string why = contradiction(scope.policy, rule);
    if (why.empty()) continue;
    scope.report.error(rule.where, "host.admin " + quote(rule.text) + " can let nobody in: " + why,
                       "name the network that you administer this machine from: "
                       "\"192.168.1.0/24 -> host:22\"");
  }
}

}  // namespace fw::config
