// SPDX-License-Identifier: GPL-2.0-only
// `allow`, `block` and `host.admin`: flows with every name resolved.
#include <map>

#include "loader/config/canonical.h"
#include "loader/config/names.h"
#include "loader/config/quantity.h"
#include "loader/config/reader.h"
#include "loader/config/sections.h"

namespace fw::config {
namespace {

const Keys kRuleKeys = {{"from", "to", "comment", "limit"}, {"log", "until", "list", "file"}};

std::string key_of(RuleKind kind) {
  switch (kind) {
    case RuleKind::kAdmin:
      return "'admin'";
    case RuleKind::kAllow:
      return "'allow'";
    case RuleKind::kBlock:
      return "'block'";
  }
  return "";
}

// The destinations of one rule as written, by the ports they have. A Rule has one set of ports, so
// `to: [a:80, b:443]` becomes two.
using Targets = std::map<std::vector<PortSet>, std::vector<Peer>>;

bool add_target(const std::optional<TargetWord>& target, Targets& targets, Scope& scope) {
  if (!target) return false;
  const auto peer = resolve_peer(target->peer, scope);
  if (!peer) return false;
  auto ports = resolve_ports(target->peer, *peer, target->ports, scope);
  if (!ports) return false;
  normalize(*ports);
  targets[*ports].push_back(*peer);
  return true;
}

void add_rules(Rule rule, Targets&& targets, Scope& scope) {
  normalize(rule.from);
  for (auto& [ports, peers] : targets) {
    rule.ports = ports;
    rule.to = std::move(peers);
    normalize(rule.to);
    rule.text = rule_text(rule);
    scope.policy.rules.push_back(rule);
  }
}

void read_flow_rule(const Node& node, RuleKind kind, Scope& scope) {
  if (!is_text(node, "an item of " + key_of(kind), scope.report)) return;
  const auto flow = read_flow(Word{node}, scope.report);
  if (!flow) return;
  const auto from = resolve_source(flow->from, scope);
  Targets targets;
  if (!add_target(flow->to, targets, scope) || !from) return;
  Rule rule;
  rule.kind = kind;
  rule.from = {*from};
  rule.where = node.where;
  add_rules(std::move(rule), std::move(targets), scope);
}

// The value of a key that a rule cannot do without.
const Node* required(const Fields& fields, const char* key, const Node& rule, Report& report) {
  const Node* node = fields[key];
  if (node == nullptr && !fields.attempted(key)) {
    report.error(rule.where, "this rule has no " + quote(key),
                 "write {from: PEER, to: PEER:PORT}; '\"*\"' is any peer");
  }
  return node;
}

void check_not_empty(const Fields& fields, Report& report) {
  for (const char* key : {"from", "to"}) {
    const Node* list = fields[key];
    if (list != nullptr && list->kind == Node::Kind::kSequence && list->items.empty()) {
      report.error(list->where, quote(key) + " is an empty list", "'\"*\"' is any peer");
    }
  }
}

void read_limit(const Node& node, Rule& rule, Report& report) {
  if (rule.kind != RuleKind::kAllow) {
    report.error(node.where, key_of(rule.kind) + " takes no limit",
                 "limits are for 'allow' and 'publish'");
    return;
  }
  rule.limit = read_rate(node, "'limit'", report);
}

void read_map_rule(const Node& node, RuleKind kind, Scope& scope) {
  Report& report = scope.report;
  const Fields fields{node, kRuleKeys, "a rule", report};
  const bool flow_key =
      node.entries.size() == 1 && node.entries.front().key.text.find("->") != std::string::npos;
  if (flow_key) return;  // "a -> b: 80", reported as an unknown key with the right hint
  Rule rule;
  rule.kind = kind;
  rule.where = node.where;
  Targets targets;
  bool good = true;
  if (const Node* from = required(fields, "from", node, report)) {
    for (const Word& word : read_words(*from, "'from'", report, Single::kAccepted)) {
      const auto peer = resolve_source(word, scope);
      if (peer) rule.from.push_back(*peer);
      good = good && peer;
    }
  }
  if (const Node* to = required(fields, "to", node, report)) {
    for (const Word& word : read_words(*to, "'to'", report, Single::kAccepted)) {
      good = add_target(read_target(word, report), targets, scope) && good;
    }
  }
  if (const Node* comment = fields["comment"]) {
    if (is_text(*comment, "'comment'", report)) rule.comment = comment->text;
  }
  if (const Node* limit = fields["limit"]) read_limit(*limit, rule, report);
  check_not_empty(fields, report);
  if (good && !rule.from.empty()) add_rules(std::move(rule), std::move(targets), scope);
}

}  // namespace

void read_rules(const Node& rules, RuleKind kind, Scope& scope) {
  if (rules.kind == Node::Kind::kNull) return;
  if (rules.kind != Node::Kind::kSequence) {
    if (rules.kind == Node::Kind::kInvalid) return;
    scope.report.error(rules.where, key_of(kind) + " must be a list of flows",
                       "write '- lan -> db:5432', one line for each");
    return;
  }
  for (const Node& item : rules.items) {
    if (item.kind == Node::Kind::kMap) {
      read_map_rule(item, kind, scope);
    } else {
      read_flow_rule(item, kind, scope);
    }
  }
}

}  // namespace fw::config
