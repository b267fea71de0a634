// SPDX-License-Identifier: GPL-2.0-only
// fwctl as a function, so that tests can run it.
#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace fw::ctl {

// `words`: the command line after the program's name. `terminal`: whether `out` is one. Returns
// the exit code of the contract.
int run(std::vector<std::string> words, std::ostream& out, std::ostream& err, bool terminal);

}  // namespace fw::ctl
