// SPDX-License-Identifier: GPL-2.0-only
// What may be a name, and which name was probably meant.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fw::config {

inline constexpr std::size_t kMaxNameBytes = 63;

// Built-in zones and "any"; nothing in a policy may be called so.
bool is_reserved_name(std::string_view name);

// Why `name` cannot name a zone, service, port or door: a phrase that follows "'x' ", or "" if it
// can. A name has a letter, so that it never looks like an address or a port.
std::string name_fault(std::string_view name);

// The candidate that `word` was probably meant to be; "" when none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

// "did you mean 'services'?", or "" when no candidate is near.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

// 'text' for a message: cut when long, with nothing in it that a terminal would obey.
std::string quote(std::string_view text);

}  // namespace fw::config
