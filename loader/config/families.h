// SPDX-License-Identifier: GPL-2.0-only
// Which address families does a peer have, as far as the policy says?
#pragma once

#include <vector>

#include "loader/config/model.h"

namespace fw::config {

struct Families {
  bool ipv4 = false;
  bool ipv6 = false;

  [[nodiscard]] bool none() const { return !ipv4 && !ipv6; }
  [[nodiscard]] bool meets(const Families& other) const {
    return (ipv4 && other.ipv4) || (ipv6 && other.ipv6);
  }
  void add(Family family) { (family == Family::kIpv4 ? ipv4 : ipv6) = true; }
  void add(const Families& other) {
    ipv4 |= other.ipv4;
    ipv6 |= other.ipv6;
  }
};

// The host, the internet and what is behind a zone's interfaces have both. A zone without members
// has none.
Families families_of(const Policy& policy, const Peer& peer);
Families families_of(const Policy& policy, const std::vector<Peer>& peers);
Families families_of(const Service& service);

}  // namespace fw::config
