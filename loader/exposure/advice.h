// SPDX-License-Identifier: GPL-2.0-only
// What to do about a door that the policy does not name: the lines that would declare it, and how
// to close it instead.
#pragma once

#include <string>
#include <vector>

#include "loader/exposure/door.h"

namespace fw::exposure {

// Lines of a policy that name the door, for those who may use it now (`from`; none: the internet,
// for the reader to narrow). `policy` may be null.
std::vector<std::string> declaring_lines(const Door& door, const config::Policy* policy,
                                         const std::vector<std::string>& from);

// One sentence without a full stop.
std::string closing_advice(const Door& door);

}  // namespace fw::exposure
