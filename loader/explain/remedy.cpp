// SPDX-License-Identifier: GPL-2.0-only
#include "loader/explain/remedy.h"

#include <set>

#include "loader/compile/tests.h"

namespace fw::explain {
namespace {

std::vector<compile::TestOutcome> failures(const config::Policy& policy) {
  const auto offline = compile::compile_offline(policy);
  if (!offline) return {};
  auto outcomes = compile::run_tests(policy, *offline);
  std::erase_if(outcomes, [](const auto& outcome) { return outcome.failures.empty(); });
  return outcomes;
}

config::Policy with(config::Policy policy, const Remedy& remedy) {
  if (remedy.rule) policy.rules.push_back(*remedy.rule);
  if (remedy.door) policy.doors[remedy.door->first] = remedy.door->second;
  return policy;
}

}  // namespace

std::vector<control::BrokenTest> broken_by(const Remedy& remedy, const config::Policy& policy) {
  if (policy.tests.empty() || remedy.lines.empty()) return {};
  const auto after = failures(with(policy, remedy));
  if (after.empty()) return {};
  std::set<std::string> before;
  for (const auto& outcome : failures(policy)) before.insert(outcome.name);
  std::vector<control::BrokenTest> broken;
  for (const auto& [name, where, expectations, mistakes] : after)
    if (!before.contains(name)) broken.push_back({name, where.file, where.line});
  return broken;
}

}  // namespace fw::explain
