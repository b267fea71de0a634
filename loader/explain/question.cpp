// SPDX-License-Identifier: GPL-2.0-only
#include "loader/explain/question.h"

#include "loader/config/canonical.h"
#include "loader/config/names.h"
#include "loader/config/resolve.h"

namespace fw::explain {
namespace {

using config::Policy;

Error first_of(config::Report&& report) {
  const auto diagnostics = std::move(report).take();
  const auto& first = diagnostics.front();
  return Error{first.message + (first.hint.empty() ? "" : "; " + first.hint)};
}

config::Node typed(const std::string& text) {
  config::Node node;
  node.kind = config::Node::Kind::kScalar;
  node.text = text;
  return node;
}

// Only what resolving reads: a policy may have a great many rules.
Policy names_of(const Policy& policy) {
  Policy names;
  names.zones = policy.zones;
  names.services = policy.services;
  return names;
}

bool is_router(const Policy& policy, const config::TargetWord& target) {
  return target.peer.text == "router" && !policy.zones.contains("router") &&
         !policy.services.contains("router");
}

Result<Question> read_router(const Policy& policy, const config::TargetWord& target) {
  if (target.ports.size() != 1) return Error{"'router' needs one port: router:80"};
  const std::string text{target.ports.front().port.text};
  const auto port = PortRange::parse(text);
  if (!port) return Error{port.error().message};
  Question question{{}, config::ZoneRef{"host"}, {}, "router:" + text};
  for (const auto& [name, door] : policy.doors) {
    if (!door.router_port || !door.router_port->contains(port->first) ||
        !door.router_port->contains(port->last))
      continue;
    if (door.address) question.to = Prefix{*door.address, door.address->is_ipv4() ? 32U : 128U};
    for (const auto& mapping : door.mappings) {
      const unsigned shift = unsigned{mapping.host.first} - door.router_port->first;
      question.ports.push_back({mapping.proto,
                                {static_cast<std::uint16_t>(port->first + shift),
                                 static_cast<std::uint16_t>(port->last + shift)}});
    }
    return question;
  }
  return Error{"no door has 'router: " + text + "', so the policy does not say where it leads"};
}

Result<Question> understand(const Policy& policy, const config::Node& from, const config::Node& to,
                            config::Scope& scope) {
  const auto target = config::read_target(config::Word{to}, scope.report);
  if (!target) return first_of(std::move(scope.report));
  Question question;
  if (is_router(policy, *target)) {
    auto router = read_router(policy, *target);
    if (!router) return router;
    question = std::move(*router);
  } else {
    const auto peer = config::resolve_peer(target->peer, scope);
    if (!peer) return first_of(std::move(scope.report));
    auto ports = config::resolve_ports(target->peer, *peer, target->ports, scope);
    if (!ports) return first_of(std::move(scope.report));
    question.to = *peer;
    question.ports = std::move(*ports);
  }
  config::normalize(question.ports);
  const auto source = config::resolve_source(config::Word{from}, scope);
  if (!source) return first_of(std::move(scope.report));
  question.from = *source;
  return question;
}

}  // namespace

Result<Question> read_question(const Policy& policy, const std::string& from,
                               const std::string& to) {
  config::Report report;
  config::Scope scope{report, names_of(policy), {}};
  const config::Node from_node = typed(from);
  const config::Node to_node = typed(to);
  auto question = understand(policy, from_node, to_node, scope);
  if (!question) return question.error().during(config::quote(from) + " to " + config::quote(to));
  return question;
}

std::string to_string(const Question& question) {
  config::Rule rule;
  rule.from = {question.from};
  rule.to = {question.to};
  rule.ports = question.ports;
  return config::rule_text(rule);
}

}  // namespace fw::explain
