// SPDX-License-Identifier: GPL-2.0-only
// A test is worth its line when it says something that no single rule says: what must stay closed,
// or what several lines achieve together. One that repeats a rule can fail only when that rule is
// changed, and is then changed with it.
#include <algorithm>
#include <map>
#include <tuple>

#include "loader/config/names.h"
#include "loader/lint/lints.h"

namespace fw::lint {
namespace {

using config::Peer;
using config::Policy;
using config::PortSet;
using config::Rule;

using Flow = std::tuple<Peer, Peer, std::vector<PortSet>>;

// The flows that rules spell out one by one.
std::map<Flow, const Rule*> spelled(const Policy& policy) {
  std::map<Flow, const Rule*> flows;
  for (const Rule& rule : policy.rules)
    if (rule.kind == config::RuleKind::kAllow && rule.from.size() == 1 && rule.to.size() == 1)
      flows.try_emplace({rule.from.front(), rule.to.front(), rule.ports}, &rule);
  return flows;
}

// The rule that the test repeats in full.
const Rule* echoed(const config::Test& test, const std::map<Flow, const Rule*>& flows) {
  if (test.from.size() != 1 || test.allow.size() != 1 || !test.deny.empty()) return nullptr;
  const config::Target& target = test.allow.front();
  const auto rule = flows.find({test.from.front(), target.to, target.ports});
  return rule == flows.end() ? nullptr : rule->second;
}

}  // namespace

void echoing_tests(const Policy& policy, config::Report& report) {
  if (policy.tests.empty()) return;
  const auto flows = spelled(policy);
  for (const config::Test& test : policy.tests)
    if (const Rule* rule = echoed(test, flows))
      report.warning(test.where,
                     "test " + config::quote(test.name) + " only repeats " +
                         called(rule->text, rule->where, test.where),
                     "say what must stay closed: 'deny: [host:22]'");
}

}  // namespace fw::lint
