// SPDX-License-Identifier: GPL-2.0-only
// Policy + Topology -> Image: the policy compiler. Pure and deterministic; the order of rules in
// the file never changes the image.
#pragma once

#include "loader/base/topology.h"
#include "loader/compile/image.h"
#include "loader/config/model.h"

namespace fw::compile {

// Which interfaces fwd takes part on under this policy, in which role, and where the services'
// containers are. An interface the policy does not concern is not in the result.
Placement place(const config::Policy& policy, const Topology& topology);

// `book` gains the accounts that the policy needs. Fails when a kernel limit would be exceeded
// (zones, entries, accounts), naming the limit.
Result<Image> compile(const config::Policy& policy, const Topology& topology,
                      const Placement& placement, AccountBook& book);

}  // namespace fw::compile
