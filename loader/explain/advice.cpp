// SPDX-License-Identifier: GPL-2.0-only
#include "loader/explain/advice.h"

#include <algorithm>
#include <set>

#include "loader/config/canonical.h"
#include "loader/explain/remedy.h"

namespace fw::explain {
namespace {

using config::Door;
using config::PortSet;
using config::Rule;
using config::RuleKind;
using control::ExplainReport;
using control::NearRule;

constexpr std::size_t kNearest = 3;

bool has_port(const std::vector<PortSet>& ports, const Denial& denial) {
  if (ports.empty()) return true;
  if (denial.any_port) return false;
  return std::any_of(ports.begin(), ports.end(), [&](const PortSet& set) {
    return set.proto == denial.port.proto &&
           (set.proto == Proto::kIcmp || set.range.contains(denial.port.range.first));
  });
}

bool covers(const Atlas& atlas, const std::vector<config::Peer>& peers, const Member& member) {
  return std::any_of(peers.begin(), peers.end(),
                     [&](const config::Peer& peer) { return atlas.covers(peer, member); });
}

// A flow that YAML would take for something else.
std::string as_yaml(const std::string& text) {
  const bool quoted = text.find_first_of("*[{&!|>'\"%@`") == 0;
  return quoted ? '"' + text + '"' : text;
}

// In a flow sequence.
std::string as_item(const config::Peer& peer) {
  const std::string text = config::to_string(peer);
  return text == "*" || text.find(':') != std::string::npos ? '"' + text + '"' : text;
}

// "80", "53/udp", "53/tcp+udp": tcp is what a number alone means.
std::string target_ports(const Door& door) {
  std::vector<PortSet> ports;
  for (const auto& mapping : door.mappings) ports.push_back({mapping.proto, mapping.target});
  const bool tcp = std::all_of(ports.begin(), ports.end(),
                               [](const PortSet& set) { return set.proto == Proto::kTcp; });
  return tcp ? ports.front().range.to_string() : config::ports_text(ports);
}

std::string door_line(const std::string& name, const Door& door) {
  std::string peers;
  for (const auto& peer : door.from) peers += (peers.empty() ? "" : ", ") + as_item(peer);
  if (door.from.size() > 1) peers = '[' + peers + ']';
  std::string host = door.mappings.front().host.to_string();
  if (door.address) {
    const std::string address = door.address->to_string();
    host = '"' + (door.address->is_ipv4() ? address : '[' + address + ']') + ':' + host + '"';
  }
  const std::string router =
      door.router_port ? "router: " + door.router_port->to_string() + ", " : "";
  return "  " + name + ": {" + router + "host: " + host + ", to: " + door.service + ":" +
         target_ports(door) + ", from: " + peers + "}";
}

// The door, open to `more` too.
Remedy widened(const std::string& name, Door door, const config::Peer& more) {
  door.from.push_back(more);
  config::normalize(door.from);
  Remedy remedy{{"publish:", door_line(name, door)}, {}, {}};
  remedy.door.emplace(name, std::move(door));
  return remedy;
}

Remedy added(const Question& question) {
  Remedy remedy{{"allow:", "  - " + as_yaml(to_string(question))}, Rule{}, {}};
  remedy.rule->from = {question.from};
  remedy.rule->to = {question.to};
  remedy.rule->ports = question.ports;
  remedy.rule->text = config::rule_text(*remedy.rule);
  return remedy;
}

std::uint16_t free_port(const config::Policy& policy, const PortSet& wanted) {
  std::set<std::uint16_t> taken;
  for (const auto& [name, door] : policy.doors)
    for (const auto& mapping : door.mappings)
      if (mapping.proto == wanted.proto)
        for (unsigned port = mapping.host.first; port <= mapping.host.last; ++port)
          taken.insert(static_cast<std::uint16_t>(port));
  std::uint16_t port = wanted.range.first;
  while (taken.contains(port) && port < 65535) ++port;
  return port;
}

bool declares(const config::Service& service, const PortSet& port) {
  for (const auto& [name, sets] : service.ports)
    for (const PortSet& set : sets)
      if (set.proto == port.proto && set.range.contains(port.range.first)) return true;
  return port.proto == Proto::kTcp;
}

std::string free_name(const config::Policy& policy, const std::string& base) {
  std::string name = base;
  for (int i = 2; policy.doors.contains(name); ++i) name = base + "-" + std::to_string(i);
  return name;
}

// A door that leads there already: for FROM too, or for others.
bool advise_known_door(const Atlas& atlas, const Question& question, const Denial& denial,
                       ExplainReport& report, Remedy& remedy) {
  for (const auto& [name, door] : atlas.world().policy.doors)
    for (const auto& mapping : door.mappings) {
      if (door.service != denial.to.service || mapping.proto != denial.port.proto ||
          !mapping.target.contains(denial.port.range.first))
        continue;
      const int port = mapping.host.first + denial.port.range.first - mapping.target.first;
      report.advice.push_back("door '" + name +
                              "' leads there: clients connect to host:" + std::to_string(port));
      if (!covers(atlas, door.from, denial.from)) remedy = widened(name, door, question.from);
      return true;
    }
  return false;
}

// From an uplink only a door leads to a container.
void advise_door(const Atlas& atlas, const Question& question, const Denial& denial,
                 ExplainReport& report, Remedy& remedy) {
  const auto& policy = atlas.world().policy;
  report.advice.emplace_back(
      "a container is reached from outside through a door only, whatever 'allow' says");
  if (denial.to.service.empty()) {
    report.advice.push_back("name " + denial.to.address.to_string() +
                            " under 'services' first; a door leads to a service");
    return;
  }
  if (denial.any_port || denial.port.proto == Proto::kIcmp) {
    report.advice.push_back("ask about one TCP or UDP port: " + denial.to.service + ":80");
    return;
  }
  if (advise_known_door(atlas, question, denial, report, remedy)) return;
  const auto& service = denial.to.service;
  if (!declares(policy.services.at(service), denial.port))
    report.advice.push_back("service '" + service + "' must declare port " +
                            denial.port.range.to_string() + "/" +
                            std::string{to_string(denial.port.proto)} + " first");
  Door door;
  door.service = service;
  const std::uint16_t host = free_port(policy, denial.port);
  const std::uint16_t target = denial.port.range.first;
  door.mappings = {{denial.port.proto, {host, host}, {target, target}}};
  remedy = widened(free_name(policy, service), std::move(door), question.from);
  report.advice.push_back("clients then connect to host:" + std::to_string(host));
}

void advise_rule(const Atlas& atlas, const Question& question, const Denial& denial,
                 ExplainReport& report, Remedy& remedy) {
  remedy = added(question);
  const bool host = (denial.to.ident.flags & FW_IDENT_HOST) != 0;
  if (!host || denial.any_port) return;
  // A door is there, but for wires only.
  for (const auto& [name, door] : atlas.world().policy.doors)
    for (const auto& mapping : door.mappings) {
      if (mapping.proto != denial.port.proto || !mapping.host.contains(denial.port.range.first) ||
          denial.from.origin == FW_FROM_WIRE)
        continue;
      const auto target = static_cast<std::uint16_t>(mapping.target.first +
                                                     denial.port.range.first - mapping.host.first);
      report.advice.push_back("door '" + name +
                              "' answers only what comes from a wire; a container or the host "
                              "itself connects to the service");
      remedy = added({question.from,
                      config::ServiceRef{door.service},
                      {{mapping.proto, {target, target}}},
                      {}});
    }
}

std::optional<NearRule> near(const Atlas& atlas, const Rule& rule, const Denial& denial) {
  if (rule.kind == RuleKind::kBlock) return std::nullopt;
  const bool from = covers(atlas, rule.from, denial.from);
  const bool to = covers(atlas, rule.to, denial.to);
  const bool port = has_port(rule.ports, denial);
  if (int{from} + int{to} + int{port} != 2) return std::nullopt;
  return NearRule{{rule.text, rule.where.file, rule.where.line},
                  !port   ? "another port"
                  : !from ? "another source"
                          : "another destination"};
}

std::optional<NearRule> near(const Atlas& atlas, const Door& door, const Denial& denial) {
  const bool from = covers(atlas, door.from, denial.from);
  const control::RuleRef reference{door.text, door.where.file, door.where.line};
  if (denial.door == &door) return NearRule{reference, "another source"};
  if (denial.to.service == door.service && from)
    return NearRule{reference, "the door to it: connect to the host's port"};
  return std::nullopt;
}

}  // namespace

void advise(const Atlas& atlas, const Question& question, const Denial& denial,
            ExplainReport& report) {
  if (denial.reason == FW_REASON_BLOCKED) {
    report.advice.emplace_back("a block beats every allow: remove it or make it narrower");
    return;
  }
  if (denial.reason == FW_REASON_MARTIAN) {
    report.advice.emplace_back(
        "no packet comes from there with such a source, whatever is allowed");
    return;
  }
  if (denial.reason == FW_REASON_NO_ROUTE && (denial.door == nullptr || denial.backend)) {
    const std::string there = denial.backend.value_or(denial.to.address).to_string();
    report.advice.push_back("the policy allows it, but this machine has no route to " + there +
                            ": see 'ip route get " + there + "'");
    return;
  }
  if (denial.reason == FW_REASON_NO_ROUTE) {
    report.advice.push_back("service '" + (denial.door ? denial.door->service : std::string{}) +
                            "' has no " + (denial.to.family() == Family::kIpv4 ? "IPv4" : "IPv6") +
                            " address: give it one");
    return;
  }
  Remedy remedy;
  const bool from_uplink =
      denial.from.origin == FW_FROM_WIRE && denial.from.interface_zone == FW_ZONE_INTERNET;
  if (denial.door != nullptr)
    remedy = widened(denial.door_name, *denial.door, question.from);
  else if (from_uplink && (denial.to.ident.flags & FW_IDENT_CONTAINER) != 0)
    advise_door(atlas, question, denial, report, remedy);
  else
    advise_rule(atlas, question, denial, report, remedy);
  report.allow = remedy.lines;
  report.breaks = broken_by(remedy, atlas.world().policy);
}

std::vector<NearRule> nearest(const Atlas& atlas, const Denial& denial) {
  std::vector<NearRule> found;
  for (const auto& [name, door] : atlas.world().policy.doors)
    if (auto one = near(atlas, door, denial)) found.push_back(std::move(*one));
  for (const Rule& rule : atlas.world().policy.rules)
    if (auto one = near(atlas, rule, denial)) found.push_back(std::move(*one));
  const auto rank = [](const NearRule& one) {
    return one.differs == "another destination" ? 2 : one.differs == "another source" ? 1 : 0;
  };
  std::stable_sort(found.begin(), found.end(),
                   [&](const NearRule& a, const NearRule& b) { return rank(a) < rank(b); });
  if (found.size() > kNearest) found.resize(kNearest);
  return found;
}

}  // namespace fw::explain
