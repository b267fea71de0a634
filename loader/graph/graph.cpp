// SPDX-License-Identifier: GPL-2.0-only
#include "loader/graph/graph.h"

#include <algorithm>
#include <map>
#include <set>

#include "loader/base/join.h"
#include "loader/config/canonical.h"

namespace fw::graph {
namespace {

using config::Peer;
using config::Policy;
using config::PortSet;

constexpr const char* kEveryPort = "every port";
constexpr const char* kNoZone = "(no zone)";

std::string port_text(const std::string& name, const std::vector<PortSet>& sets) {
  return name + " " + config::ports_text(sets);
}

bool overlap(const std::vector<PortSet>& some, const std::vector<PortSet>& others) {
  for (const PortSet& a : some)
    for (const PortSet& b : others)
      if (a.proto == b.proto && a.range.first <= b.range.last && b.range.first <= a.range.last)
        return true;
  return false;
}

class Sketch {
 public:
  explicit Sketch(const Policy& policy) : policy_(policy) {}

  Graph run() {
    graph_.name = policy_.name;
    add_zones();
    for (const auto& [name, service] : policy_.services) add_service(name, service);
    for (const auto& [name, door] : policy_.doors) add_door(name, door);
    for (const auto& rule : policy_.rules) add_rule(rule);
    add_notes();
    for (auto& [name, zone] : zones_) graph_.zones.push_back(std::move(zone));
    graph_.flows.assign(flows_.begin(), flows_.end());
    return std::move(graph_);
  }

 private:
  Zone& zone(const std::string& name) {
    Zone& made = zones_[name];
    if (made.id.empty()) {
      made.id = "zone " + name;
      made.title = name;
    }
    return made;
  }

  void add_zones() {
    Zone& internet = zone("internet");
    internet.outside = true;
    internet.subtitle = policy_.host.uplinks.empty() ? "" : "by " + join(policy_.host.uplinks);
    zone("host").subtitle = "this machine";
    for (const auto& [name, declared] : policy_.zones) {
      Zone& made = zone(name);
      std::vector<std::string> where = declared.interfaces;
      for (const Prefix& subnet : declared.subnets) where.push_back(subnet.to_string());
      where.insert(where.end(), declared.networks.begin(), declared.networks.end());
      made.subtitle = join(where);
      made.outside = declared.services.empty() && declared.networks.empty();
    }
  }

  // By name, else by the longest subnet around its first address.
  [[nodiscard]] std::string zone_of(const std::string& name, const config::Service& service) const {
    if (service.host) return "host";
    const Prefix* longest = nullptr;
    std::string found = kNoZone;
    for (const auto& [zone, declared] : policy_.zones) {
      if (std::find(declared.services.begin(), declared.services.end(), name) !=
          declared.services.end())
        return zone;
      for (const Prefix& subnet : declared.subnets)
        if (!service.addresses.empty() && subnet.contains(service.addresses.front()) &&
            (longest == nullptr || subnet.length() > longest->length())) {
          longest = &subnet;
          found = zone;
        }
    }
    return found;
  }

  void add_service(const std::string& name, const config::Service& service) {
    Node node{"service " + name, name, {}};
    for (const auto& [port, sets] : service.ports) node.ports.push_back(port_text(port, sets));
    Zone& home = zone(zone_of(name, service));
    // A zone with a service of its own on a wire (a server in the LAN) stays outside.
    const auto declared = policy_.zones.find(home.title);
    if (declared == policy_.zones.end() || declared->second.interfaces.empty())
      home.outside = false;
    home.services.push_back(std::move(node));
  }

  std::string id_of(const Peer& peer) {
    if (const auto* named = std::get_if<config::ZoneRef>(&peer)) return zone(named->name).id;
    if (const auto* service = std::get_if<config::ServiceRef>(&peer))
      return "service " + service->name;
    Zone& other = zone(config::to_string(peer));
    other.outside = true;
    if (std::holds_alternative<config::Anyone>(peer)) other.subtitle = "anybody";
    return other.id;
  }

  // The declared ports that `ports` touches; what no name stands for is told by number.
  [[nodiscard]] std::vector<std::string> labels(const Peer& to,
                                                const std::vector<PortSet>& ports) const {
    if (ports.empty()) return {kEveryPort};
    const auto* service = std::get_if<config::ServiceRef>(&to);
    std::vector<std::string> labels;
    if (service != nullptr)
      for (const auto& [name, sets] : policy_.services.at(service->name).ports)
        if (overlap(ports, sets)) labels.push_back(port_text(name, sets));
    if (labels.empty()) labels.push_back(config::ports_text(ports));
    return labels;
  }

  void add_door(const std::string& name, const config::Door& door) {
    std::vector<PortSet> host;
    std::vector<PortSet> target;
    for (const auto& mapping : door.mappings) {
      host.push_back({mapping.proto, mapping.host});
      target.push_back({mapping.proto, mapping.target});
    }
    const std::string place = door.address ? door.address->to_string() : "host";
    const bool ipv6 = place.find(':') != std::string::npos;
    const std::string label =
        name + ": " + (ipv6 ? "[" + place + "]" : place) + ":" + config::ports_text(host);
    const Peer to = config::ServiceRef{door.service};
    for (const Peer& from : door.from)
      for (const auto& port : labels(to, target))
        flows_.insert({id_of(from), "service " + door.service, port, label, false});
  }

  void add_rule(const config::Rule& rule) {
    if (rule.kind == config::RuleKind::kBlock) return;
    for (const Peer& from : rule.from)
      for (const Peer& to : rule.to)
        for (const auto& port : labels(to, rule.ports))
          flows_.insert({id_of(from), id_of(to), port, "", rule.kind == config::RuleKind::kAdmin});
  }

  void add_notes() {
    for (const auto& rule : policy_.rules)
      if (rule.kind == config::RuleKind::kBlock) graph_.notes.push_back("block: " + rule.text);
    for (const auto& [name, declared] : policy_.zones) {
      if (declared.intra_allowed)
        graph_.notes.push_back(name + ": its members may reach each other");
      if (declared.masquerade.value_or(false))
        graph_.notes.push_back(name + ": masqueraded where it leaves by an uplink");
    }
    graph_.notes.emplace_back(policy_.host.egress_allowed
                                  ? "host: may connect out, but to no container without a rule"
                                  : "host: may not connect out without a rule");
  }

  const Policy& policy_;
  Graph graph_;
  std::map<std::string, Zone> zones_;
  std::set<Flow> flows_;
};

}  // namespace

Graph of_policy(const Policy& policy) {
  return Sketch{policy}.run();
}

}  // namespace fw::graph
