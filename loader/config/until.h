// SPDX-License-Identifier: GPL-2.0-only
// Rules and doors that end by themselves. Pure: the time is an argument.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "loader/base/result.h"
#include "loader/config/model.h"

namespace fw::config {

// RFC 3339, with an offset: "2026-12-31T00:00:00Z", "2026-12-31T01:00:00+01:00".
Result<Time> parse_time(std::string_view text);
std::string to_string(Time time);  // in UTC

// The system's clock, for those who ask.
Time now();

// The policy without what has ended by `time`.
Policy in_force_at(Policy policy, Time time);
// When the next of what is in force at `time` ends.
std::optional<Time> next_end(const Policy& policy, Time time);

}  // namespace fw::config
