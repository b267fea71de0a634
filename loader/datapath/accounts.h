// SPDX-License-Identifier: GPL-2.0-only
// The counters, in chunks that are made as policies need them, summed over the CPUs.
#pragma once

#include <cstdint>
#include <vector>

#include "loader/datapath/programs.h"
#include "maps/account.h"

namespace fw::datapath {

// Makes the chunks for accounts 0 to count - 1 that are not there yet.
Result<void> ensure_accounts(const OuterMap& accounts, std::uint32_t count);

// By account number, up to the end of the last chunk.
Result<std::vector<fw_account>> read_accounts(const OuterMap& accounts);

}  // namespace fw::datapath
