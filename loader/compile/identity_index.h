// SPDX-License-Identifier: GPL-2.0-only
// What is this address to the image? The kernel's longest-prefix match over plain values.
#pragma once

#include <array>
#include <bitset>
#include <optional>
#include <utility>
#include <vector>

#include "loader/compile/image.h"
#include "loader/compile/prefix_map.h"

namespace fw::compile {

// Holds the image by reference: it must outlive the index.
class IdentityIndex {
 public:
  using Entry = std::pair<Prefix, fw_ident>;

  explicit IdentityIndex(const Image& image);
  explicit IdentityIndex(Image&&) = delete;

  // The longest prefix around `address`; unset where the image has none.
  [[nodiscard]] std::optional<Entry> find(const Address& address) const;
  // Its identity; that of nobody where the image has none.
  [[nodiscard]] fw_ident ident(const Address& address) const;

  // One entry of Image::listed for each identity and family in it: the others answer the same.
  [[nodiscard]] const std::vector<Entry>& examples() const { return examples_; }
  // The same of those within `region`.
  [[nodiscard]] std::vector<Entry> examples_within(const Prefix& region) const;
  [[nodiscard]] bool is_listed(const fw_ident& ident) const;

 private:
  [[nodiscard]] const Entry* find_listed(const Address& address) const;

  const Image& image_;
  PrefixMap<fw_ident> named_;
  std::array<std::bitset<129>, FW_FAMILIES> lengths_;  // of the listed
  std::vector<Entry> examples_;
};

}  // namespace fw::compile
