// SPDX-License-Identifier: GPL-2.0-only
// `publish` -> door keys, the backends they choose from, and the lines that say who may come in.
#pragma once

#include <utility>
#include <vector>

#include "loader/compile/entries.h"
#include "loader/compile/identities.h"
#include "loader/compile/ports.h"
#include "loader/config/model.h"
#include "maps/door.h"

namespace fw::compile {

struct Doors {
  std::vector<std::pair<fw_door_key, fw_door>> doors;
  std::vector<fw_backend> maglev;
  std::vector<fw_member_key> members;
  std::vector<Line> lines;
};

// Fails when two doors open the same port.
Result<Doors> compile_doors(const config::Policy& policy, const Identities& identities,
                            const PortClasses& ports);

// Marks the doors that this machine's own processes may use (FW_DOOR_OWN). They use a door before
// there is a packet, so what would keep their packet from it must keep them: a block, or
// host.admin, which goes before every door. Last, of an image that is complete but for this.
void open_to_own_processes(Image& image);

}  // namespace fw::compile
