// SPDX-License-Identifier: GPL-2.0-only
// Building the inner maps of a generation.
#include "loader/datapath/policy_maps.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <future>
#include <numeric>
#include <vector>

#include "loader/datapath/accounts.h"
#include "maps/reason.h"

namespace fw::datapath {
namespace {

template <class Key, class Value>
struct Table {
  std::vector<Key> keys;
  std::vector<Value> values;

  void add(const Key& key, const Value& value) {
    keys.push_back(key);
    values.push_back(value);
  }
};

template <class Key, class Value>
Table<Key, Value> to_table(const std::vector<std::pair<Key, Value>>& entries) {
  Table<Key, Value> table;
  for (const auto& [key, value] : entries) table.add(key, value);
  return table;
}

// An array map is keyed by position.
template <class Value>
Table<std::uint32_t, Value> to_array(const std::vector<Value>& values) {
  Table<std::uint32_t, Value> table{std::vector<std::uint32_t>(values.size()), values};
  std::iota(table.keys.begin(), table.keys.end(), 0U);
  return table;
}

// An inner map, filled, that no program sees yet.
struct Prepared {
  const OuterMap* outer = nullptr;
  bpf::Fd inner;
};

// At least `entries` large.
template <class Key, class Value>
Result<Prepared> prepare(const OuterMap& outer, const Table<Key, Value>& table,
                         std::size_t entries = 0) {
  auto inner = bpf::create_map(outer.name, outer.inner, std::max(entries, table.keys.size()));
  if (!inner) return inner.error();
  if (auto filled = bpf::fill(inner->get(), table.keys, table.values); !filled)
    return filled.error().during(std::string{"filling "} + outer.name);
  return Prepared{&outer, std::move(*inner)};
}

Result<std::vector<Prepared>> prepare_all(const Maps& maps, const compile::Image& image) {
  Table<fw_prefix4, fw_ident> ipv4;
  Table<fw_prefix6, fw_ident> ipv6;
  for (const auto* identities : {&image.identities, &image.listed})
    for (const auto& [prefix, identity] : *identities) {
      if (prefix.family() == Family::kIpv4)
        ipv4.add({.len = prefix.length(), .addr = prefix.address().ipv4_be()}, identity);
      else
        ipv6.add({.len = prefix.length(), .addr = prefix.address().to_abi()}, identity);
    }
  const Table<fw_member_key, std::uint8_t> members{
      image.members, std::vector<std::uint8_t>(image.members.size(), 1)};

  std::array made{prepare(maps.ident4, ipv4),
                  prepare(maps.ident6, ipv6),
                  prepare(maps.ports, to_array(image.ports), 1U << 16U),
                  prepare(maps.policy, to_table(image.policy)),
                  prepare(maps.doors, to_table(image.doors)),
                  prepare(maps.maglev, to_array(image.maglev)),
                  prepare(maps.members, members),
                  prepare(maps.limits, to_array(image.limits))};
  std::vector<Prepared> prepared;
  prepared.reserve(made.size());
  for (auto& each : made) {
    if (!each) return each.error();
    prepared.push_back(std::move(*each));
  }
  return prepared;
}

Result<void> store(const Prepared& prepared, std::uint32_t slot) {
  const int fd = prepared.inner.get();
  if (bpf_map_update_elem(prepared.outer->fd, &slot, &fd, BPF_ANY) != 0)
    return Error::from_errno(std::string{"storing "} + prepared.outer->name);
  return {};
}

// Each store waits for an RCU grace period, which takes long on a busy machine; side by side they
// wait for the same one.
Result<void> store_all(const std::vector<Prepared>& prepared, std::uint32_t slot) {
  std::vector<std::future<Result<void>>> stores;
  stores.reserve(prepared.size());
  for (const Prepared& each : prepared)
    stores.push_back(std::async([&each, slot] { return store(each, slot); }));
  Result<void> outcome;
  for (auto& each : stores)
    if (auto stored = each.get(); !stored) outcome = stored;
  return outcome;
}

}  // namespace

InForce in_force(const fw_active& active) {
  const auto current =
      std::atomic_ref{const_cast<__u64&>(active.current)}.load(std::memory_order_acquire);
  return {.generation = current >> 1U, .slot = static_cast<std::uint32_t>(current & 1U)};
}

std::uint32_t accounts_needed(const compile::Image& image) {
  const auto& parameters = image.parameters;
  const std::uint32_t zones = parameters.zones;
  const std::uint32_t last_zone = zones > 0 ? zones - 1 : 0;
  std::uint32_t needed = parameters.denied + zones * zones * FW_REASON_COUNT;
  needed = std::max(needed, parameters.egress_account + zones);
  for (const auto& limit : image.limits) needed = std::max(needed, limit.account + 1);
  for (const auto& [key, entry] : image.policy)
    needed =
        std::max(needed, entry.account +
                             last_zone * (entry.from_stride + std::uint32_t{entry.to_stride}) + 1);
  return needed;
}

Result<void> install(const Programs& programs, const compile::Image& image,
                     std::uint64_t generation) {
  const Maps& maps = programs.maps();
  fw_active& active = programs.active();
  const InForce old = in_force(active);
  const std::uint32_t slot = old.generation == 0 ? 0 : 1 - old.slot;

  if (auto done = ensure_accounts(maps.accounts, accounts_needed(image)); !done) return done;
  const auto prepared = prepare_all(maps, image);
  if (!prepared) return prepared.error();
  if (auto stored = store_all(*prepared, slot); !stored) return stored;

  active.generation[slot] = image.parameters;
  std::atomic_ref{active.current}.store(FW_CURRENT(generation, slot), std::memory_order_release);
  // Storing into a map of maps makes the kernel wait until no program can still see what was there
  // before (maybe_wait_bpf_programs). Storing what is there already is the wait alone: now no
  // packet is judged by the old slot any more, and the next swap may fill it.
  return store(prepared->back(), slot);
}

}  // namespace fw::datapath
