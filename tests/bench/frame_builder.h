// SPDX-License-Identifier: GPL-2.0-only
// The frame that a generator sends, computed once: header bytes, and the checksum parts that do
// not change from flow to flow.
#pragma once

#include <cstdint>

#include "tests/bench/frame.h"
#include "tests/bench/tool.h"

namespace fw::bench {

struct Traffic {
  Endpoint source;  // of the first flow
  Endpoint destination;
  Mac source_mac{};
  Mac destination_mac{};
  std::uint32_t flows = 1;
  std::uint32_t ports = 16384;    // source ports to an address before the next address is used
  std::uint32_t frame_size = 64;  // bytes from the Ethernet header on, without the FCS
};

// Says what is wrong with the numbers: families that differ, ranges that overflow, a frame too
// small for its headers.
Result<void> validate(const Traffic& traffic);

// The payload is all zero, so it adds nothing to a checksum.
fw_bench_frame build_frame(const Traffic& traffic);

}  // namespace fw::bench
