// SPDX-License-Identifier: GPL-2.0-only
#include "loader/config/quantity.h"

#include <array>
#include <charconv>

#include "loader/config/names.h"
#include "loader/config/reader.h"

namespace fw::config {
namespace {

using std::chrono::seconds;

constexpr seconds kMaxDuration = std::chrono::days{30};

struct Unit {
  char letter;
  seconds length;
};
constexpr std::array kUnits = {Unit{'s', std::chrono::seconds{1}},
                               Unit{'m', std::chrono::minutes{1}}, Unit{'h', std::chrono::hours{1}},
                               Unit{'d', std::chrono::days{1}}};

std::optional<seconds> unit_of(std::string_view text) {
  for (const Unit& unit : kUnits)
    if (text.size() == 1 && text.front() == unit.letter) return unit.length;
  return std::nullopt;
}

// Digits, and nothing else.
std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<std::uint32_t> read_count(const Node& node, std::string_view what, std::uint32_t max,
                                        Report& report) {
  if (!is_text(node, what, report)) return std::nullopt;
  const auto count = number(node.text);
  if (count && *count >= 1 && *count <= max) return count;
  report.error(node.where, std::string{what} + " must be a number from 1 to " +
                               std::to_string(max) + ", not " + quote(node.text));
  return std::nullopt;
}

std::optional<Rate> read_rate(const Node& node, std::string_view what, Report& report) {
  if (!is_text(node, what, report)) return std::nullopt;
  const auto [times, per] = Word{node}.split(" per ");
  const auto [count, unit] = times.split("/");
  const auto number_of = number(count.trimmed().text);
  const auto length = unit_of(unit.trimmed().text);
  const bool whole = per.empty() && node.text.find(" per") == std::string::npos;
  const bool good = number_of && length && *length <= std::chrono::hours{1} &&
                    (whole || per.trimmed().text == "source");
  if (!good) {
    report.error(
        node.where,
        std::string{what} + " must be a number of new flows per time, not " + quote(node.text),
        "write 200/s, 10/m or 100/h, and ' per source' for each source by itself");
    return std::nullopt;
  }
  if (*number_of < 1 || *number_of > kMaxRate) {
    report.error(node.where, std::string{what} + " must be from 1 to " + std::to_string(kMaxRate) +
                                 ", not " + std::to_string(*number_of));
    return std::nullopt;
  }
  return Rate{*number_of, *length, !whole};
}

std::optional<seconds> read_duration(const Node& node, std::string_view what, Report& report) {
  if (!is_text(node, what, report)) return std::nullopt;
  const std::string_view text = node.text;
  const auto count = number(text.substr(0, text.size() - 1));
  const auto unit = unit_of(text.substr(text.size() - 1));
  if (!count || !unit) {
    report.error(node.where, std::string{what} + " must be a duration, not " + quote(text),
                 "write 90s, 5m, 2h or 1d");
    return std::nullopt;
  }
  const seconds duration = *count * *unit;
  if (duration < seconds{1} || duration > kMaxDuration) {
    report.error(node.where, std::string{what} + " must be from 1s to 30d, not " + quote(text));
    return std::nullopt;
  }
  return duration;
}

}  // namespace fw::config
