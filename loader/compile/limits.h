// SPDX-License-Identifier: GPL-2.0-only
// Rates, numbers of flows and timeouts, as the kernel reads them.
#pragma once

#include <vector>

#include "loader/compile/entries.h"
#include "maps/limit.h"

namespace fw::compile {

// What one flow takes from a full bucket, in nanoseconds: the lower the rate, the more. 0: no rate.
std::uint64_t cost_of(const std::optional<config::Rate>& rate);

// Gives each line that has a rate its number. Lines of one subject and rate share one. Fails when
// there are more than a number holds.
Result<std::vector<fw_limit>> number_limits(std::vector<Line>& lines, AccountBook& book);

// The limits of the policy as a whole.
void set_limits(const config::Policy& policy, fw_generation& parameters);

}  // namespace fw::compile
