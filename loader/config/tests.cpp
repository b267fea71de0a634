// SPDX-License-Identifier: GPL-2.0-only
// `tests`: the questions a policy must answer as expected; compile/tests.h asks them.
#include <map>

#include "loader/config/canonical.h"
#include "loader/config/names.h"
#include "loader/config/reader.h"
#include "loader/config/sections.h"

namespace fw::config {
namespace {

const Keys kTestKeys = {{"name", "from", "allow", "deny"}, {}};

constexpr const char* kTestForm =
    "write {name: only the door, from: internet, allow: [host:8080], deny: [host:22]}";

void read_sources(const Node& node, Test& test, Scope& scope) {
  for (const Word& word : read_words(node, "'from'", scope.report, Single::kAccepted)) {
    if (const auto peer = resolve_source(word, scope)) test.from.push_back(*peer);
  }
  normalize(test.from);
}

void read_targets(const Node& node, const char* what, std::vector<Target>& targets, Scope& scope) {
  for (const Word& word : read_words(node, what, scope.report, Single::kAccepted)) {
    const auto target = read_target(word, scope.report);
    if (!target) continue;
    const auto peer = resolve_peer(target->peer, scope);
    if (!peer) continue;
    auto ports = resolve_ports(target->peer, *peer, target->ports, scope);
    if (!ports) continue;
    normalize(*ports);
    targets.push_back({*peer, *std::move(ports), word.where()});
  }
}

// What a test cannot do without.
void check_complete(const Fields& fields, const Node& node, Report& report) {
  for (const char* key : {"name", "from"}) {
    const Node* value = fields[key];
    if (value == nullptr && !fields.attempted(key)) {
      report.error(node.where, "this test has no " + quote(key), kTestForm);
    } else if (value != nullptr && value->kind == Node::Kind::kSequence && value->items.empty()) {
      report.error(value->where, quote(key) + " is an empty list", kTestForm);
    }
  }
  if (!fields.attempted("allow") && !fields.attempted("deny")) {
    report.error(node.where, "this test expects nothing: it has neither 'allow' nor 'deny'",
                 kTestForm);
  }
}

void read_test(const Node& node, std::map<std::string, Location>& names, Scope& scope) {
  Report& report = scope.report;
  if (!is_map(node, "a test", report)) return;
  const Fields fields{node, kTestKeys, "a test", report};
  check_complete(fields, node, report);
  Test test;
  test.where = node.where;
  if (const Node* name = fields["name"]; name != nullptr && is_text(*name, "'name'", report)) {
    test.name = name->text;
    const auto [first, added] = names.try_emplace(test.name, name->where);
    if (!added) {
      report.error(name->where,
                   "two tests are called " + quote(test.name) + "; the first is in " +
                       place_of(first->second, name->where),
                   "a failing test is found by its name; rename one of them");
    }
  }
  if (const Node* from = fields["from"]) read_sources(*from, test, scope);
  if (const Node* allow = fields["allow"]) read_targets(*allow, "'allow'", test.allow, scope);
  if (const Node* deny = fields["deny"]) read_targets(*deny, "'deny'", test.deny, scope);
  scope.policy.tests.push_back(std::move(test));
}

}  // namespace

void read_tests(const Node& tests, Scope& scope) {
  if (tests.kind == Node::Kind::kNull || tests.kind == Node::Kind::kInvalid) return;
  if (tests.kind != Node::Kind::kSequence) {
    scope.report.error(tests.where, "'tests' must be a list of tests",
                       "write '- ' before each test");
    return;
  }
  std::map<std::string, Location> names;
  for (const Node& item : tests.items) read_test(item, names, scope);
}

}  // namespace fw::config
