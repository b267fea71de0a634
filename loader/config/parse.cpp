// SPDX-License-Identifier: GPL-2.0-only
// The top level of a policy: which sections there are, and the order in which they can be
// understood.
#include "loader/config/parse.h"

#include "loader/config/names.h"
#include "loader/config/reader.h"
#include "loader/config/sections.h"
#include "loader/config/yaml.h"

namespace fw::config {
namespace {

const Keys kPolicyKeys = {
    {"version", "name", "host", "zones", "services", "publish", "allow", "block", "tests"},
    {"compose", "limits", "deny", "log"}};

void read_version(const Node* node, const Node& root, Report& report) {
  if (node == nullptr) {
    report.error(root.where, "the policy has no 'version'", "write 'version: 1'");
    return;
  }
  if (!is_text(*node, "'version'", report)) return;
  if (node->text == "1") return;
  report.error(node->where, "version " + quote(node->text) + " is not one that this fwd reads",
               "write 'version: 1'");
}

void read_name(const Node& node, Scope& scope) {
  if (!is_text(node, "'name'", scope.report)) return;
  const std::string fault = name_fault(node.text);
  if (!fault.empty()) {
    scope.report.error(node.where, quote(node.text) + " " + fault);
    return;
  }
  scope.policy.name = node.text;
}

// A section that is a map; nullptr when it is absent, has nothing in it, or was reported.
const Node* section(const Fields& fields, const char* key, Report& report) {
  const Node* node = fields[key];
  if (node == nullptr || node->kind == Node::Kind::kNull) return nullptr;
  return is_map(*node, quote(key), report) ? node : nullptr;
}

// A door faces an uplink; without one it would be open to nobody, and nobody would be told.
void check_uplinks(const Fields& fields, const Node& publish, const Node* host, Report& report) {
  if (publish.entries.empty()) return;
  if (host == nullptr && fields["host"] != nullptr && fields["host"]->kind != Node::Kind::kNull) {
    return;
  }
  if (host != nullptr) {
    for (const Entry& entry : host->entries) {
      if (entry.key.text != "uplinks") continue;
      const bool empty = entry.value.kind == Node::Kind::kNull ||
                         (entry.value.kind == Node::Kind::kSequence && entry.value.items.empty());
      if (!empty) return;
    }
  }
  report.error(publish.where, "there are doors, but 'host' names no uplinks for them to face",
               "write 'host: {uplinks: [eth0]}'; 'ip link' lists the interfaces");
}

void read_policy(const Node& root, Scope& scope) {
  Report& report = scope.report;
  const Fields fields{root, kPolicyKeys, "a policy", report};
  read_version(fields["version"], root, report);
  if (const Node* name = fields["name"]) read_name(*name, scope);

  const Node* zones = section(fields, "zones", report);
  const Node* services = section(fields, "services", report);
  declare_names(zones, services, scope);
  if (services != nullptr) read_services(*services, scope);
  if (zones != nullptr) read_zones(*zones, scope);
  const Node* host = section(fields, "host", report);
  if (host != nullptr) read_host(*host, scope);
  if (const Node* publish = section(fields, "publish", report)) {
    read_publish(*publish, scope);
    check_uplinks(fields, *publish, host, report);
  }
  if (const Node* allow = fields["allow"]) read_rules(*allow, RuleKind::kAllow, scope);
  if (const Node* block = fields["block"]) read_rules(*block, RuleKind::kBlock, scope);
  if (const Node* tests = fields["tests"]) read_tests(*tests, scope);
  if (!report.has_errors()) check_admin(scope);  // a zone with a mistake may lack its members
}

}  // namespace

Parsed parse(const Source& source) {
  Report report;
  report.add_source(source);
  Scope scope{report, {}, {}};
  const auto root = read_yaml(source, report);
  if (root && root->kind == Node::Kind::kNull) {
    report.error({source.name, 0, 0}, "the policy is empty",
                 "the least that a policy says is 'version: 1'");
  } else if (root && is_map(*root, "a policy", report)) {
    read_policy(*root, scope);
  }
  Parsed result;
  if (root && !report.has_errors()) result.policy = std::move(scope.policy);
  result.diagnostics = std::move(report).take();
  return result;
}

}  // namespace fw::config
