// SPDX-License-Identifier: GPL-2.0-only
#include "loader/compile/check.h"

#include <algorithm>

#include "loader/compile/bind.h"
#include "loader/config/diagnostic.h"
#include "loader/config/names.h"
#include "loader/config/until.h"

namespace fw::compile {

bool CheckedPolicy::tests_failed() const {
  return std::any_of(tests.begin(), tests.end(),
                     [](const TestOutcome& test) { return !test.failures.empty(); });
}

namespace {

void warn_of_ended(const config::Policy& policy, config::Time now, config::Report& report) {
  const auto warn = [&](const std::string& what, const std::optional<config::Time>& until,
                        const config::Location& where) {
    if (until && *until <= now)
      report.warning(where,
                     what + " has ended at " + config::to_string(*until) + " and is not in force",
                     "remove it, or give it a later 'until'");
  };
  for (const auto& rule : policy.rules) warn(config::quote(rule.text), rule.until, rule.where);
  for (const auto& [name, door] : policy.doors)
    warn("door " + config::quote(name), door.until, door.where);
}

}  // namespace

CheckedPolicy check(const config::Sources& sources, config::Time now) {
  CheckedPolicy checked;
  auto parsed = config::parse(sources);
  checked.diagnostics = std::move(parsed.diagnostics);
  if (!parsed.policy) return checked;

  config::Report report;
  for (const auto& layer : sources.layers) report.add_source(layer);
  warn_of_ended(*parsed.policy, now, report);
  const auto assumed = with_assumed_members(config::in_force_at(*parsed.policy, now));
  if (const auto offline = compile_offline(assumed)) {
    checked.tests = run_tests(assumed, *offline);
    checked.policy = std::move(parsed.policy);
  } else {
    report.error({sources.layers.front().name, 0, 0}, offline.error().message);
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
