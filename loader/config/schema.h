// SPDX-License-Identifier: GPL-2.0-only
// The policy language for editors: fwd.schema.json, built in.
#pragma once

#include <string_view>

namespace fw::config {

// JSON Schema, draft 2020-12. What it refuses, parse() refuses; not the other way round.
std::string_view policy_schema();

}  // namespace fw::config
