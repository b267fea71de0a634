// SPDX-License-Identifier: GPL-2.0-only
// Policy files from disk. The only part of loader/config/ that reads any.
#pragma once

#include <string>
#include <vector>

#include "loader/base/result.h"
#include "loader/config/parse.h"

namespace fw::config {

// The files as layers, in this order ("-" is standard input), and the attachments that they name.
// An attachment that cannot be read is in the result with its error, for parse() to say where it is
// named.
Result<Sources> load(const std::vector<std::string>& files);

}  // namespace fw::config
