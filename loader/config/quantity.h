// SPDX-License-Identifier: GPL-2.0-only
// Numbers with units: how many, how often, how long.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "loader/config/diagnostic.h"
#include "loader/config/model.h"
#include "loader/config/yaml.h"

namespace fw::config {

inline constexpr std::uint32_t kMaxRate = 1'000'000;

// Each returns nothing after reporting what is wrong. `what` names the value in the message.

// A whole number from 1 to `max`.
std::optional<std::uint32_t> read_count(const Node& node, std::string_view what, std::uint32_t max,
                                        Report& report);
// "200/s", "10/m per source".
std::optional<Rate> read_rate(const Node& node, std::string_view what, Report& report);
// "90s", "5m", "2h", "1d".
std::optional<std::chrono::seconds> read_duration(const Node& node, std::string_view what,
                                                  Report& report);

}  // namespace fw::config
