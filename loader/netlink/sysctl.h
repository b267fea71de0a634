// SPDX-License-Identifier: GPL-2.0-only
// The kernel settings without which an interface forwards nothing.
#pragma once

#include <string>

#include "loader/base/result.h"

namespace fw::netlink {

// Turns IPv4 and IPv6 forwarding on for one interface, and keeps router advertisements working on
// it (a forwarding interface ignores them unless accept_ra is 2). Writes only what differs. A
// missing file (no IPv6, or the interface is gone) is no error.
Result<void> enable_forwarding(const std::string& interface,
                               const std::string& root = "/proc/sys/net");

}  // namespace fw::netlink
