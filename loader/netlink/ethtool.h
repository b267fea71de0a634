// SPDX-License-Identifier: GPL-2.0-only
// What a driver says of an interface, by the ethtool ioctl, in the calling thread's network
// namespace.
#pragma once

#include <string>

#include "loader/base/result.h"

namespace fw::netlink {

// "" when the interface is gone or its driver has no name.
std::string driver_name(const std::string& interface);

// Generic receive offload. On a veth it decides whether the interface has NAPI.
Result<bool> gro_enabled(const std::string& interface);
Result<void> enable_gro(const std::string& interface);

}  // namespace fw::netlink
