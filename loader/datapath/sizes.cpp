// SPDX-License-Identifier: GPL-2.0-only
#include "loader/datapath/sizes.h"

#include <sys/sysinfo.h>

#include <algorithm>
#include <bit>

namespace fw::datapath {

Sizes sizes_for_memory(std::uint64_t bytes) {
  constexpr std::uint64_t kEntryBytes = 192 + 256;  // one of each family
  const auto entries = std::bit_floor(bytes / 16 / kEntryBytes);
  const auto flows = std::clamp<std::uint64_t>(entries, 1U << 17U, 1U << 22U);
  return {.flows = static_cast<std::uint32_t>(flows),
          .half = static_cast<std::uint32_t>(std::min<std::uint64_t>(flows / 8, 1U << 17U))};
}

Sizes default_sizes() {
  struct sysinfo info {};
  if (sysinfo(&info) != 0) return sizes_for_memory(0);
  return sizes_for_memory(std::uint64_t{info.totalram} * info.mem_unit);
}

}  // namespace fw::datapath
