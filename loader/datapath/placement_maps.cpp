// SPDX-License-Identifier: GPL-2.0-only
// Differences between two placements -> map updates.
#include "loader/datapath/placement_maps.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>

#include <atomic>
#include <cstring>

namespace fw::datapath {
namespace {

std::uint32_t to_key(std::uint32_t index) {
  return index;
}
fw_addr to_key(const Address& address) {
  return address.to_abi();
}

fw_vlan to_key(const VlanTag& tag) {
  return {.ifindex = tag.link, .protocol = htons(tag.protocol), .id = tag.id};
}
VlanTag from_key(const fw_vlan& vlan) {
  return {.link = vlan.ifindex, .protocol = ntohs(vlan.protocol), .id = vlan.id};
}

template <class Key, class Value>
bool holds(const std::map<Key, Value>& entries, const Key& key, const Value& value) {
  const auto found = entries.find(key);
  return found != entries.end() && std::memcmp(&found->second, &value, sizeof(value)) == 0;
}

template <class Key, class Value>
Result<bool> put_new(int map, std::map<Key, Value>& written, const std::map<Key, Value>& wanted) {
  bool changed = false;
  for (const auto& [key, value] : wanted) {
    if (holds(written, key, value)) continue;
    const auto raw = to_key(key);
    if (bpf_map_update_elem(map, &raw, &value, BPF_ANY) != 0) {
      if (errno == E2BIG || errno == ENOSPC)
        return Error{
            "there are more interfaces or container addresses than the datapath has room "
            "for (" +
                std::to_string(written.size()) + " are in)",
            errno};
      return Error::from_errno("writing an interface or endpoint");
    }
    written.insert_or_assign(key, value);
    changed = true;
  }
  return changed;
}

template <class Key, class Value>
Result<bool> erase_stale(int map, std::map<Key, Value>& written,
                         const std::map<Key, Value>& wanted) {
  bool changed = false;
  for (auto entry = written.begin(); entry != written.end();) {
    if (wanted.contains(entry->first)) {
      ++entry;
      continue;
    }
    const auto raw = to_key(entry->first);
    if (auto erased = bpf::erase_key(map, &raw); !erased) return erased.error();
    entry = written.erase(entry);
    changed = true;
  }
  return changed;
}

}  // namespace

void raise_topology(fw_active& active) {
  std::atomic_ref{active.topology}.fetch_add(1, std::memory_order_release);
}

Result<PlacementMaps> PlacementMaps::adopt(const Maps& maps) {
  PlacementMaps adopted{maps.ifaces, maps.endpoints, maps.vlans};
  auto read = bpf::for_each(maps.ifaces, [&](const void* key, const void* value) {
    adopted.written_.interfaces.emplace(*static_cast<const std::uint32_t*>(key),
                                        *static_cast<const fw_iface*>(value));
    return true;
  });
  if (!read) return read.error().during("reading fw_ifaces");
  read = bpf::for_each(maps.endpoints, [&](const void* key, const void* value) {
    adopted.written_.endpoints.emplace(Address::from_abi(*static_cast<const fw_addr*>(key)),
                                       *static_cast<const fw_endpoint*>(value));
    return true;
  });
  if (!read) return read.error().during("reading fw_endpoints");
  read = bpf::for_each(maps.vlans, [&](const void* key, const void* value) {
    adopted.written_.vlans.emplace(from_key(*static_cast<const fw_vlan*>(key)),
                                   *static_cast<const std::uint32_t*>(value));
    return true;
  });
  if (!read) return read.error().during("reading fw_vlans");
  return adopted;
}

Result<void> PlacementMaps::write(const compile::Placement& placement, fw_active& active) {
  auto interfaces = put_new(interfaces_map_, written_.interfaces, placement.interfaces);
  if (!interfaces) return interfaces.error();
  auto endpoints = put_new(endpoints_map_, written_.endpoints, placement.endpoints);
  if (!endpoints) return endpoints.error();
  auto vlans = put_new(vlans_map_, written_.vlans, placement.vlans);
  if (!vlans) return vlans.error();
  auto gone = erase_stale(interfaces_map_, written_.interfaces, placement.interfaces);
  if (!gone) return gone.error();
  auto moved = erase_stale(endpoints_map_, written_.endpoints, placement.endpoints);
  if (!moved) return moved.error();
  auto untagged = erase_stale(vlans_map_, written_.vlans, placement.vlans);
  if (!untagged) return untagged.error();
  if (*interfaces || *endpoints || *gone || *moved) raise_topology(active);
  return {};
}

}  // namespace fw::datapath
