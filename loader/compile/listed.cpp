// SPDX-License-Identifier: GPL-2.0-only
#include "loader/compile/listed.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <tuple>

namespace fw::compile {
namespace {

bool before(const ListedPrefix& left, const ListedPrefix& right) {
  return std::tuple{left.prefix.family(), left.prefix} <
         std::tuple{right.prefix.family(), right.prefix};
}

// What several lists name becomes one prefix.
void join_equal(std::vector<ListedPrefix>& prefixes) {
  if (prefixes.empty()) return;
  std::size_t last = 0;
  for (std::size_t i = 1; i < prefixes.size(); ++i) {
    if (prefixes[i].prefix == prefixes[last].prefix)
      prefixes[last].lists |= prefixes[i].lists;
    else
      prefixes[++last] = prefixes[i];
  }
  prefixes.resize(last + 1);
}

}  // namespace

Listed::Listed(const config::Policy& policy) {
  for (const config::Rule& rule : policy.rules)
    if (rule.list) lists_.emplace(rule.list->name, rule.list.get());
  for (const auto& [name, list] : lists_) {
    const auto middle = static_cast<std::ptrdiff_t>(prefixes_.size());
    prefixes_.reserve(prefixes_.size() + list->prefixes.size());
    for (const Prefix& prefix : list->prefixes) prefixes_.push_back({prefix, bit(*list)});
    std::inplace_merge(prefixes_.begin(), prefixes_.begin() + middle, prefixes_.end(), before);
  }
  if (lists_.size() > 1) join_equal(prefixes_);
}

std::uint64_t Listed::bit(const config::AddressList& list) const {
  return std::uint64_t{1} << std::distance(lists_.begin(), lists_.find(list.name));
}

const std::string& Listed::name_of(std::uint64_t lists) const {
  return std::next(lists_.begin(), std::countr_zero(lists))->first;
}

}  // namespace fw::compile
