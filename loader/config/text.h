// SPDX-License-Identifier: GPL-2.0-only
// May this text be given to the YAML parser at all?
#pragma once

#include "loader/config/diagnostic.h"

namespace fw::config {

// Refuses what is empty, too large, not UTF-8 text, indented with tabs, or nested so deeply that a
// recursive parser is in danger. Reports the first mistake of each kind.
bool check_text(const Source& source, Report& report);

}  // namespace fw::config
