// SPDX-License-Identifier: GPL-2.0-only
// Does a policy answer its own `tests:` as they expect?
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "loader/compile/offline.h"
#include "loader/config/model.h"

namespace fw::compile {

struct TestFailure {
  config::Location where;  // of the expectation
  std::string message;     // "internet may reach db:5432/tcp, allowed by fwd.yaml:14 '...'"
};

struct TestOutcome {
  std::string name;
  config::Location where;
  std::size_t expectations = 0;
  std::vector<TestFailure> failures;  // none: passed
};

// In the order of the file. Each item of `allow` must hold for every address and port that it and
// `from` cover, each of `deny` for none of them, for every family that both ends have.
std::vector<TestOutcome> run_tests(const config::Policy& policy, const Offline& offline);

}  // namespace fw::compile
