// SPDX-License-Identifier: GPL-2.0-only
// Interfaces and container addresses in the kernel, kept up to date by difference.
#pragma once

#include <map>

#include "loader/compile/image.h"
#include "loader/datapath/programs.h"

namespace fw::datapath {

// Tells the programs to resolve every cached next hop anew.
void raise_topology(fw_active& active);

class PlacementMaps {
 public:
  // Starts from what the maps hold from an earlier run.
  static Result<PlacementMaps> adopt(const Maps& maps);

  // Adds and replaces first, deletes afterwards, and raises the topology number if anything
  // changed.
  Result<void> write(const compile::Placement& placement, fw_active& active);

 private:
  PlacementMaps(int interfaces, int endpoints, int vlans)
      : interfaces_map_(interfaces), endpoints_map_(endpoints), vlans_map_(vlans) {}

  int interfaces_map_;
  int endpoints_map_;
  int vlans_map_;
  compile::Placement written_;
};

}  // namespace fw::datapath
