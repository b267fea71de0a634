// SPDX-License-Identifier: GPL-2.0-only
// The order in which a policy becomes an image: zones, identities, port classes, doors, entries.
#include "loader/compile/compile.h"

#include "loader/compile/doors.h"
#include "loader/compile/entries.h"
#include "loader/compile/identities.h"
#include "loader/compile/ports.h"
#include "loader/compile/zones.h"

namespace fw::compile {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

void set_timeouts(fw_generation& parameters) {
  auto& timeout = parameters.timeout_ns;
  timeout[FW_TCP_HALF] = 240 * kSecond;
  timeout[FW_TCP_ESTABLISHED] = 7440 * kSecond;  // RFC 5382, REQ-5: at least 2 h 4 min
  timeout[FW_TCP_CLOSING] = 240 * kSecond;       // RFC 5382, REQ-5: transitory, at least 4 min
  timeout[FW_TCP_CLOSED] = 10 * kSecond;
  timeout[FW_UDP_HALF] = 30 * kSecond;
  timeout[FW_UDP_ESTABLISHED] = 300 * kSecond;  // RFC 4787, REQ-5: 5 min recommended
  timeout[FW_ICMP_HALF] = 60 * kSecond;         // RFC 5508, REQ-2: at least 60 s
  timeout[FW_ICMP_ESTABLISHED] = 60 * kSecond;
  timeout[FW_OTHER_HALF] = 30 * kSecond;
  timeout[FW_OTHER_ESTABLISHED] = 600 * kSecond;
}

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
  set_timeouts(parameters);
  parameters.zones = zones.count();
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
  const Identities identities{policy, *zones, topology, placement};
  auto doors = compile_doors(policy, identities, *ports);
  if (!doors) return doors.error();

  Image image;
  if (auto set = set_parameters(policy, *zones, book, image.parameters); !set) return set.error();
  std::vector<Line> lines = lines_of_rules(policy, *zones, identities, *ports);
  lines.insert(lines.end(), std::make_move_iterator(doors->lines.begin()),
               std::make_move_iterator(doors->lines.end()));
  auto entries = entries_of_lines(std::move(lines), *zones, identities, book);
  if (!entries) return entries.error();
  set_levels(*entries, image.parameters);

  image.identities = identities.table();
  image.ports = ports->table();
  image.policy = *std::move(entries);
  image.doors = std::move(doors->doors);
  image.maglev = std::move(doors->maglev);
  image.members = std::move(doors->members);
  image.zones = zones->names();
  image.identity_names = identities.names();
  open_to_own_processes(image);
  return image;
}

}  // namespace fw::compile
