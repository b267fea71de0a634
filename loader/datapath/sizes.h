// SPDX-License-Identifier: GPL-2.0-only
// How large the flow tables are, from the machine's memory: a Raspberry Pi and a server with 1 TB
// run the same program.
#pragma once

#include <cstdint>

namespace fw::datapath {

struct Sizes {
  std::uint32_t flows = 0;  // entries of each established table; two to a flow; grows on demand
  // Entries of each half-open table, and of each table of limits; allocated at load.
  std::uint32_t half = 0;
};

// At most a sixteenth of the memory when both established tables are full (192 and 256 bytes an
// entry), between 2^17 and 2^22 entries; the half-open tables an eighth of that, at most 2^17
// (23 MiB each), and the two tables of limits as many (12 MiB each).
Sizes sizes_for_memory(std::uint64_t bytes);

// sizes_for_memory() of this machine.
Sizes default_sizes();

}  // namespace fw::datapath
