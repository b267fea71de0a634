// SPDX-License-Identifier: GPL-2.0-only
// fwctl test: does a policy answer its own `tests:` as they expect? Needs no daemon.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "ctl/policy.h"
#include "ctl/verbs.h"

namespace fw::ctl {
namespace {

using control::TestReport;

TestReport report_of(const compile::CheckedPolicy& checked) {
  TestReport report{.name = checked.policy->name, .passed = 0, .failed = 0, .tests = {}};
  for (const auto& outcome : checked.tests) {
    ++(outcome.failures.empty() ? report.passed : report.failed);
    auto& test = report.tests.emplace_back(control::TestResult{.name = outcome.name,
                                                               .file = outcome.where.file,
                                                               .line = outcome.where.line,
                                                               .passed = outcome.failures.empty(),
                                                               .expectations = outcome.expectations,
                                                               .failures = {}});
    for (const auto& failure : outcome.failures)
      test.failures.push_back({failure.where.file, failure.where.line, failure.message});
  }
  return report;
}

void test(Session& session, const std::vector<std::string>& files) {
  const auto checked = read_policy(files);
  if (!checked)
    return session.fail(control::failure(control::Code::kUsage, checked.error().message));
  if (!checked->result.policy) return session.fail(refusal(*checked));
  const auto report = report_of(checked->result);
  if (report.failed > 0) session.end(control::Code::kNo);
  if (session.json) return session.print_json(control::to_json(report));
  session.print(render(report, session.style()));
}

}  // namespace

std::string render(const TestReport& report, const Style& style) {
  if (report.tests.empty())
    return fmt::format("policy {} has no tests; write some under 'tests:'\n", report.name);
  std::string text;
  for (const auto& each : report.tests) {
    text += fmt::format("{} {} ({})\n", each.passed ? style.good("ok  ") : style.bad("FAIL"),
                        each.name, plural(each.expectations, "expectation"));
    for (const auto& failure : each.failures)
      text += fmt::format("     {}:{}: {}\n", failure.file, failure.line, failure.message);
  }
  return text + fmt::format("{} passed, {} failed\n", report.passed, report.failed);
}

void add_test(CLI::App& fwctl, Session& session) {
  auto* verb = fwctl.add_subcommand("test", "Ask a policy's own tests; needs no daemon");
  auto files = std::make_shared<std::vector<std::string>>();
  add_files(*verb, *files);
  verb->callback([&session, files] { test(session, *files); });
}

}  // namespace fw::ctl
