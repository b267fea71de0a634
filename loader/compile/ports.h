// SPDX-License-Identifier: GPL-2.0-only
// Which ports do the rules, and the targets of doors, tell apart? Each set of such ports is a
// class.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "loader/config/model.h"
#include "maps/policy.h"

namespace fw::compile {

class PortClasses {
 public:
  // Fails when rules and doors tell more ports apart than a class number can count.
  static Result<PortClasses> of_policy(const config::Policy& policy);

  // 65536 elements, or none when no rule names a TCP or UDP port.
  [[nodiscard]] std::vector<fw_port_class> table() const;
  // The classes that together are `ports`: ascending, each once. No ports: {FW_PORTS_ANY}.
  [[nodiscard]] std::vector<std::uint32_t> classes(const std::vector<config::PortSet>& ports) const;

 private:
  struct Interval {
    PortRange range;
    std::uint16_t number;
  };

  std::array<std::vector<Interval>, 2> intervals_;  // TCP, UDP; ascending, disjoint
};

}  // namespace fw::compile
