// SPDX-License-Identifier: GPL-2.0-only
// Which processes hold a socket, by /proc.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "loader/inventory/inventory.h"

namespace fw::inventory {

// Socket inode -> who has it open: each name once, with its lowest pid, as a server's first process
// is. Without root, those of the same user only.
std::map<std::uint64_t, std::vector<Process>> socket_owners(const std::string& proc = "/proc");

// The 64 hexadecimal digits in a text of /proc/PID/cgroup that name a container; "" without any.
std::string container_in_cgroup(std::string_view cgroup);

}  // namespace fw::inventory
