// SPDX-License-Identifier: GPL-2.0-only
// May XDP redirect into this veth? Only if its other end has NAPI: without it the frame vanishes,
// with nothing but a tracepoint to tell.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace fw::datapath {

struct Veth {
  std::uint32_t index = 0;  // this end, in this network namespace
  std::string name;
  bool enable = false;  // turn GRO on at the other end if it lacks NAPI

  auto operator<=>(const Veth&) const = default;
};

struct Napi {
  bool ready = false;
  std::string why;  // "GRO is on at its other end", "its other end is down"
};

// Looks at the other ends, in whichever network namespace they are, from a thread of its own that
// moves there; the caller's namespace never changes. An end not found within `budget` is not ready.
std::map<std::uint32_t, Napi> probe_napi(const std::vector<Veth>& veths,
                                         std::chrono::milliseconds budget);

}  // namespace fw::datapath
