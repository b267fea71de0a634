// SPDX-License-Identifier: GPL-2.0-only
// Ranges of ports that no rule and no door of some policies tells apart.
#pragma once

#include <vector>

#include "loader/config/model.h"

namespace fw::explain {

class Segments {
 public:
  explicit Segments(const std::vector<const config::Policy*>& policies);

  // All of TCP and UDP, ascending, and ICMP echo first.
  [[nodiscard]] std::vector<config::PortSet> all() const;
  // `ports` cut where a rule or a door begins or ends.
  [[nodiscard]] std::vector<config::PortSet> within(
      const std::vector<config::PortSet>& ports) const;

 private:
  void cut(const config::PortSet& set);

  std::vector<std::uint32_t> tcp_;  // where segments begin: ascending
  std::vector<std::uint32_t> udp_;
};

}  // namespace fw::explain
