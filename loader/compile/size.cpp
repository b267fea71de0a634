// SPDX-License-Identifier: GPL-2.0-only
#include "loader/compile/size.h"

#include <algorithm>
#include <set>

namespace fw::compile {
namespace {

template <class Key, class Value>
MapSize map_size(const char* name, std::size_t entries) {
  return {name, entries, entries * (sizeof(Key) + sizeof(Value))};
}

// The key of an array is its position.
template <class Value>
MapSize array_size(const char* name, std::size_t entries) {
  return {name, entries, entries * sizeof(Value)};
}

std::size_t count_classes(const std::vector<fw_port_class>& ports) {
  std::set<std::uint16_t> classes;
  for (const fw_port_class& port : ports) classes.insert({port.tcp, port.udp});
  classes.erase(FW_PORTS_ANY);
  return classes.size();
}

std::size_t count_ipv4(const std::vector<std::pair<Prefix, fw_ident>>& entries) {
  return static_cast<std::size_t>(std::ranges::count_if(
      entries, [](const auto& entry) { return entry.first.family() == Family::kIpv4; }));
}

}  // namespace

ImageSize size_of(const Image& image, const AccountBook& accounts) {
  const auto prefixes = image.identities.size() + image.listed.size();
  const auto ipv4 = count_ipv4(image.identities) + count_ipv4(image.listed);
  return {{map_size<fw_prefix4, fw_ident>("fw_ident4", ipv4),
           map_size<fw_prefix6, fw_ident>("fw_ident6", prefixes - ipv4),
           array_size<fw_port_class>("fw_ports", image.ports.size()),
           map_size<fw_policy_key, fw_policy_entry>("fw_policy", image.policy.size()),
           map_size<fw_door_key, fw_door>("fw_doors", image.doors.size()),
           array_size<fw_backend>("fw_maglev", image.maglev.size()),
           map_size<fw_member_key, std::uint8_t>("fw_members", image.members.size()),
           array_size<fw_limit>("fw_limits", image.limits.size())},
          image.identity_names.size() - 1,  // the first is nobody's
          count_classes(image.ports),
          accounts.size()};
}

}  // namespace fw::compile
