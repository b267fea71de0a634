// SPDX-License-Identifier: GPL-2.0-only
// Canonical order and canonical text of rules and doors.
#include "loader/config/canonical.h"

#include <algorithm>
#include <map>

namespace fw::config {
namespace {

// Protocols by set, in the order in which they are written.
using ProtoSet = std::vector<Proto>;

std::string to_string(const ProtoSet& protos) {
  std::string text;
  for (const Proto proto : protos)
    text += (text.empty() ? "" : "+") + std::string{fw::to_string(proto)};
  return text;
}

}  // namespace

std::string ports_text(const std::vector<PortSet>& ports) {
  std::string text;
  std::map<PortRange, ProtoSet> protos;
  for (const PortSet& set : ports) {
    if (set.proto == Proto::kIcmp) {
      text = "ping";
    } else {
      protos[set.range].push_back(set.proto);
    }
  }
  std::map<ProtoSet, std::string> groups;
  for (const auto& [range, set] : protos) {
    std::string& group = groups[set];
    group += (group.empty() ? "" : ",") + range.to_string();
  }
  for (const auto& [set, group] : groups) {
    text += (text.empty() ? "" : ",") + group + "/" + to_string(set);
  }
  return text;
}

namespace {

std::string peers_text(const std::vector<Peer>& peers, bool before_port) {
  if (peers.size() == 1) {
    const std::string text = to_string(peers.front());
    const bool brackets = before_port && text.find(':') != std::string::npos;
    return brackets ? "[" + text + "]" : text;
  }
  std::string text;
  for (const Peer& peer : peers) text += (text.empty() ? "{" : ",") + to_string(peer);
  return text + "}";
}

}  // namespace

void normalize(std::vector<Peer>& peers) {
  std::sort(peers.begin(), peers.end());
  peers.erase(std::unique(peers.begin(), peers.end()), peers.end());
  if (!peers.empty() && std::holds_alternative<Anyone>(peers.front())) peers.resize(1);
}

void normalize(std::vector<PortSet>& ports) {
  std::sort(ports.begin(), ports.end());
  std::vector<PortSet> joined;
  for (const PortSet& next : ports) {
    PortSet* last = joined.empty() ? nullptr : &joined.back();
    if (last != nullptr && last->proto == next.proto && next.range.first <= last->range.last + 1) {
      last->range.last = std::max(last->range.last, next.range.last);
    } else {
      joined.push_back(next);
    }
  }
  ports = std::move(joined);
}

std::string to_string(const Peer& peer) {
  if (const auto* zone = std::get_if<ZoneRef>(&peer)) return zone->name;
  if (const auto* service = std::get_if<ServiceRef>(&peer)) return service->name;
  if (const auto* prefix = std::get_if<Prefix>(&peer)) return prefix->to_string();
  return "*";
}

std::string to_string(const Rate& rate) {
  const char* unit = rate.unit == std::chrono::hours{1}     ? "/h"
                     : rate.unit == std::chrono::minutes{1} ? "/m"
                                                            : "/s";
  return std::to_string(rate.count) + unit + (rate.per_source ? " per source" : "");
}

std::string target_text(const std::vector<Peer>& to, const std::vector<PortSet>& ports) {
  return peers_text(to, !ports.empty()) + (ports.empty() ? "" : ":" + ports_text(ports));
}

std::string rule_text(const Rule& rule) {
  const std::string list = rule.list ? " (list " + rule.list->name + ")" : "";
  return peers_text(rule.from, false) + list + " -> " + target_text(rule.to, rule.ports);
}

std::string door_text(const std::string& name, const Door& door) {
  std::string host = "host";
  if (door.address) {
    host = door.address->to_string();
    if (!door.address->is_ipv4()) host = "[" + host + "]";
  }
  if (door.mappings.empty()) return name + ": " + host + " -> " + door.service;
  std::vector<PortSet> ports;
  for (const auto& mapping : door.mappings) ports.push_back({mapping.proto, mapping.host});
  return name + ": " + host + ":" + ports_text(ports) + " -> " + door.service + ":" +
         door.mappings.front().target.to_string();
}

}  // namespace fw::config
