// SPDX-License-Identifier: GPL-2.0-only
// YAML text as a tree in which everything knows where it was written.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "loader/config/diagnostic.h"

namespace fw::config {

struct Entry;

// One value of the tree. It belongs to no file, so trees of several files can be merged.
struct Node {
  // kInvalid: a mistake here has been reported already; readers pass over it.
  enum class Kind { kNull, kScalar, kSequence, kMap, kInvalid };

  Kind kind = Kind::kNull;
  Location where;       // of its first character; a null's is its key's
  std::string text;     // of a scalar
  bool plain = false;   // a scalar without quotes, so that `true` is a boolean and "true" is not
  int text_column = 0;  // where `text` starts, if it stands on that line as it is; else 0
  std::vector<Node> items;     // of a sequence
  std::vector<Entry> entries;  // of a map, in the order of the file; keys are scalars, and unique

  // Where the character `offset` of `text` is, as far as that can be told.
  [[nodiscard]] Location at(std::size_t offset) const;
};

struct Entry {
  Node key;
  Node value;
};

// Columns count bytes from 1, as compilers do. Of YAML 1.2 this takes the part that says the same
// to every reader: one document, no anchors, aliases, merge keys, tags or tabs that indent, and at
// most kMaxDepth levels. Unset when nothing can be made of the text; then `report` says why.
inline constexpr int kMaxDepth = 16;
std::optional<Node> read_yaml(const Source& source, Report& report);

}  // namespace fw::config
