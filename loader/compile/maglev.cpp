// SPDX-License-Identifier: GPL-2.0-only
// Filling the table: backends take turns, each at the next free slot that it prefers.
#include "loader/compile/maglev.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

namespace fw::compile {
namespace {

// The paper wants a prime much larger than the number of backends. 100 slots a backend share the
// load within 1 %, but removing one of ten then moves 3 % of the others' slots; 400 move under 2 %.
constexpr std::size_t kSlotsPerBackend = 400;
constexpr std::array<std::uint32_t, 7> kSizes{251, 1021, 4093, 16381, 65537, 262139, 1048573};

std::uint32_t table_size(std::size_t backends) {
  for (const std::uint32_t size : kSizes)
    if (size >= backends * kSlotsPerBackend) return size;
  return kSizes.back();
}

// FNV-1a with a final mix; `seed` makes independent hashes of one address.
std::uint64_t hash(const Address& address, std::uint64_t seed) {
  std::uint64_t value = 0xcbf29ce484222325U ^ seed;
  for (const std::uint8_t byte : address.bytes()) value = (value ^ byte) * 0x100000001b3U;
  value = (value ^ (value >> 33U)) * 0xff51afd7ed558ccdU;
  return value ^ (value >> 33U);
}

// The order in which one backend prefers the slots.
struct Preference {
  std::uint32_t next;
  std::uint32_t skip;
};

}  // namespace

std::vector<Address> maglev_table(std::vector<Address> backends) {
  std::sort(backends.begin(), backends.end());
  backends.erase(std::unique(backends.begin(), backends.end()), backends.end());
  if (backends.size() < 2) return backends;

  const std::uint32_t size = table_size(backends.size());
  std::vector<Preference> preferences;
  preferences.reserve(backends.size());
  for (const Address& backend : backends)
    preferences.push_back({static_cast<std::uint32_t>(hash(backend, 0) % size),
                           static_cast<std::uint32_t>(hash(backend, 1) % (size - 1) + 1)});

  constexpr std::size_t kFree = std::numeric_limits<std::size_t>::max();
  std::vector<std::size_t> owner(size, kFree);
  for (std::uint32_t filled = 0; filled < size;) {
    for (std::size_t i = 0; i < backends.size() && filled < size; ++i, ++filled) {
      Preference& preference = preferences[i];
      while (owner[preference.next] != kFree)
        preference.next = (preference.next + preference.skip) % size;
      owner[preference.next] = i;
    }
  }

  std::vector<Address> table;
  table.reserve(size);
  for (const std::size_t index : owner) table.push_back(backends[index]);
  return table;
}

}  // namespace fw::compile
