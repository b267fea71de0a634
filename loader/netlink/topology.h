// SPDX-License-Identifier: GPL-2.0-only
// The network of the namespace this thread runs in, read once by netlink.
#pragma once

#include "loader/base/topology.h"

namespace fw::netlink {

Result<Topology> read_topology();

}  // namespace fw::netlink
