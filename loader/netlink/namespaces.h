// SPDX-License-Identifier: GPL-2.0-only
// In which network namespace is a container, as the interfaces of this one refer to it?
#pragma once

#include <cstdint>
#include <map>

#include "loader/base/endpoints.h"
#include "loader/base/result.h"

namespace fw::netlink {

// Process of a container -> the id by which a veth here names the namespace of its other end
// (link-netnsid). A process that is gone, or in a namespace that no interface leads to, is left
// out.
Result<std::map<std::int32_t, std::int32_t>> read_namespaces(const Endpoints& endpoints);

}  // namespace fw::netlink
