// SPDX-License-Identifier: GPL-2.0-only
// Every door of a machine: who can get to it, what opened it, whether the policy names it. Pure.
#pragma once

#include <set>
#include <string>

#include "loader/base/topology.h"
#include "loader/control/reports.h"
#include "loader/explain/world.h"
#include "loader/inventory/inventory.h"

namespace fw::exposure {

// A policy, compiled for this machine.
struct Guard {
  explain::World world;
  bool enforced = true;              // else it only says what is declared
  std::set<std::string> unattached;  // interfaces that it concerns and that have no program
};

// `guard` may be null: nothing is declared, and nothing keeps anybody out.
control::ExposureReport expose(const inventory::Inventory& inventory, const Topology& topology,
                               const Guard* guard);

}  // namespace fw::exposure
