// SPDX-License-Identifier: GPL-2.0-only
// Which entry covers this address most specifically? Longest-prefix match over plain values.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <cstring>
#include <unordered_map>
#include <utility>

#include "loader/base/net.h"

namespace fw::compile {

struct PrefixHash {
  std::size_t operator()(const Prefix& prefix) const noexcept {
    std::uint64_t halves[2];
    std::memcpy(halves, prefix.address().bytes().data(), sizeof(halves));
    std::uint64_t mixed = halves[0] * 0x9e3779b97f4a7c15U ^ (halves[1] + prefix.length());
    mixed *= 0xff51afd7ed558ccdU;
    return static_cast<std::size_t>(mixed ^ (mixed >> 32U));
  }
};

// One hash probe for each prefix length in use, so a lookup costs the same with 10 or a million
// entries.
template <class T>
class PrefixMap {
 public:
  using Entry = std::pair<const Prefix, T>;

  T& operator[](const Prefix& prefix) {
    lengths_[family_index(prefix.family())].set(prefix.length());
    return entries_[prefix];
  }

  // The longest prefix that contains `address`; null when none does.
  [[nodiscard]] const Entry* find(const Address& address) const {
    const auto& lengths = lengths_[family_index(address.family())];
    for (unsigned length = address.is_ipv4() ? 32 : 128;; --length) {
      if (lengths.test(length)) {
        const auto found = entries_.find(Prefix{address, length});
        if (found != entries_.end()) return &*found;
      }
      if (length == 0) return nullptr;
    }
  }

  [[nodiscard]] const std::unordered_map<Prefix, T, PrefixHash>& entries() const {
    return entries_;
  }

 private:
  static std::size_t family_index(Family family) { return static_cast<std::size_t>(family); }

  std::unordered_map<Prefix, T, PrefixHash> entries_;
  std::array<std::bitset<129>, FW_FAMILIES> lengths_;
};

}  // namespace fw::compile
