// SPDX-License-Identifier: GPL-2.0-only
// The flow tables, read and swept from user space.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "loader/datapath/programs.h"
#include "maps/flow.h"

namespace fw::datapath {

// One direction of a flow; IPv4 tuples in the common form.
struct Flow {
  fw_tuple tuple{};
  fw_flow flow{};
  bool half = false;  // from the half-open table
};

// Entries, two to an established flow; those past their expiry count until the sweep.
struct FlowCount {
  std::uint64_t established = 0;
  std::uint64_t half = 0;
};

// At most `limit` entries, the established ones first.
Result<std::vector<Flow>> read_flows(const Maps& maps, std::size_t limit);
Result<FlowCount> count_flows(const Maps& maps);
Result<void> clear_flows(const Maps& maps);  // and what was used of limits

// Deletes expired entries, in the kernel, and counts what each source holds. Returns how many it
// deleted.
Result<std::uint64_t> sweep_flows(const Programs& programs);

}  // namespace fw::datapath
