// SPDX-License-Identifier: GPL-2.0-only
// A change to a policy that would let a denied flow through, and what it would break.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "loader/config/model.h"
#include "loader/control/reports.h"

namespace fw::explain {

// The same twice: as lines to write, and as values. Empty: there is no such change.
struct Remedy {
  std::vector<std::string> lines;
  std::optional<config::Rule> rule;                          // to add
  std::optional<std::pair<std::string, config::Door>> door;  // to add, or to put in its place
};

// The policy's tests that fail with the remedy and do not without, on the machine that tests are
// asked of.
std::vector<control::BrokenTest> broken_by(const Remedy& remedy, const config::Policy& policy);

}  // namespace fw::explain
