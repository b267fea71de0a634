// SPDX-License-Identifier: GPL-2.0-only
// Does the policy name this door?
#pragma once

#include <optional>
#include <vector>

#include "loader/control/reports.h"
#include "loader/exposure/door.h"

namespace fw::exposure {

// The line that names the door's port, on all of its addresses: a published door, a rule of `allow`
// or `host.admin` to the host, a block for everybody, or a service of the host. A rule for every
// port names none. `own` are this machine's addresses that others can reach.
std::optional<control::RuleRef> declared_by(const config::Policy& policy, const Door& door,
                                            const std::vector<Address>& own);

}  // namespace fw::exposure
