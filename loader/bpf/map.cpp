// SPDX-License-Identifier: GPL-2.0-only
// Map operations by libbpf's thin system call wrappers.
#include "loader/bpf/map.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <array>

namespace fw::bpf {
namespace {

constexpr std::uint32_t kBatch = 4096;

// The kernel's cursor: 4 bytes for a hash table, a key for the others; no map here has larger keys.
using Cursor = std::array<std::uint8_t, 64>;

bool is_per_cpu(std::uint32_t type) {
  return type == BPF_MAP_TYPE_PERCPU_ARRAY || type == BPF_MAP_TYPE_PERCPU_HASH ||
         type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

std::size_t bytes_per_value(const MapLayout& layout) {
  if (!is_per_cpu(layout.type)) return layout.value_size;
  const std::size_t padded = (std::size_t{layout.value_size} + 7) / 8 * 8;
  return padded * static_cast<std::size_t>(possible_cpus());
}

}  // namespace

int possible_cpus() {
  return std::max(1, libbpf_num_possible_cpus());
}

Result<MapLayout> layout_of(int map) {
  bpf_map_info info{};
  std::uint32_t length = sizeof(info);
  if (bpf_obj_get_info_by_fd(map, &info, &length) != 0)
    return Error::from_errno("asking the kernel about a map");
  return MapLayout{.type = info.type,
                   .key_size = info.key_size,
                   .value_size = info.value_size,
                   .max_entries = info.max_entries,
                   .flags = info.map_flags};
}

Result<Fd> create_map(const char* name, MapLayout layout, std::size_t entries) {
  LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = layout.flags);
  const auto size = static_cast<std::uint32_t>(std::max<std::size_t>(1, entries));
  Fd map{bpf_map_create(static_cast<bpf_map_type>(layout.type), name, layout.key_size,
                        layout.value_size, size, &options)};
  if (!map)
    return Error::from_errno("making map " + std::string{name} + " with " + std::to_string(size) +
                             " entries");
  return map;
}

Result<void> fill(int map, const void* keys, const void* values, std::size_t count) {
  if (count == 0) return {};
  auto done = static_cast<std::uint32_t>(count);
  if (bpf_map_update_batch(map, keys, values, &done, nullptr) == 0) return {};
  // Which map types take batches grew with the kernel's version: one by one works everywhere.
  auto layout = layout_of(map);
  if (!layout) return layout.error();
  const auto* key = static_cast<const std::uint8_t*>(keys);
  const auto* value = static_cast<const std::uint8_t*>(values);
  for (std::size_t i = 0; i < count; ++i) {
    if (bpf_map_update_elem(map, key, value, BPF_ANY) != 0)
      return Error::from_errno("writing entry " + std::to_string(i + 1) + " of " +
                               std::to_string(count));
    key += layout->key_size;
    value += layout->value_size;
  }
  return {};
}

Result<void> for_each(int map, const Visit& visit) {
  auto layout = layout_of(map);
  if (!layout) return layout.error();
  const std::size_t value_bytes = bytes_per_value(*layout);
  std::uint32_t room = std::min(kBatch, layout->max_entries);
  std::vector<std::uint8_t> keys;
  std::vector<std::uint8_t> values;
  Cursor here{};
  Cursor next{};
  for (bool first = true;;) {
    keys.resize(std::size_t{room} * layout->key_size);
    values.resize(room * value_bytes);
    std::uint32_t count = room;
    const int failed = bpf_map_lookup_batch(map, first ? nullptr : here.data(), next.data(),
                                            keys.data(), values.data(), &count, nullptr);
    if (failed == -ENOSPC) {  // one bucket of the hash table holds more than there is room for
      room *= 2;
      continue;
    }
    if (failed != 0 && failed != -ENOENT) return Error::from_errno("reading a map", -failed);
    for (std::uint32_t i = 0; i < count; ++i)
      if (!visit(&keys[std::size_t{i} * layout->key_size], &values[i * value_bytes])) return {};
    if (failed == -ENOENT) return {};
    here = next;
    first = false;
  }
}

Result<void> erase_key(int map, const void* key) {
  if (bpf_map_delete_elem(map, key) != 0 && errno != ENOENT)
    return Error::from_errno("deleting an entry of a map");
  return {};
}

}  // namespace fw::bpf
