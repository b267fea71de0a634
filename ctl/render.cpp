// SPDX-License-Identifier: GPL-2.0-only
#include "ctl/render.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace fw::ctl {
namespace {

constexpr std::string_view kGap = "  ";

// Terminal columns of UTF-8 text: one for each character.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string pad(std::string_view text, std::size_t width, bool right) {
  const std::string space(width - std::min(width, width_of(text)), ' ');
  return right ? space + std::string{text} : std::string{text} + space;
}

std::string trimmed(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

}  // namespace

std::string Style::paint(const char* code, std::string_view text) const {
  return colour ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string{text};
}

std::string human_bytes(std::uint64_t bytes) {
  constexpr std::array kUnits = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  if (bytes < 1000) return fmt::format("{} B", bytes);
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  // 999.95 would be printed as 1000.0
  while (value >= 999.95 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, kUnits.at(unit));
}

std::string human_duration(std::uint64_t seconds) {
  constexpr std::uint64_t kMinute = 60;
  constexpr std::uint64_t kHour = 60 * kMinute;
  constexpr std::uint64_t kDay = 24 * kHour;
  if (seconds < kMinute) return fmt::format("{}s", seconds);
  if (seconds < kHour) return fmt::format("{}m{}s", seconds / kMinute, seconds % kMinute);
  if (seconds < kDay) return fmt::format("{}h{}m", seconds / kHour, seconds % kHour / kMinute);
  return fmt::format("{}d{}h", seconds / kDay, seconds % kDay / kHour);
}

std::string plural(std::uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string endpoint(std::string_view address, std::uint16_t port) {
  if (port == 0) return std::string{address};
  const bool ipv6 = address.find(':') != std::string_view::npos;
  return ipv6 ? fmt::format("[{}]:{}", address, port) : fmt::format("{}:{}", address, port);
}

std::vector<std::string> wrap(std::string_view text, std::size_t width) {
  std::vector<std::string> lines;
  std::string line;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    const auto word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.empty() && width_of(line) + 1 + width_of(word) > width)
      lines.push_back(std::exchange(line, {}));
    if (!line.empty()) line += ' ';
    line += word;
  }
  lines.push_back(std::move(line));
  return lines;
}

std::vector<std::size_t> Table::widths() const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t widest = width_of(columns_[i].title);
    for (const auto& row : rows_) widest = std::max(widest, width_of(row.at(i)));
    widths.push_back(widest);
  }
  return widths;
}

std::string Table::to_string(const Style& style) const {
  const auto widths = this->widths();
  const std::size_t last = columns_.size() - 1;
  std::size_t indent = 0;
  for (std::size_t i = 0; i < last; ++i) indent += widths[i] + kGap.size();

  std::string head;
  for (std::size_t i = 0; i <= last; ++i)
    head += pad(columns_[i].title, widths[i], columns_[i].right) + std::string{kGap};
  std::string text = style.bold(trimmed(head)) + "\n";

  // A narrow rest is worse than a long line.
  const std::size_t room = std::max<std::size_t>(kLineWidth - std::min(indent, kLineWidth), 30);
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < last; ++i)
      line += pad(row[i], widths[i], columns_[i].right) + std::string{kGap};
    if (columns_[last].right) {
      text += trimmed(line + pad(row[last], widths[last], true)) + "\n";
      continue;
    }
    for (const auto& part : wrap(row[last], room)) {
      text += trimmed(line + part) + "\n";
      line.assign(indent, ' ');
    }
  }
  return text;
}

}  // namespace fw::ctl
