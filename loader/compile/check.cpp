// SPDX-License-Identifier: GPL-2.0-only
#include "loader/compile/check.h"

#include <algorithm>

#include "loader/compile/bind.h"
#include "loader/config/diagnostic.h"
#include "loader/config/names.h"

namespace fw::compile {

bool CheckedPolicy::tests_failed() const {
  return std::any_of(tests.begin(), tests.end(),
                     [](const TestOutcome& test) { return !test.failures.empty(); });
}

CheckedPolicy check(const config::Source& source) {
  CheckedPolicy checked;
  auto parsed = config::parse(source);
  checked.diagnostics = std::move(parsed.diagnostics);
  if (!parsed.policy) return checked;

  config::Report report;
  report.add_source(source);
  const config::Policy assumed = with_assumed_members(*parsed.policy);
  if (const auto offline = compile_offline(assumed)) {
    checked.tests = run_tests(assumed, *offline);
    checked.policy = std::move(parsed.policy);
  } else {
    report.error({source.name, 0, 0}, offline.error().message);
  }
  for (const TestOutcome& test : checked.tests)
    for (const TestFailure& failure : test.failures)
      report.error(failure.where,
                   "test " + config::quote(test.name) + " failed: " + failure.message);
  auto more = std::move(report).take();
  checked.diagnostics.insert(checked.diagnostics.end(), std::make_move_iterator(more.begin()),
                             std::make_move_iterator(more.end()));
  return checked;
}

}  // namespace fw::compile
