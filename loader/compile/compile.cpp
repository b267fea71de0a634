// SPDX-License-Identifier: GPL-2.0-only
// The order in which a policy becomes an image: zones, identities, port classes, doors, entries.
#include "loader/compile/compile.h"

#include "loader/compile/doors.h"
#include "loader/compile/entries.h"
#include "loader/compile/identities.h"
#include "loader/compile/limits.h"
#include "loader/compile/ports.h"
#include "loader/compile/zones.h"

namespace fw::compile {
namespace {

// In the order of maps/active.h: from zone, to zone, reason.
std::vector<AccountName> denied_names(const std::vector<std::string>& zones) {
  std::vector<AccountName> names;
  names.reserve(zones.size() * zones.size() * FW_REASON_COUNT);
  for (const std::string& from : zones)
    for (const std::string& to : zones) {
#define FW_DENIED_NAME(name, help) names.push_back({AccountName::Kind::kDenied, #name, from, to});
      FW_REASONS(FW_DENIED_NAME)
#undef FW_DENIED_NAME
    }
  return names;
}

std::vector<AccountName> egress_names(const std::vector<std::string>& zones) {
  std::vector<AccountName> names;
  names.reserve(zones.size());
  for (const std::string& to : zones)
    names.push_back({AccountName::Kind::kEgress, "host.egress", zones[FW_ZONE_HOST], to});
  return names;
}

Result<void> set_parameters(const config::Policy& policy, const Zones& zones, AccountBook& book,
                            fw_generation& parameters) {
  set_limits(policy, parameters);
  parameters.zones = zones.count();
  if (policy.denial == config::Denial::kReject) parameters.flags |= FW_REJECT;
  if (policy.host.egress_allowed) parameters.flags |= FW_HOST_EGRESS;
  const auto denied = allot(book, denied_names(zones.names()));
  if (!denied) return denied.error();
  const auto egress = allot(book, egress_names(zones.names()));
  if (!egress) return egress.error();
  parameters.denied = *denied;
  parameters.egress_account = *egress;
  return {};
}

}  // namespace

Result<Image> compile(const config::Policy& policy, const Topology& topology,
                      const Placement& placement, AccountBook& book) {
  const auto zones = Zones::number(policy);
  if (!zones) return zones.error();
  const auto ports = PortClasses::of_policy(policy);
  if (!ports) return ports.error();
  Identities identities{policy, *zones, topology, placement};
  auto doors = compile_doors(policy, identities, *ports);
  if (!doors) return doors.error();

  Image image;
  if (auto set = set_parameters(policy, *zones, book, image.parameters); !set) return set.error();
  std::vector<Line> lines = lines_of_rules(policy, *zones, identities, *ports);
  lines.insert(lines.end(), std::make_move_iterator(doors->lines.begin()),
               std::make_move_iterator(doors->lines.end()));
  auto limits = number_limits(lines, book);
  if (!limits) return limits.error();
  auto entries = entries_of_lines(std::move(lines), *zones, identities, book);
  if (!entries) return entries.error();
  set_levels(*entries, image.parameters);

  image.identities = identities.table();
  image.listed = identities.take_listed();
  image.ports = ports->table();
  image.policy = *std::move(entries);
  image.doors = std::move(doors->doors);
  image.maglev = std::move(doors->maglev);
  image.members = std::move(doors->members);
  image.limits = *std::move(limits);
  image.zones = zones->names();
  image.identity_names = identities.names();
  open_to_own_processes(image);
  return image;
}

}  // namespace fw::compile
