// SPDX-License-Identifier: GPL-2.0-only
// How things look in a terminal: tables, sizes, durations, colour.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fw::ctl {

// Lines are wrapped here where they can be; an address is never cut.
inline constexpr std::size_t kLineWidth = 100;

// Colour never carries meaning alone: the word stands there too.
struct Style {
  bool colour = false;

  [[nodiscard]] std::string good(std::string_view text) const { return paint("32", text); }
  [[nodiscard]] std::string bad(std::string_view text) const { return paint("1;31", text); }
  [[nodiscard]] std::string bold(std::string_view text) const { return paint("1", text); }
  [[nodiscard]] std::string faint(std::string_view text) const { return paint("2", text); }

 private:
  [[nodiscard]] std::string paint(const char* code, std::string_view text) const;
};

std::string human_bytes(std::uint64_t bytes);       // "999 B", "1.2 MB": powers of 1000
std::string human_duration(std::uint64_t seconds);  // "45s", "1h59m", "3d4h"
std::string plural(std::uint64_t count, std::string_view noun);      // "1 rule", "2 rules"
std::string endpoint(std::string_view address, std::uint16_t port);  // "[2001:db8::1]:80"

// Columns as wide as their widest cell; the last one wraps at kLineWidth between words.
class Table {
 public:
  struct Column {
    std::string title;
    bool right = false;  // numbers
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  [[nodiscard]] std::string to_string(const Style& style) const;

 private:
  [[nodiscard]] std::vector<std::size_t> widths() const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// Breaks text between words so that no line is longer than `width` (a longer word stays whole).
std::vector<std::string> wrap(std::string_view text, std::size_t width);

}  // namespace fw::ctl
