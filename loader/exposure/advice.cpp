// SPDX-License-Identifier: GPL-2.0-only
#include "loader/exposure/advice.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "loader/config/canonical.h"
#include "loader/config/names.h"

namespace fw::exposure {
namespace {

using config::Policy;
using config::PortSet;

// A service that a door could lead to.
struct Target {
  std::string name;
  std::string container;  // as its engine calls it; "": none is known
  std::vector<Address> addresses;
  PortRange ports;
};

std::string bracketed(const Address& address) {
  return address.is_ipv4() ? address.to_string() : "[" + address.to_string() + "]";
}

// In a flow collection or after a dash.
std::string quoted_if_needed(const std::string& text) {
  return text.find_first_of("*:[ ") == std::string::npos ? text : '"' + text + '"';
}

std::string list(const std::vector<std::string>& items) {
  std::string text;
  for (const auto& item : items) text += (text.empty() ? "" : ", ") + quoted_if_needed(item);
  return items.size() == 1 ? text : "[" + text + "]";
}

std::string usable_name(const std::string& wanted, const PortRange& ports) {
  const bool usable = config::name_fault(wanted).empty() && !config::is_reserved_name(wanted);
  return usable ? wanted : "port-" + std::to_string(ports.first);
}

// "10.0.0.9:8443", "[fd00::9]:53", "10.0.0.9"
std::optional<Target> target_of(const inventory::Redirect& redirect) {
  const auto colon = redirect.to.rfind(':');
  const bool has_port = colon != std::string::npos && (redirect.to.find(':') == colon ||
                                                       redirect.to.find("]:") != std::string::npos);
  std::string host = has_port ? redirect.to.substr(0, colon) : redirect.to;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto address = Address::parse(host);
  if (!address) return std::nullopt;
  Target target{usable_name("", redirect.ports), "", {*address}, redirect.ports};
  if (!has_port) return target;
  const auto ports = PortRange::parse(redirect.to.substr(colon + 1));
  if (!ports || ports->size() != redirect.ports.size()) return std::nullopt;
  target.ports = *ports;
  return target;
}

std::optional<Target> target_of(const Door& door) {
  if (!door.published.empty()) {
    const auto& published = *door.published.front();
    return Target{usable_name(published.container, published.host), published.container,
                  published.container_addresses, published.target};
  }
  return door.redirects.empty() ? std::nullopt : target_of(*door.redirects.front());
}

// The policy's own name for it; "" when it has none.
std::string service_at(const Policy* policy, const Target& target) {
  if (policy == nullptr) return {};
  for (const auto& [name, service] : policy->services)
    for (const Address& address : target.addresses)
      if (std::find(service.addresses.begin(), service.addresses.end(), address) !=
          service.addresses.end())
        return name;
  return {};
}

std::string free_name(const Policy* policy, const std::string& base, bool door) {
  std::string name = base;
  for (int i = 2; policy != nullptr &&
                  (door ? policy->doors.contains(name)
                        : policy->services.contains(name) || policy->zones.contains(name));
       ++i)
    name = base + "-" + std::to_string(i);
  return name;
}

std::string service_line(const std::string& name, const Target& target, Proto proto) {
  std::vector<std::string> addresses;
  for (const Address& address : target.addresses) addresses.push_back(address.to_string());
  const std::string place = target.container.empty()
                                ? fmt::format("addresses: [{}]", fmt::join(addresses, ", "))
                                : "container: " + target.container;
  return fmt::format("  {}: {{{}, ports: {{p{}: {}/{}}}}}", name, place, target.ports.first,
                     target.ports.to_string(), to_string(proto));
}

std::vector<std::string> publish_lines(const Door& door, const Target& target, const Policy* policy,
                                       const std::vector<std::string>& from) {
  std::vector<std::string> lines;
  std::string service = service_at(policy, target);
  if (service.empty()) {
    service = free_name(policy, target.name, false);
    lines = {"services:", service_line(service, target, door.proto)};
  }
  std::string host = door.ports.to_string();
  if (door.address) host = '"' + bracketed(*door.address) + ":" + host + '"';
  lines.emplace_back("publish:");
  lines.push_back(fmt::format("  {}: {{host: {}, to: {}:{}, from: {}}}",
                              free_name(policy, target.name, true), host, service,
                              target.ports.to_string(), list(from)));
  return lines;
}

std::vector<std::string> allow_lines(const Door& door, const std::vector<std::string>& from) {
  std::vector<std::string> lines = {"allow:"};
  const std::string to = door.address ? bracketed(*door.address) : "host";
  const std::string ports = config::ports_text({PortSet{door.proto, door.ports}});
  for (const auto& peer : from) lines.push_back(fmt::format("  - {} -> {}:{}", peer, to, ports));
  return lines;
}

}  // namespace

std::vector<std::string> declaring_lines(const Door& door, const Policy* policy,
                                         const std::vector<std::string>& from) {
  const std::vector<std::string> peers = from.empty() ? std::vector<std::string>{"internet"} : from;
  const auto target = target_of(door);
  if (target && !target->addresses.empty()) return publish_lines(door, *target, policy, peers);
  return allow_lines(door, peers);
}

std::string closing_advice(const Door& door) {
  if (!door.published.empty()) {
    const auto& published = *door.published.front();
    const std::string proto = published.proto == Proto::kUdp ? "/udp" : "";
    return fmt::format("make container {} anew without -p, or with -p 127.0.0.1:{}:{}{}",
                       published.container, published.host.to_string(),
                       published.target.to_string(), proto);
  }
  if (!door.redirects.empty()) {
    auto rule = door.redirects.front()->rule;
    return "nft delete rule " + rule;
  }
  if (door.listeners.empty() || door.listeners.front()->processes.empty())
    return "find out what listens there with 'ss -lnp' as root";
  return "stop " + door.listeners.front()->processes.back().name +
         ", or let it listen on 127.0.0.1 only";
}

}  // namespace fw::exposure
