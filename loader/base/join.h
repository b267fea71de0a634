// SPDX-License-Identifier: GPL-2.0-only
// "a, b, c": a list in a sentence.
#pragma once

#include <string>
#include <vector>

namespace fw {

inline std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

}  // namespace fw
