// SPDX-License-Identifier: GPL-2.0-only
// `zones` and `host`: which networks and services belong together, and which interfaces are whose.
#include <algorithm>
#include <utility>

#include "loader/config/containers.h"
#include "loader/config/names.h"
#include "loader/config/reader.h"
#include "loader/config/sections.h"

namespace fw::config {

namespace {

const Keys kZoneKeys = {{"subnets", "networks", "interfaces", "services", "intra", "masquerade"},
                        {}};
const Keys kHostKeys = {{"uplinks", "datapath", "admin", "egress"}, {}};

// Who was first to claim something that one zone alone can have.
template <class T>
class Claims {
 public:
  // Reports when another zone has it already.
  bool claim(const T& what, const std::string& text, const std::string& zone, const Location& where,
             Report& report) {
    const auto [first, added] = owners_.try_emplace(what, zone, where);
    if (added || first->second.first == zone) return added;
    report.error(where,
                 text + " is in two zones, " + quote(first->second.first) + " (" +
                     place_of(first->second.second, where) + ") and " + quote(zone),
                 "leave it in one of them");
    return false;
  }

 private:
  std::map<T, std::pair<std::string, Location>> owners_;
};

struct Members {
  Claims<Prefix> subnets;
  Claims<std::string> networks;
  Claims<std::string> interfaces;
  Claims<std::string> services;
  Claims<Address> addresses;
};

void read_subnets(const Node& node, const std::string& name, Members& members, Scope& scope) {
  for (const Word& word : read_words(node, "'subnets'", scope.report)) {
    const auto prefix = Prefix::parse(word.text);
    if (!prefix) {
      scope.report.error(word.where(), prefix.error().message);
    } else if (members.subnets.claim(*prefix, "subnet " + prefix->to_string(), name, word.where(),
                                     scope.report)) {
      scope.policy.zones[name].subnets.push_back(*prefix);
    }
  }
}

void read_networks(const Node& node, const std::string& name, Members& members, Scope& scope) {
  for (const Word& word : read_words(node, "'networks'", scope.report)) {
    if (!check_network(word, scope.report)) continue;
    const std::string network{word.text};
    if (members.networks.claim(network, "network " + quote(network), name, word.where(),
                               scope.report)) {
      scope.policy.zones[name].networks.push_back(network);
    }
  }
}

void read_interfaces(const Node& node, const std::string& name, Members& members, Scope& scope) {
  for (const Word& word : read_words(node, "'interfaces'", scope.report)) {
    if (!check_interface(word, scope.report)) continue;
    const std::string interface { word.text };
    if (members.interfaces.claim(interface, "interface " + quote(interface), name, word.where(),
                                 scope.report)) {
      scope.policy.zones[name].interfaces.push_back(interface);
    }
  }
}

void read_member(const Word& word, const std::string& name, Members& members, Scope& scope) {
  const std::string service{word.text};
  const auto found = scope.policy.services.find(service);
  if (found == scope.policy.services.end()) {
    std::vector<std::string> names;
    for (const auto& [each, ignored] : scope.policy.services) names.push_back(each);
    scope.report.error(word.where(), "no service is called " + quote(service),
                       did_you_mean(service, names));
    return;
  }
  if (found->second.host) {
    scope.report.error(
        word.where(),
        "service " + quote(service) + " runs on the host, so it is in the zone 'host'",
        "leave it out of this zone");
    return;
  }
  if (!members.services.claim(service, "service " + quote(service), name, word.where(),
                              scope.report)) {
    return;
  }
  for (const Address& address : found->second.addresses) {
    members.addresses.claim(address,
                            "address " + address.to_string() + " of service " + quote(service),
                            name, word.where(), scope.report);
  }
  scope.policy.zones[name].services.push_back(service);
}

void read_zone(const Entry& entry, Members& members, Scope& scope) {
  const std::string& name = entry.key.text;
  Report& report = scope.report;
  if (!is_map(entry.value, "zone " + quote(name), report)) return;

  const Fields fields{entry.value, kZoneKeys, "a zone", report};
  if (const Node* node = fields["subnets"]) read_subnets(*node, name, members, scope);
  if (const Node* node = fields["networks"]) read_networks(*node, name, members, scope);
  if (const Node* node = fields["interfaces"]) read_interfaces(*node, name, members, scope);
  if (const Node* node = fields["services"]) {
    for (const Word& word : read_words(*node, "'services'", report)) {
      read_member(word, name, members, scope);
    }
  }
  Zone& zone = scope.policy.zones[name];
  if (const Node* node = fields["intra"]) {
    zone.intra_allowed = read_verdict(*node, "'intra'", report).value_or(false);
  }
  if (const Node* node = fields["masquerade"]) {
    zone.masquerade = read_bool(*node, "'masquerade'", report);
  }
}

void read_uplinks(const Node& node, Scope& scope) {
  auto& uplinks = scope.policy.host.uplinks;
  for (const Word& word : read_words(node, "'uplinks'", scope.report)) {
    if (!check_interface(word, scope.report)) continue;
    const std::string name{word.text};
    for (const auto& [zone, members] : scope.policy.zones) {
      const auto& interfaces = members.interfaces;
      if (std::find(interfaces.begin(), interfaces.end(), name) == interfaces.end()) continue;
      scope.report.error(word.where(),
                         quote(name) + " is an uplink and also an interface of zone " + quote(zone),
                         "name the networks behind an uplink by 'subnets'");
    }
    if (std::find(uplinks.begin(), uplinks.end(), name) == uplinks.end()) uplinks.push_back(name);
  }
}

void read_datapath(const Node& node, Scope& scope) {
  if (!is_map(node, "'datapath'", scope.report)) return;
  std::vector<std::string> interfaces = scope.policy.host.uplinks;
  for (const auto& [name, zone] : scope.policy.zones) {
    interfaces.insert(interfaces.end(), zone.interfaces.begin(), zone.interfaces.end());
  }
  for (const auto& [key, value] : node.entries) {
    const std::string& name = key.text;
    if (std::find(interfaces.begin(), interfaces.end(), name) == interfaces.end()) {
      scope.report.error(key.where,
                         quote(name) + " is neither an uplink nor an interface of a zone",
                         did_you_mean(name, interfaces));
    }
    if (!is_text(value, quote(name), scope.report)) continue;
    static const std::map<std::string, Datapath> kModes = {
        {"auto", Datapath::kAuto}, {"xdp", Datapath::kXdp}, {"tc", Datapath::kTc}};
    const auto mode = kModes.find(value.text);
    if (mode == kModes.end()) {
      scope.report.error(value.where, "a datapath is auto, xdp or tc, not " + quote(value.text),
                         did_you_mean(value.text, {"auto", "xdp", "tc"}));
      continue;
    }
    scope.policy.host.datapath[name] = mode->second;
  }
}

}  // namespace

void read_zones(const Node& zones, Scope& scope) {
  Members members;
  for (const Entry& entry : zones.entries) {
    if (scope.policy.zones.contains(entry.key.text)) read_zone(entry, members, scope);
  }
}

void read_host(const Node& host, Scope& scope) {
  scope.policy.host.where = host.where;
  const Fields fields{host, kHostKeys, "'host'", scope.report};
  if (const Node* node = fields["uplinks"]) read_uplinks(*node, scope);
  if (const Node* node = fields["datapath"]) read_datapath(*node, scope);
  if (const Node* node = fields["admin"]) read_rules(*node, RuleKind::kAdmin, scope);
  if (const Node* node = fields["egress"]) {
    scope.policy.host.egress_allowed = read_verdict(*node, "'egress'", scope.report).value_or(true);
  }
}

}  // namespace fw::config
