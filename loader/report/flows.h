// SPDX-License-Identifier: GPL-2.0-only
// Entries of the flow tables -> flows as an operator sees them: both directions in one. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "loader/compile/image.h"
#include "loader/control/reports.h"
#include "maps/flow.h"

namespace fw::report {

// One direction, as read from the kernel.
struct FlowEntry {
  fw_tuple tuple{};
  fw_flow flow{};
};

// `now_ns` is on the clock of fw_flow.expires_ns. Entries whose original direction is not among
// them are left out, and so are those past their expiry.
std::vector<control::FlowReport> flows(const std::vector<FlowEntry>& entries,
                                       const compile::AccountBook& book, std::uint64_t now_ns);

}  // namespace fw::report
