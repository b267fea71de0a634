// SPDX-License-Identifier: GPL-2.0-only
// A machine that a policy could be for, when nobody knows the real one: what the questions that
// need no daemon (`tests:`, `fwctl explain -f`, `fwctl diff`) are asked of. docs/decisions/0014
// says why it looks so.
#pragma once

#include <vector>

#include "loader/base/topology.h"
#include "loader/compile/image.h"
#include "loader/config/model.h"

namespace fw::compile {

// The uplinks, the interfaces of zones with a network of their own each, one container interface
// with all that is not behind those, and an address of the machine for each family. The same
// policies give the same machine; several share one, so that their images can be compared.
Topology offline_topology(const std::vector<const config::Policy*>& policies);

// A policy on that machine.
struct Offline {
  Image image;
  AccountBook book;  // what the accounts of `image` count
};
Result<Offline> compile_offline(const config::Policy& policy);

}  // namespace fw::compile
