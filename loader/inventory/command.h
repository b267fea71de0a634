// SPDX-License-Identifier: GPL-2.0-only
// Runs a program of the system to its end and keeps what it said.
#pragma once

#include <string>
#include <vector>

#include "loader/base/result.h"

namespace fw::inventory {

struct Output {
  int status = 0;  // exit code; 128 + signal number when a signal ended it
  std::string out;
  std::string err;
};

// Without a shell, found by PATH. ENOENT is the error's code when it is not installed.
Result<Output> run(const std::vector<std::string>& argv);

}  // namespace fw::inventory
