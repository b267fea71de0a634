// SPDX-License-Identifier: GPL-2.0-only
// Who can reach what under one policy, and not under another?
#pragma once

#include "loader/control/reports.h"
#include "loader/explain/world.h"

namespace fw::explain {

// By reachability: policies that let the same flows through, by whatever rules, do not differ. Both
// worlds must be of the same machine. Of `flows`, those that the new policy would cut are counted.
control::DiffReport diff(const World& before, const World& after,
                         const std::vector<control::FlowReport>& flows = {});

// Both compiled for the machine that the two are assumed to be for, then compared.
Result<control::DiffReport> diff(const config::Policy& old_policy, const config::Policy& new_policy,
                                 const std::vector<control::FlowReport>& flows = {});

}  // namespace fw::explain
