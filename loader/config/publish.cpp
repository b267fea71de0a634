// SPDX-License-Identifier: GPL-2.0-only
// `publish`: doors, each a forward and a permission in one.
#include <algorithm>
#include <tuple>

#include "loader/config/canonical.h"
#include "loader/config/names.h"
#include "loader/config/quantity.h"
#include "loader/config/reader.h"
#include "loader/config/sections.h"

namespace fw::config {
namespace {

const Keys kDoorKeys = {{"router", "host", "to", "from", "limit", "until"}, {}};

struct HostSide {
  std::optional<Address> address;
  PortRange ports;
};

std::optional<PortRange> read_range(const Word& word, Report& report) {
  const auto range = PortRange::parse(word.text);
  if (range) return *range;
  std::string hint;
  if (word.has("/")) hint = "the protocol comes from the service's port: ports: {dns: 53/udp}";
  if (word.has(":"))
    hint = "'host' is a port, a range or ADDRESS:PORT; the service's port is in 'to'";
  report.error(word.where(), range.error().message, hint);
  return std::nullopt;
}

std::optional<Address> read_door_address(const Word& word, Report& report) {
  const auto address = Address::parse(word.text);
  if (!address) {
    report.error(word.where(), address.error().message);
    return std::nullopt;
  }
  if (address->is_unspecified()) {
    report.error(word.where(), quote(word.text) + " is not an address of this machine",
                 "write the port alone for every address");
    return std::nullopt;
  }
  return *address;
}

// 8080, 30000-30100, 192.0.2.1:8080, [2001:db8::1]:8080.
std::optional<HostSide> read_host_side(const Node& node, Report& report) {
  if (!is_text(node, "'host'", report)) return std::nullopt;
  const auto parts = split_port(Word{node}, report);
  if (!parts) return std::nullopt;
  if (!parts->second) {
    const Word whole = parts->first;
    const auto address = Address::parse(whole.text);
    if (address) {
      report.error(whole.where(), "the door on " + quote(whole.text) + " has no port",
                   address->is_ipv4() ? "write ADDRESS:PORT" : "write [ADDRESS]:PORT");
      return std::nullopt;
    }
    const auto range = read_range(whole, report);
    if (!range) return std::nullopt;
    return HostSide{std::nullopt, *range};
  }
  if (is_numeric(parts->first.text)) {
    report.error(node.where, quote(node.text) + " is not a port, a range or ADDRESS:PORT",
                 "'host' is this machine's side; the service's port is in 'to'");
    return std::nullopt;
  }
  const auto address = read_door_address(parts->first, report);
  const auto range = read_range(*parts->second, report);
  if (!address || !range) return std::nullopt;
  return HostSide{*address, *range};
}

// A number that the service declares under a name has that name's protocols.
std::vector<PortSet> numbered_port(const Service& service, const PortRange& range) {
  std::vector<PortSet> sets;
  for (const auto& [name, declared] : service.ports) {
    for (const PortSet& set : declared) {
      const bool inside = set.range.contains(range.first) && set.range.contains(range.last);
      if (inside) sets.push_back({set.proto, range});
    }
  }
  if (sets.empty()) sets.push_back({Proto::kTcp, range});
  std::sort(sets.begin(), sets.end());
  sets.erase(std::unique(sets.begin(), sets.end()), sets.end());
  return sets;
}

std::optional<std::string> read_service_name(const Word& word, Scope& scope) {
  const std::string name{word.text};
  if (scope.policy.services.contains(name)) return name;
  if (scope.policy.zones.contains(name) || is_reserved_name(name)) {
    scope.report.error(word.where(), quote(name) + " is a zone; a door leads to one service");
    return std::nullopt;
  }
  std::vector<std::string> names;
  for (const auto& [each, service] : scope.policy.services) names.push_back(each);
  scope.report.error(word.where(), "no service is called " + quote(name),
                     did_you_mean(name, names));
  return std::nullopt;
}

// `to`: fills in the service and returns its ports.
std::optional<std::vector<PortSet>> read_to(const Node& node, Door& door, Scope& scope) {
  if (!is_text(node, "'to'", scope.report)) return std::nullopt;
  const auto [name, port] = Word{node}.split(":");
  const auto service = read_service_name(name, scope);
  if (!service) return std::nullopt;
  door.service = *service;
  if (port.empty()) {
    scope.report.error(node.where, "the port of service " + quote(*service) + " is missing",
                       "write SERVICE:PORT, with a number or a name that the service declares");
    return std::nullopt;
  }
  if (port.has("/")) {
    scope.report.error(port.split("/").second.where(),
                       "a door's protocol comes from the port that the service declares",
                       "declare it: ports: {dns: 53/udp}");
    return std::nullopt;
  }
  if (!is_numeric(port.text)) return named_port(*service, port, scope);
  const auto range = read_range(port, scope.report);
  if (!range) return std::nullopt;
  return numbered_port(scope.policy.services[*service], *range);
}

const Node* required(const Fields& fields, const char* key, const Entry& entry, const char* hint,
                     Report& report) {
  const Node* node = fields[key];
  if (node == nullptr && !fields.attempted(key)) {
    report.error(entry.key.where, "door " + quote(entry.key.text) + " has no " + quote(key), hint);
  }
  return node;
}

bool same_size(const Node& node, const std::string& what, const PortRange& ours,
               const std::string& other, const PortRange& theirs, Report& report) {
  if (ours.size() == theirs.size()) return true;
  const auto count = [](const PortRange& range) {
    return " is " + range.to_string() + " (" + std::to_string(range.size()) +
           (range.size() == 1 ? " port)" : " ports)");
  };
  report.error(node.where,
               "the ranges differ in size: " + what + count(ours) + ", " + other + count(theirs),
               "ports are mapped one to one");
  return false;
}

void read_from(const Node& node, Door& door, Scope& scope) {
  for (const Word& word : read_words(node, "'from'", scope.report, Single::kAccepted)) {
    if (const auto peer = resolve_source(word, scope)) door.from.push_back(*peer);
  }
  if (node.kind == Node::Kind::kSequence && node.items.empty()) {
    scope.report.error(node.where, "'from' is an empty list",
                       "write who may use the door: from: internet");
  }
  normalize(door.from);
}

// Who may use the door. Nobody reaches a loopback address from outside, so there 'from' is needless
// and can only say so.
void read_users(const Fields& fields, const Entry& entry, Door& door, Scope& scope) {
  const std::vector<Peer> own = {ZoneRef{"host"}};
  if (door.is_loopback() && !fields.attempted("from")) {
    door.from = own;
    return;
  }
  const Node* from =
      required(fields, "from", entry, "write who may use the door: from: internet", scope.report);
  if (from == nullptr) return;
  read_from(*from, door, scope);
  if (door.is_loopback() && !door.from.empty() && door.from != own)
    scope.report.error(from->where,
                       "the door is on the loopback address " + door.address->to_string() +
                           ", which only this machine's own processes reach",
                       "leave 'from' out, or write the door on another address");
}

void check_family(const Node& node, const Door& door, Scope& scope) {
  const Service& service = scope.policy.services[door.service];
  if (!door.address || service.addresses.empty()) return;
  for (const Address& address : service.addresses) {
    if (address.family() == door.address->family()) return;
  }
  scope.report.error(
      node.where, "the door is on an " + std::string{door.address->is_ipv4() ? "IPv4" : "IPv6"} +
                      " address, and service " + quote(door.service) + " has none of that family");
}

void read_door(const Entry& entry, Scope& scope) {
  Report& report = scope.report;
  const std::string& name = entry.key.text;
  if (const std::string fault = name_fault(name); !fault.empty()) {
    report.error(entry.key.where, quote(name) + " " + fault);
    return;
  }
  if (!is_map(entry.value, "door " + quote(name), report)) return;
  const Fields fields{entry.value, kDoorKeys, "a door", report};
  Door& door = scope.policy.doors[name];
  door.where = entry.key.where;
  const Node* host =
      required(fields, "host", entry, "write the port of this machine: host: 8080", report);
  const Node* to = required(fields, "to", entry, "write where it leads: to: SERVICE:PORT", report);
  const auto targets = to != nullptr ? read_to(*to, door, scope) : std::nullopt;
  const auto side = host != nullptr ? read_host_side(*host, report) : std::nullopt;
  if (side) door.address = side->address;
  read_users(fields, entry, door, scope);
  if (const Node* router = fields["router"];
      router != nullptr && is_text(*router, "'router'", report)) {
    door.router_port = read_range(Word{*router}, report);
    if (door.router_port && side)
      same_size(*router, "'router'", *door.router_port, "'host'", side->ports, report);
  }
  if (const Node* until = fields["until"]) door.until = read_until(*until, report);
  if (const Node* limit = fields["limit"]) door.limit = read_rate(*limit, "'limit'", report);
  if (!targets || !side) return;
  if (!same_size(*host, "'host'", side->ports, "'to'", targets->front().range, report)) return;
  for (const PortSet& set : *targets) door.mappings.push_back({set.proto, side->ports, set.range});
  check_family(*host, door, scope);
  std::sort(door.mappings.begin(), door.mappings.end());
  door.text = door_text(name, door);
}

// Two doors on one port of one address.
void check_overlaps(Scope& scope) {
  using Key = std::tuple<std::optional<Address>, Proto, PortRange>;
  std::vector<std::pair<Key, const std::string*>> taken;
  for (const auto& [name, door] : scope.policy.doors) {
    for (const auto& mapping : door.mappings) {
      taken.push_back({{door.address, mapping.proto, mapping.host}, &name});
    }
  }
  std::sort(taken.begin(), taken.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  for (std::size_t i = 1, widest = 0; i < taken.size(); ++i) {
    const auto& [address, proto, range] = taken[i].first;
    const auto& [before, before_proto, before_range] = taken[widest].first;
    const bool rival = address == before && proto == before_proto;
    if (rival && range.first <= before_range.last) {
      const Door* first = &scope.policy.doors[*taken[widest].second];
      const Door* second = &scope.policy.doors[*taken[i].second];
      const std::string* names[] = {taken[widest].second, taken[i].second};
      if (second->where < first->where) {
        std::swap(first, second);
        std::swap(names[0], names[1]);
      }
      scope.report.error(second->where,
                         "doors " + quote(*names[0]) + " (" +
                             place_of(first->where, second->where) + ") and " + quote(*names[1]) +
                             " (" + place_of(second->where, second->where) + ") are both on port " +
                             range.to_string() + "/" + std::string{to_string(proto)},
                         "give one of them another port");
    }
    if (!rival || range.last > before_range.last) widest = i;
  }
}

}  // namespace

void read_publish(const Node& publish, Scope& scope) {
  for (const Entry& entry : publish.entries) read_door(entry, scope);
  check_overlaps(scope);
}

}  // namespace fw::config
