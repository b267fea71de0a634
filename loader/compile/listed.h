// SPDX-License-Identifier: GPL-2.0-only
// All block lists of a policy as one sequence of prefixes.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "loader/config/model.h"

namespace fw::compile {

struct ListedPrefix {
  Prefix prefix;
  std::uint64_t lists = 0;  // a bit for each list that names it
};

class Listed {
 public:
  explicit Listed(const config::Policy& policy);

  // By family, address, length; each prefix once.
  [[nodiscard]] const std::vector<ListedPrefix>& prefixes() const { return prefixes_; }
  // The bit of a list; the parser holds their number to 64.
  [[nodiscard]] std::uint64_t bit(const config::AddressList& list) const;
  // The first of these lists by name.
  [[nodiscard]] const std::string& name_of(std::uint64_t lists) const;

 private:
  std::map<std::string, const config::AddressList*> lists_;
  std::vector<ListedPrefix> prefixes_;
};

}  // namespace fw::compile
