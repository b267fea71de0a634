// SPDX-License-Identifier: GPL-2.0-only
// Peers and port names -> the model.
#include "loader/config/resolve.h"

#include <algorithm>

#include "loader/base/join.h"
#include "loader/config/names.h"

namespace fw::config {
namespace {

bool has_letter(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
}

bool looks_like_address(std::string_view text) {
  return !has_letter(text) || text.find_first_of(":/") != std::string_view::npos;
}

std::vector<std::string> peer_names(const Policy& policy) {
  std::vector<std::string> names = {"host", "internet"};
  for (const auto& [name, zone] : policy.zones) names.push_back(name);
  for (const auto& [name, service] : policy.services) names.push_back(name);
  return names;
}

// The services that a port name is looked up in: what `peer` may turn out to be.
std::vector<std::string> services_of(const Peer& peer, const Policy& policy) {
  if (const auto* service = std::get_if<ServiceRef>(&peer)) return {service->name};
  std::vector<std::string> names;
  if (const auto* zone = std::get_if<ZoneRef>(&peer)) {
    if (const auto found = policy.zones.find(zone->name); found != policy.zones.end()) {
      return found->second.services;
    }
    for (const auto& [name, service] : policy.services) {
      if (zone->name == "host" && service.host) names.push_back(name);
    }
  } else if (std::holds_alternative<Anyone>(peer)) {
    for (const auto& [name, service] : policy.services) names.push_back(name);
  }
  return names;
}

void report_unknown_port(const Word& name, const std::string& subject, bool is_service,
                         const std::vector<std::string>& services, Scope& scope) {
  std::set<std::string> declared;
  for (const auto& service : services) {
    if (scope.incomplete.contains(service)) return;
    const auto found = scope.policy.services.find(service);
    if (found == scope.policy.services.end()) return;
    for (const auto& [port, sets] : found->second.ports) declared.insert(port);
  }
  std::vector<std::string> candidates{declared.begin(), declared.end()};
  candidates.emplace_back("ping");
  std::string hint = did_you_mean(name.text, candidates);
  if (hint.empty() && name.text == "icmp") hint = "ICMP echo is the port name 'ping'";
  if (hint.empty() && declared.empty()) hint = "it declares no ports; write a number";
  if (hint.empty() && declared.size() <= 8) {
    hint = "declared: " + join({declared.begin(), declared.end()});
  }
  scope.report.error(
      name.where(),
      is_service ? "service " + quote(subject) + " declares no port " + quote(name.text)
                 : "no service in " + quote(subject) + " declares a port " + quote(name.text),
      hint);
}

std::vector<PortSet> declared_as(const std::vector<std::string>& services, const std::string& name,
                                 const Policy& policy) {
  std::vector<PortSet> sets;
  for (const auto& service : services) {
    const auto found = policy.services.find(service);
    if (found == policy.services.end()) continue;
    const auto port = found->second.ports.find(name);
    if (port == found->second.ports.end()) continue;
    sets.insert(sets.end(), port->second.begin(), port->second.end());
  }
  return sets;
}

std::optional<std::vector<PortSet>> resolve_ping(const PortWord& word, Scope& scope) {
  // In "ping,22/tcp" the protocol is that of 22.
  const bool foreign = !word.protos.empty() && word.protos.front() != Proto::kIcmp;
  if (!foreign || word.shared) {
    return std::vector<PortSet>{{Proto::kIcmp, {}}};
  }
  scope.report.error(word.proto.where(), "'ping' is ICMP echo and has no other protocol",
                     "write ':ping'");
  return std::nullopt;
}

std::optional<std::vector<PortSet>> resolve_number(const PortWord& word, Scope& scope) {
  const auto range = PortRange::parse(word.port.text);
  if (!range) {
    scope.report.error(word.port.where(), range.error().message);
    return std::nullopt;
  }
  if (word.protos == std::vector{Proto::kIcmp}) {
    scope.report.error(word.proto.where(), "ICMP has no ports", "for ICMP echo write ':ping'");
    return std::nullopt;
  }
  std::vector<PortSet> sets;
  if (word.protos.empty()) sets.push_back({Proto::kTcp, *range});
  for (const Proto proto : word.protos) sets.push_back({proto, *range});
  return sets;
}

std::optional<std::vector<PortSet>> resolve_name(const Word& peer_word, const Peer& peer,
                                                 const PortWord& word, Scope& scope) {
  const auto* zone = std::get_if<ZoneRef>(&peer);
  if (std::holds_alternative<Prefix>(peer) || (zone != nullptr && zone->name == "internet")) {
    scope.report.error(word.port.where(),
                       quote(peer_word.text) + " declares no port names, so " +
                           quote(word.port.text) + " means nothing there",
                       "write the port's number");
    return std::nullopt;
  }
  const auto services = services_of(peer, scope.policy);
  auto sets = declared_as(services, std::string{word.port.text}, scope.policy);
  if (sets.empty()) {
    const bool is_service = std::holds_alternative<ServiceRef>(peer);
    report_unknown_port(word.port, std::string{peer_word.text}, is_service, services, scope);
    return std::nullopt;
  }
  if (word.protos.empty()) return sets;
  std::erase_if(sets, [&](const PortSet& set) {
    return std::find(word.protos.begin(), word.protos.end(), set.proto) == word.protos.end();
  });
  if (!sets.empty()) return sets;
  scope.report.error(word.proto.where(), "port " + quote(word.port.text) + " of " +
                                             quote(peer_word.text) + " is not declared for " +
                                             std::string{word.proto.text});
  return std::nullopt;
}

}  // namespace

bool is_numeric(std::string_view port) {
  return !port.empty() && port.find_first_not_of("0123456789-") == std::string_view::npos;
}

std::optional<Peer> resolve_peer(const Word& word, Scope& scope) {
  const std::string name{word.text};
  if (name == "*") return Anyone{};
  if (name == "host" || name == "internet" || scope.policy.zones.contains(name)) {
    return ZoneRef{name};
  }
  if (scope.policy.services.contains(name)) return ServiceRef{name};
  if (name == "none") {
    scope.report.error(word.where(), "'none' holds what no zone names, and no rule can name it");
    return std::nullopt;
  }
  if (looks_like_address(name)) {
    const auto prefix = Prefix::parse(name);
    if (prefix) return *prefix;
    const auto [before, after] = word.split("/");
    const bool proto = after.text == "tcp" || after.text == "udp" || after.text == "tcp+udp";
    scope.report.error(word.where(),
                       proto ? "a protocol needs a port before it" : prefix.error().message,
                       proto ? "every port is ':1-65535/" + std::string{after.text} + "'" : "");
    return std::nullopt;
  }
  scope.report.error(word.where(), "no zone or service is called " + quote(name),
                     did_you_mean(name, peer_names(scope.policy)));
  return std::nullopt;
}

std::optional<Peer> resolve_source(const Word& word, Scope& scope) {
  const auto parts = split_port(word.trimmed(), scope.report);
  if (!parts) return std::nullopt;
  if (parts->second) {
    scope.report.error(parts->second->where(), "a flow's source has no port",
                       "the port belongs after '->', to the destination");
    return std::nullopt;
  }
  return resolve_peer(parts->first, scope);
}

std::optional<std::vector<PortSet>> resolve_ports(const Word& peer_word, const Peer& peer,
                                                  const std::vector<PortWord>& words,
                                                  Scope& scope) {
  std::vector<PortSet> ports;
  bool good = true;
  for (const PortWord& word : words) {
    const auto sets = word.port.text == "ping"     ? resolve_ping(word, scope)
                      : is_numeric(word.port.text) ? resolve_number(word, scope)
                                                   : resolve_name(peer_word, peer, word, scope);
    if (sets) ports.insert(ports.end(), sets->begin(), sets->end());
    good = good && sets.has_value();
  }
  if (!good) return std::nullopt;
  return ports;
}

std::optional<std::vector<PortSet>> named_port(const std::string& service, const Word& name,
                                               Scope& scope) {
  auto sets = declared_as({service}, std::string{name.text}, scope.policy);
  if (!sets.empty()) return sets;
  report_unknown_port(name, service, true, {service}, scope);
  return std::nullopt;
}

}  // namespace fw::config
