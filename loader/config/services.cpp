// SPDX-License-Identifier: GPL-2.0-only
// `services`: who they are and which ports they have.
#include <algorithm>

#include "loader/config/containers.h"
#include "loader/config/names.h"
#include "loader/config/reader.h"
#include "loader/config/sections.h"

namespace fw::config {
namespace {

const Keys kServiceKeys = {{"addresses", "container", "compose", "ports", "host"}, {"check"}};

void declare_name(const Entry& entry, std::string_view what, Scope& scope) {
  const std::string& name = entry.key.text;
  if (is_reserved_name(name)) {
    scope.report.error(entry.key.where, quote(name) + " is a name of fwd's own",
                       "choose another name for this " + std::string{what});
    return;
  }
  if (const std::string fault = name_fault(name); !fault.empty()) {
    scope.report.error(entry.key.where, quote(name) + " " + fault);
    return;
  }
  if (const auto zone = scope.policy.zones.find(name); zone != scope.policy.zones.end()) {
    scope.report.error(
        entry.key.where,
        quote(name) + " is a zone already, in " + place_of(zone->second.where, entry.key.where),
        "a flow could mean either; rename one of them");
  }
  if (what == "zone") {
    scope.policy.zones[name].where = entry.key.where;
  } else {
    scope.policy.services[name].where = entry.key.where;
  }
}

void read_addresses(const Node& node, Service& service, Report& report) {
  for (const Word& word : read_words(node, "'addresses'", report)) {
    const auto address = Address::parse(word.text);
    if (!address) {
      report.error(word.where(), address.error().message,
                   word.has("/") ? "a service has addresses; a subnet belongs to a zone" : "");
      continue;
    }
    const bool multicast =
        address->is_ipv4() ? address->bytes()[12] >= 224 : address->bytes()[0] == 0xff;
    if (address->is_unspecified() || address->is_loopback() || multicast) {
      report.error(
          word.where(), quote(word.text) + " cannot be the address of a service",
          address->is_loopback() ? "a service of this machine itself has 'host: true'" : "");
      continue;
    }
    service.addresses.push_back(*address);
  }
  std::sort(service.addresses.begin(), service.addresses.end());
  const auto end = std::unique(service.addresses.begin(), service.addresses.end());
  service.addresses.erase(end, service.addresses.end());
}

// 80, 53/tcp+udp, 30000-30100/udp.
std::optional<std::vector<PortSet>> read_port(const Node& node, const std::string& what,
                                              Report& report) {
  if (!is_text(node, what, report)) return std::nullopt;
  const auto [number, proto] = Word{node}.split("/");
  const auto range = PortRange::parse(number.text);
  if (!range) {
    report.error(number.where(), range.error().message,
                 number.has(":") ? "a service declares its own port; 'publish' maps it" : "");
    return std::nullopt;
  }
  if (!Word{node}.has("/")) return std::vector<PortSet>{{Proto::kTcp, *range}};
  const auto protos = read_protos(proto, report);
  if (protos.empty()) return std::nullopt;
  if (protos.front() == Proto::kIcmp) {
    report.error(proto.where(), "ICMP has no ports",
                 "ping is a port name that needs no declaration");
    return std::nullopt;
  }
  std::vector<PortSet> sets;
  sets.reserve(sets.size() + protos.size());
  for (const Proto each : protos) sets.push_back({each, *range});
  return sets;
}

// False when a port could not be read.
bool read_port_names(const Node& node, Service& service, Report& report) {
  if (!is_map(node, "'ports'", report)) return false;
  bool good = true;
  for (const Entry& entry : node.entries) {
    const std::string& name = entry.key.text;
    const std::string fault =
        name == "ping" ? "is ICMP echo, and every service has it" : name_fault(name);
    if (!fault.empty()) report.error(entry.key.where, quote(name) + " " + fault);
    const auto sets = read_port(entry.value, quote(name), report);
    good = good && fault.empty() && sets;
    if (fault.empty() && sets) service.ports[name] = *sets;
  }
  return good;
}

void refuse_both(const std::string& name, const char* first, const char* second, const Node& where,
                 const char* hint, Report& report) {
  report.error(where.where, "service " + quote(name) + " has both " + first + " and " + second,
               hint);
}

// Of `host`, `addresses`, `container` and `compose`, one says where a service is.
void read_place(const Entry& entry, const Fields& fields, Service& service, Report& report) {
  const std::string& name = entry.key.text;
  const Node* addresses = fields["addresses"];
  const Node* container = fields["container"];
  const Node* compose = fields["compose"];
  if (const Node* host = fields["host"])
    service.host = read_bool(*host, "'host'", report).value_or(true);
  if (addresses != nullptr) read_addresses(*addresses, service, report);
  if (container != nullptr) read_container(*container, service, report);
  if (compose != nullptr) read_compose(*compose, service, report);

  const Node* followed = container != nullptr ? container : compose;
  const char* key = container != nullptr ? "'container'" : "'compose'";
  if (service.host && addresses != nullptr) {
    refuse_both(name, "'host: true'", "'addresses'", *addresses,
                "a service of this machine has the machine's addresses; leave 'addresses' out",
                report);
  } else if (service.host && followed != nullptr) {
    refuse_both(name, "'host: true'", key, *followed,
                "a container in the host's own network is the host to the kernel; leave its name "
                "out",
                report);
  } else if (addresses != nullptr && followed != nullptr) {
    refuse_both(name, "'addresses'", key, *followed,
                "the container engine says the addresses; leave 'addresses' out", report);
  } else if (container != nullptr && compose != nullptr) {
    refuse_both(name, "'container'", "'compose'", *compose,
                "a compose service is found by its project's name alone; leave 'container' out",
                report);
  }
  const bool empty =
      addresses != nullptr && addresses->kind == Node::Kind::kSequence && addresses->items.empty();
  const bool elsewhere =
      fields.attempted("addresses") || fields.attempted("container") || fields.attempted("compose");
  if (!service.host && (empty || !elsewhere)) {
    report.error(entry.key.where, "service " + quote(name) + " is nowhere: it has no addresses",
                 "write 'addresses: [...]', 'container: NAME', 'compose: PROJECT/SERVICE', or "
                 "'host: true' for a service of this machine");
  }
}

void read_service(const Entry& entry, Scope& scope) {
  const std::string& name = entry.key.text;
  Service& service = scope.policy.services[name];
  Report& report = scope.report;
  scope.incomplete.insert(name);
  if (!is_map(entry.value, "service " + quote(name), report)) return;

  const Fields fields{entry.value, kServiceKeys, "a service", report};
  read_place(entry, fields, service, report);
  const Node* ports = fields["ports"];
  if (ports == nullptr || read_port_names(*ports, service, report)) scope.incomplete.erase(name);
}

}  // namespace

void declare_names(const Node* zones, const Node* services, Scope& scope) {
  if (zones != nullptr) {
    for (const Entry& entry : zones->entries) declare_name(entry, "zone", scope);
  }
  if (services != nullptr) {
    for (const Entry& entry : services->entries) declare_name(entry, "service", scope);
  }
}

void read_services(const Node& services, Scope& scope) {
  for (const Entry& entry : services.entries) {
    if (scope.policy.services.contains(entry.key.text)) read_service(entry, scope);
  }
}

}  // namespace fw::config
