// SPDX-License-Identifier: GPL-2.0-only
// `allow`, `block` and `host.admin`: flows with every name resolved.
#include <algorithm>
#include <map>
#include <memory>

#include "loader/config/canonical.h"
#include "loader/config/lists.h"
#include "loader/config/merge.h"
#include "loader/config/names.h"
#include "loader/config/quantity.h"
#include "loader/config/reader.h"
#include "loader/config/sections.h"

namespace fw::config {
namespace {

const Keys kAllowKeys = {{"from", "to", "comment", "limit", "until"}, {"log"}};
const Keys kBlockKeys = {{"from", "to", "comment", "until", "list", "file"}, {"log"}, {"limit"}};
const Keys kListKeys = {{"from", "comment", "until", "list", "file"}, {"log"}, {"limit"}};
// What always passes does not end by itself.
const Keys kAdminKeys = {{"from", "to", "comment"}, {"log"}, {"limit"}};

const Keys& keys_of(RuleKind kind) {
  if (kind == RuleKind::kAllow) return kAllowKeys;
  return kind == RuleKind::kBlock ? kBlockKeys : kAdminKeys;
}

constexpr const char* kRuleForm = "write {from: PEER, to: PEER:PORT}; '\"*\"' is any peer";
constexpr const char* kListForm = "write {from: internet, list: NAME, file: lists/NAME.txt}";

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
const Node* required(const Fields& fields, const char* key, const Node& rule, Report& report,
                     const char* form = kRuleForm) {
  const Node* node = fields[key];
  if (node == nullptr && !fields.attempted(key))
    report.error(rule.where, "this rule has no " + quote(key), form);
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

// `from`, and what every rule may have beside its flow. False after reporting a wrong source.
bool read_common(const Fields& fields, const Node* from, Rule& rule, Scope& scope) {
  Report& report = scope.report;
  bool good = from != nullptr;
  if (from != nullptr) {
    for (const Word& word : read_words(*from, "'from'", report, Single::kAccepted)) {
      const auto peer = resolve_source(word, scope);
      if (peer) rule.from.push_back(*peer);
      good = good && peer;
    }
  }
  if (const Node* comment = fields["comment"]) {
    if (is_text(*comment, "'comment'", report)) rule.comment = comment->text;
  }
  if (const Node* limit = fields["limit"]) read_limit(*limit, rule, report);
  if (const Node* until = fields["until"]) rule.until = read_until(*until, report);
  check_not_empty(fields, report);
  return good && !rule.from.empty();
}

// The list that `file` holds; one file may be read by several rules under one name.
std::shared_ptr<const AddressList> read_attached(const Node& name, const Node& file, Scope& scope) {
  const std::string path = path_beside(file.where.file, file.text);
  if (const auto known = scope.lists.find(name.text); known != scope.lists.end()) {
    if (known->second->file == path) return known->second;
    scope.report.error(
        name.where,
        "list " + quote(name.text) + " is the file " + quote(known->second->file) + " already",
        "give each file a list name of its own");
    return nullptr;
  }
  const auto found = std::ranges::find(scope.attachments, path, &Attachment::name);
  if (found == scope.attachments.end() || !found->error.empty()) {
    scope.report.error(file.where,
                       found == scope.attachments.end()
                           ? "the list " + quote(path) + " was not read"
                           : found->error,
                       "a relative path begins at the folder of this policy file");
    return nullptr;
  }
  if (scope.lists.size() == kMaxLists) {
    scope.report.error(name.where, "a policy has at most " + std::to_string(kMaxLists) + " lists",
                       "join some of the files");
    return nullptr;
  }
  AddressList list{name.text, path, read_list(*found, scope.report)};
  return scope.lists[name.text] = std::make_shared<const AddressList>(std::move(list));
}

// A list is kept by prefix, and a zone's interface also brings addresses that no prefix tells of.
bool check_list_source(const Node& from, const Rule& rule, Scope& scope) {
  for (const Peer& peer : rule.from) {
    const auto* zone = std::get_if<ZoneRef>(&peer);
    const auto declared =
        zone == nullptr ? scope.policy.zones.end() : scope.policy.zones.find(zone->name);
    if (declared == scope.policy.zones.end() || declared->second.interfaces.empty()) continue;
    scope.report.error(from.where,
                       "zone " + quote(zone->name) +
                           " is known by its interfaces, and a list is kept by addresses",
                       "write from: internet, or '\"*\"' for all");
    return false;
  }
  return true;
}

// {from: internet, list: drop, file: lists/drop.txt}
void read_list_rule(const Node& node, Scope& scope) {
  Report& report = scope.report;
  const Fields fields{node, kListKeys, "a rule with a list", report};
  const Node* from = required(fields, "from", node, report, kListForm);
  const Node* name = required(fields, "list", node, report, kListForm);
  const Node* file = required(fields, "file", node, report, kListForm);
  Rule rule;
  rule.kind = RuleKind::kBlock;
  rule.where = node.where;
  bool good = read_common(fields, from, rule, scope);
  good = good && check_list_source(*from, rule, scope);
  const bool named = name != nullptr && is_text(*name, "'list'", report);
  if (named && !name_fault(name->text).empty()) {
    report.error(name->where, quote(name->text) + " " + name_fault(name->text));
    return;
  }
  if (!named || file == nullptr || !is_text(*file, "'file'", report)) return;
  rule.list = read_attached(*name, *file, scope);
  if (good && rule.list) add_rules(std::move(rule), {{{}, {Anyone{}}}}, scope);
}

void read_map_rule(const Node& node, RuleKind kind, Scope& scope) {
  Report& report = scope.report;
  const auto has = [&](std::string_view key) {
    return std::ranges::any_of(node.entries, [&](const Entry& e) { return e.key.text == key; });
  };
  if (kind == RuleKind::kBlock && (has("list") || has("file"))) return read_list_rule(node, scope);
  const Fields fields{node, keys_of(kind), "a rule", report};
  const bool flow_key =
      node.entries.size() == 1 && node.entries.front().key.text.find("->") != std::string::npos;
  if (flow_key) return;  // "a -> b: 80", reported as an unknown key with the right hint
  Rule rule;
  rule.kind = kind;
  rule.where = node.where;
  Targets targets;
  bool good = read_common(fields, required(fields, "from", node, report), rule, scope);
  if (const Node* to = required(fields, "to", node, report)) {
    for (const Word& word : read_words(*to, "'to'", report, Single::kAccepted)) {
      good = add_target(read_target(word, report), targets, scope) && good;
    }
  }
  if (good) add_rules(std::move(rule), std::move(targets), scope);
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
