// SPDX-License-Identifier: GPL-2.0-only
// Taking the datapath down: everything that is ours, and nothing else.
#pragma once

#include <string>

#include "loader/base/result.h"
#include "loader/datapath/bpffs.h"

namespace fw::datapath {

// Detaches links and filters, unpins maps, removes the directories, also of other ABI versions.
// Nothing there is no error. Fails when another fwd holds the directory.
Result<void> teardown(const std::string& root);

// The same by who holds the directory.
Result<void> teardown(PinDirectory pins);

}  // namespace fw::datapath
