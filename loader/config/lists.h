// SPDX-License-Identifier: GPL-2.0-only
// The text of a block list -> its prefixes.
#pragma once

#include <vector>

#include "loader/config/diagnostic.h"
#include "loader/config/model.h"

namespace fw::config {

// One address or CIDR a line; '#' and ';' begin a comment. Sorted, and without what is within
// another. What is wrong is reported with the list's own file and line.
std::vector<Prefix> read_list(const Attachment& list, Report& report);

}  // namespace fw::config
