// SPDX-License-Identifier: GPL-2.0-only
// A door: a port of this machine that something holds open, with all that hold it.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "loader/config/model.h"
#include "loader/inventory/inventory.h"

namespace fw::exposure {

// Points into the inventory and the policy that it was made from.
struct Door {
  bool ipv4 = false;  // which families, where it is on every address
  bool ipv6 = false;
  std::optional<Address> address;  // unset: on every one
  std::string interface;           // "": on every one
  Proto proto = Proto::kTcp;
  PortRange ports;
  std::vector<const inventory::Listener*> listeners;
  std::vector<const inventory::PublishedPort*> published;
  std::vector<const inventory::Redirect*> redirects;
  std::vector<const std::pair<const std::string, config::Door>*> in_policy;

  // Only this machine's own processes can get to it.
  [[nodiscard]] bool is_local() const {
    return interface == "lo" || (address && address->is_loopback());
  }
  [[nodiscard]] bool has(Family family) const {
    if (address) return address->family() == family;
    return family == Family::kIpv4 ? ipv4 : ipv6;
  }
  // "*", "0.0.0.0", "::", or its address.
  [[nodiscard]] std::string address_text() const;
};

// One door for each place and range of ports, by port. What a published range or a door of the
// policy covers belongs to it; both families of "every address" are one door. `policy` may be null.
std::vector<Door> find_doors(const inventory::Inventory& inventory, const config::Policy* policy);

}  // namespace fw::exposure
