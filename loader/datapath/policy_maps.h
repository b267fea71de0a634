// SPDX-License-Identifier: GPL-2.0-only
// An image becomes the policy in force: inner maps at the idle slot, then one store.
#pragma once

#include <cstdint>

#include "loader/compile/image.h"
#include "loader/datapath/programs.h"

namespace fw::datapath {

// What fw_active.current says.
struct InForce {
  std::uint64_t generation = 0;  // 0: no policy
  std::uint32_t slot = 0;
};
InForce in_force(const fw_active& active);

// Puts `image` in force as `generation`. Packets are judged by the old policy up to one store and
// by the new one from then on. Returns once no program uses the old slot any more. After an error
// the old policy is still in force, whole.
Result<void> install(const Programs& programs, const compile::Image& image,
                     std::uint64_t generation);

// How many accounts the image's numbers reach up to.
std::uint32_t accounts_needed(const compile::Image& image);

}  // namespace fw::datapath
