// SPDX-License-Identifier: GPL-2.0-only
// Asks the machine what opens doors on it: its sockets, its container engines, its NAT rules.
#pragma once

#include <string>
#include <vector>

#include "loader/inventory/inventory.h"

namespace fw::inventory {

struct Engine {
  std::string name;       // "docker"
  std::string socket;     // path
  bool expected = false;  // somebody asked for it: say so when it is not there
};

// Docker's and podman's own places.
std::vector<Engine> default_engines();

// Of the calling thread's network namespace. Never fails: what cannot be read is in `unseen`.
Inventory collect(const std::vector<Engine>& engines);

}  // namespace fw::inventory
