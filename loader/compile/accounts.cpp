// SPDX-License-Identifier: GPL-2.0-only
// Account numbers that survive a policy swap.
#include <algorithm>

#include "loader/compile/image.h"

namespace fw::compile {

std::uint32_t AccountBook::block(const std::vector<AccountName>& names) {
  const auto [known, fresh] = blocks_.try_emplace(names, size());
  if (fresh) names_.insert(names_.end(), names.begin(), names.end());
  return known->second;
}

AccountBook AccountBook::from_names(std::vector<AccountName> names,
                                    const std::vector<std::uint32_t>& block_starts) {
  AccountBook book;
  book.names_ = std::move(names);
  for (std::size_t i = 0; i < block_starts.size(); ++i) {
    const std::size_t start = block_starts[i];
    const std::size_t end = i + 1 < block_starts.size() ? block_starts[i + 1] : book.names_.size();
    // A damaged state file must not make a block that the kernel would index past.
    if (start >= end || end > book.names_.size()) continue;
    const auto at = [&](std::size_t index) {
      return book.names_.begin() + static_cast<std::ptrdiff_t>(index);
    };
    book.blocks_.try_emplace(std::vector<AccountName>(at(start), at(end)), block_starts[i]);
  }
  return book;
}

std::vector<std::uint32_t> AccountBook::block_starts() const {
  std::vector<std::uint32_t> starts;
  starts.reserve(blocks_.size());
  for (const auto& [names, start] : blocks_) starts.push_back(start);
  std::sort(starts.begin(), starts.end());
  return starts;
}

}  // namespace fw::compile
