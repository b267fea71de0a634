// SPDX-License-Identifier: GPL-2.0-only
#include "loader/explain/world.h"

#include <algorithm>

#include "loader/compile/offline.h"

namespace fw::explain {

Result<Compiled> Compiled::of(config::Policy policy) {
  Topology topology = compile::offline_topology({&policy});
  return of(std::move(policy), std::move(topology));
}

Result<Compiled> Compiled::of(config::Policy policy, Topology topology) {
  Compiled compiled;
  compiled.policy_ = std::move(policy);
  compiled.topology_ = std::move(topology);
  compiled.placement_ = compile::place(compiled.policy_, compiled.topology_);
  auto image = compile::compile(compiled.policy_, compiled.topology_, compiled.placement_,
                                compiled.accounts_);
  if (!image) return image.error();
  compiled.image_ = std::move(*image);
  return compiled;
}

std::uint16_t zone_number(const compile::Image& image, std::string_view name) {
  const auto found = std::find(image.zones.begin(), image.zones.end(), name);
  return found == image.zones.end() ? std::uint16_t{FW_ZONE_NONE}
                                    : static_cast<std::uint16_t>(found - image.zones.begin());
}

}  // namespace fw::explain
