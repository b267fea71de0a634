// SPDX-License-Identifier: GPL-2.0-only
#include "loader/inventory/published.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "loader/inventory/json.h"

namespace fw::inventory {
namespace {

std::optional<std::uint16_t> port(const Json& object, const char* name) {
  const Json& value = member(object, name);
  if (!value.is_number_unsigned()) return std::nullopt;
  const auto number = value.get<std::uint64_t>();
  if (number == 0 || number > std::numeric_limits<std::uint16_t>::max()) return std::nullopt;
  return static_cast<std::uint16_t>(number);
}

std::optional<Proto> protocol(const std::string& name) {
  if (name == "tcp") return Proto::kTcp;
  if (name == "udp") return Proto::kUdp;
  return std::nullopt;  // SCTP, which fwd has no rules for
}

std::optional<Address> address(const std::string& written) {
  const auto parsed = Address::parse(written);
  return parsed ? std::optional{*parsed} : std::nullopt;
}

std::string name_of(const Json& container) {
  const Json& names = member(container, "Names");
  if (!names.is_array() || names.empty() || !names.front().is_string())
    return text(container, "Id").substr(0, 12);
  auto name = names.front().get<std::string>();
  return name.starts_with('/') ? name.substr(1) : name;
}

std::vector<Address> addresses_of(const Json& container) {
  std::vector<Address> addresses;
  for (const Json& network : member(member(container, "NetworkSettings"), "Networks"))
    for (const char* name : {"IPAddress", "GlobalIPv6Address"})
      if (const auto parsed = address(text(network, name))) addresses.push_back(*parsed);
  return addresses;
}

}  // namespace

std::vector<PublishedPort> read_containers(const Json& list, const std::string& engine) {
  std::vector<PublishedPort> published;
  if (!list.is_array()) return published;
  for (const Json& container : list) {
    PublishedPort common;
    common.container = name_of(container);
    common.container_id = text(container, "Id");
    common.engine = engine;
    common.container_addresses = addresses_of(container);
    for (const Json& each : member(container, "Ports")) {
      const auto host = port(each, "PublicPort");
      const auto target = port(each, "PrivatePort");
      const auto proto = protocol(text(each, "Type"));
      if (!host || !target || !proto) continue;
      PublishedPort one = common;
      one.proto = *proto;
      one.address = address(text(each, "IP"));
      one.host = {*host, *host};
      one.target = {*target, *target};
      published.push_back(std::move(one));
    }
  }
  return published;
}

std::map<std::string, std::string> container_names(const Json& list) {
  std::map<std::string, std::string> names;
  if (!list.is_array()) return names;
  for (const Json& container : list) names.emplace(text(container, "Id"), name_of(container));
  return names;
}

void join_ranges(std::vector<PublishedPort>& ports) {
  const auto key = [](const PublishedPort& one) {
    return std::tie(one.engine, one.container, one.proto, one.address);
  };
  std::sort(ports.begin(), ports.end(), [&](const PublishedPort& a, const PublishedPort& b) {
    return std::tuple_cat(key(a), std::tie(a.host, a.target)) <
           std::tuple_cat(key(b), std::tie(b.host, b.target));
  });
  std::vector<PublishedPort> joined;
  for (PublishedPort& one : ports) {
    const bool follows = !joined.empty() && key(joined.back()) == key(one) &&
                         joined.back().host.last + 1 == one.host.first &&
                         joined.back().target.last + 1 == one.target.first;
    if (!follows) {
      joined.push_back(std::move(one));
      continue;
    }
    joined.back().host.last = one.host.last;
    joined.back().target.last = one.target.last;
  }
  ports = std::move(joined);
}

}  // namespace fw::inventory
