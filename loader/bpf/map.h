// SPDX-License-Identifier: GPL-2.0-only
// BPF maps by file descriptor: make, fill, read, compare layouts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "loader/base/result.h"
#include "loader/bpf/handles.h"

namespace fw::bpf {

struct MapLayout {
  std::uint32_t type = 0;  // enum bpf_map_type
  std::uint32_t key_size = 0;
  std::uint32_t value_size = 0;
  std::uint32_t max_entries = 0;
  std::uint32_t flags = 0;

  bool operator==(const MapLayout&) const = default;
};

Result<MapLayout> layout_of(int map);

// `layout.max_entries` is replaced by `entries`, at least 1 because the kernel knows no empty map.
Result<Fd> create_map(const char* name, MapLayout layout, std::size_t entries);

// `count` keys and values, packed. Existing keys are replaced.
Result<void> fill(int map, const void* keys, const void* values, std::size_t count);

// Keys and values of one map, packed.
template <class Key, class Value>
Result<void> fill(int map, const std::vector<Key>& keys, const std::vector<Value>& values) {
  assert(keys.size() == values.size());
  return fill(map, keys.data(), values.data(), keys.size());
}

// Every entry in batches, in no order. An entry that comes or goes meanwhile may be missed. A value
// of a per-CPU map is one value, padded to 8 bytes, for each possible CPU. `visit` returns false to
// stop early.
using Visit = std::function<bool(const void* key, const void* value)>;
Result<void> for_each(int map, const Visit& visit);

// All keys of a map.
template <class Key>
Result<std::vector<Key>> keys_of(int map) {
  std::vector<Key> keys;
  auto read = for_each(map, [&keys](const void* key, const void*) {
    keys.push_back(*static_cast<const Key*>(key));
    return true;
  });
  if (!read) return read.error();
  return keys;
}

// A key that is gone already is no error.
Result<void> erase_key(int map, const void* key);

int possible_cpus();

}  // namespace fw::bpf
