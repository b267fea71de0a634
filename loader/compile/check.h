// SPDX-License-Identifier: GPL-2.0-only
// Policy text -> a policy that may be put in force, or why not: its mistakes, the limits that it
// exceeds, its tests that fail. What `fwctl check` and every apply ask.
#pragma once

#include <optional>
#include <vector>

#include "loader/compile/tests.h"
#include "loader/config/parse.h"

namespace fw::compile {

struct CheckedPolicy {
  std::optional<config::Policy> policy;         // as written; unset when the text has mistakes
  std::vector<config::Diagnostic> diagnostics;  // failing tests among them, as errors
  std::vector<TestOutcome> tests;

  [[nodiscard]] bool tests_failed() const;
  // May it be put in force?
  [[nodiscard]] bool accepted() const { return policy && !tests_failed(); }
};

// Pure, like config::parse(). The tests are asked of what is in force at `now`.
CheckedPolicy check(const config::Sources& sources, config::Time now);

}  // namespace fw::compile
