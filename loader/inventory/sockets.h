// SPDX-License-Identifier: GPL-2.0-only
// The sockets of the calling thread's network namespace that wait for somebody, by sock_diag(7).
#pragma once

#include <cstdint>
#include <vector>

#include "loader/base/result.h"
#include "loader/inventory/inventory.h"

namespace fw::inventory {

struct Socket {
  Listener listener;
  std::uint32_t interface = 0;  // ifindex; 0: not bound to one
  std::uint64_t inode = 0;      // 0: the kernel's own
};

// Needs no privilege. Listening TCP, and bound UDP without a peer, of both families.
Result<std::vector<Socket>> read_sockets();

}  // namespace fw::inventory
