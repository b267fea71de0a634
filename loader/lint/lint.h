// SPDX-License-Identifier: GPL-2.0-only
// What a policy says that its author can hardly mean: lines without effect, holes by omission.
//
// A warning never stops a policy. Each lint is one question with one file, and is silent wherever
// the policy may be meant as it is written: a lint that is wrong once is not read again.
#pragma once

#include <vector>

#include "loader/config/parse.h"

namespace fw::lint {

// Pure. In the order of the file, all of them warnings. `sources` is what `written` was read from.
std::vector<config::Diagnostic> lint(const config::Policy& written, const config::Sources& sources);

}  // namespace fw::lint
