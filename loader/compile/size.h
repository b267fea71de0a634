// SPDX-License-Identifier: GPL-2.0-only
// How large is a compiled policy? What `fwctl check -v` shows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "loader/compile/image.h"

namespace fw::compile {

struct MapSize {
  std::string name;  // of the map in bpf/
  std::size_t entries = 0;
  std::size_t bytes = 0;  // of its keys and values; what the kernel adds for each is not in it
};

struct ImageSize {
  std::vector<MapSize> maps;  // those that a policy swap fills
  std::size_t identities = 0;
  std::size_t port_classes = 0;
  std::size_t counters = 0;
};

ImageSize size_of(const Image& image, const AccountBook& accounts);

}  // namespace fw::compile
