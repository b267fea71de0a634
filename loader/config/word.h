// SPDX-License-Identifier: GPL-2.0-only
// A piece of a scalar that still knows where it was written.
#pragma once

#include <string_view>
#include <utility>

#include "loader/config/yaml.h"

namespace fw::config {

// A view into a node's text; the node must outlive it.
struct Word {
  const Node* node = nullptr;
  std::string_view text;

  Word() = default;
  explicit Word(const Node& whole) : node(&whole), text(whole.text) {}

  [[nodiscard]] Location where() const {
    return node->at(static_cast<std::size_t>(text.data() - node->text.data()));
  }
  [[nodiscard]] bool empty() const { return text.empty(); }
  [[nodiscard]] Word part(std::size_t start, std::size_t count = std::string_view::npos) const {
    Word result = *this;
    result.text = text.substr(start, count);
    return result;
  }
  [[nodiscard]] Word trimmed() const {
    const auto first = text.find_first_not_of(' ');
    if (first == std::string_view::npos) return part(text.size());
    return part(first, text.find_last_not_of(' ') - first + 1);
  }
  // What stands before and after the first `separator`; without one, all of it and nothing.
  [[nodiscard]] std::pair<Word, Word> split(std::string_view separator) const {
    const auto found = text.find(separator);
    if (found == std::string_view::npos) return {*this, part(text.size())};
    return {part(0, found), part(found + separator.size())};
  }
  [[nodiscard]] bool has(std::string_view what) const {
    return text.find(what) != std::string_view::npos;
  }
};

}  // namespace fw::config
