// SPDX-License-Identifier: GPL-2.0-only
// A table of wrong policies and the messages they get.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "loader/config/parse.h"

namespace fw::config {

struct Mistake {
  const char* name;
  std::string policy;
  std::vector<std::string> messages;  // "LINE:COLUMN: MESSAGE | HINT"
};

inline std::vector<std::string> messages_of(const Parsed& parsed) {
  std::vector<std::string> messages;
  for (const auto& diagnostic : parsed.diagnostics) {
    const auto& where = diagnostic.where;
    messages.push_back(std::to_string(where.line) + ":" + std::to_string(where.column) + ": " +
                       diagnostic.message +
                       (diagnostic.hint.empty() ? "" : " | " + diagnostic.hint));
  }
  return messages;
}

class Mistakes : public testing::TestWithParam<Mistake> {};

// Keeps failure output to the name instead of gtest's dump of bytes.
inline void PrintTo(const Mistake& mistake, std::ostream* out) {
  *out << mistake.name;
}

}  // namespace fw::config
