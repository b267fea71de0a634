// SPDX-License-Identifier: GPL-2.0-only
// The number of each zone, as the kernel's keys have it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "loader/config/model.h"

namespace fw::compile {

// The built-in zones first, then the policy's in the order of their names.
class Zones {
 public:
  // Fails when the policy has more zones than the kernel's counters can tell apart.
  static Result<Zones> number(const config::Policy& policy);

  // The zone must exist: the parser has refused every other name.
  [[nodiscard]] std::uint16_t operator[](std::string_view name) const;
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  [[nodiscard]] std::uint32_t count() const { return static_cast<std::uint32_t>(names_.size()); }

 private:
  std::vector<std::string> names_;
};

}  // namespace fw::compile
