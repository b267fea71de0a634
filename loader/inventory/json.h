// SPDX-License-Identifier: GPL-2.0-only
// Members of JSON that may be missing or of another type: an engine or nft of another version is no
// reason to show nothing.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace fw::inventory {

using Json = nlohmann::json;

// null where there is none.
inline const Json& member(const Json& object, const char* name) {
  static const Json kNothing;
  if (!object.is_object()) return kNothing;
  const auto found = object.find(name);
  return found == object.end() ? kNothing : *found;
}

// "" where it is no string.
inline std::string text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : std::string{};
}
inline std::string text(const Json& object, const char* name) {
  return text(member(object, name));
}

}  // namespace fw::inventory
