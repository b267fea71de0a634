// SPDX-License-Identifier: GPL-2.0-only
// Numbering zones by name, so that the same policy always has the same numbers.
#include "loader/compile/zones.h"

#include <algorithm>
#include <cassert>

#include "maps/policy.h"

namespace fw::compile {

Result<Zones> Zones::number(const config::Policy& policy) {
  Zones zones;
  zones.names_ = {"none", "host", "internet"};
  static_assert(FW_ZONE_NONE == 0 && FW_ZONE_HOST == 1 && FW_ZONE_INTERNET == 2);
  static_assert(FW_ZONE_USER == 3);
  for (const auto& [name, zone] : policy.zones) zones.names_.push_back(name);
  if (zones.count() > FW_ZONES_MAX)
    return Error{"compiling the policy: it has " + std::to_string(policy.zones.size()) +
                 " zones and fwd can tell at most " + std::to_string(FW_ZONES_MAX - FW_ZONE_USER) +
                 " apart; join zones that have the same rules"};
  return zones;
}

std::uint16_t Zones::operator[](std::string_view name) const {
  const auto found = std::find(names_.begin(), names_.end(), name);
  assert(found != names_.end());
  return found == names_.end() ? std::uint16_t{FW_ZONE_NONE}
                               : static_cast<std::uint16_t>(found - names_.begin());
}

}  // namespace fw::compile
