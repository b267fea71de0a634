// SPDX-License-Identifier: GPL-2.0-only
// Random policies for the machine of datapath_fixture.h, and random first packets of flows on it.
#pragma once

#include <cstdint>
#include <random>
#include <string>

#include "loader/compile/judge.h"
#include "tests/support/datapath_fixture.h"

namespace fw::test {

using Random = std::mt19937;

// The same seed gives the same policy. The parser may refuse it: a door may be declared twice.
std::string random_policy(Random& random);

struct ModelProbe {
  At at = At::kTcUp;
  compile::Probe probe;
  Bytes frame;
};

// `number` makes the flow unlike all others of the same policy, where its protocol has ports.
ModelProbe random_probe(Random& random, const compile::Image& image, std::uint16_t number);

}  // namespace fw::test
