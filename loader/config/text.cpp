// SPDX-License-Identifier: GPL-2.0-only
// The checks that come before YAML: size, encoding, tabs, and a bound on nesting.
#include "loader/config/text.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "loader/config/names.h"

namespace fw::config {
namespace {

// Brackets and dashes are counted without knowing which of them stand in quotes, so the bound is
// far above the 16 levels of the language (read_yaml holds that one) and far below what recursion
// stands.
constexpr int kMaxBrackets = 200;

Location location_of(const Source& source, std::size_t offset) {
  const std::string_view before = std::string_view{source.text}.substr(0, offset);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const auto newline = before.rfind('\n');
  std::size_t start = newline == std::string_view::npos ? 0 : newline + 1;
  if (start == 0 && before.starts_with("\xef\xbb\xbf")) start = 3;
  return {source.name, static_cast<int>(line), static_cast<int>(offset - start) + 1};
}

// Bytes of the UTF-8 sequence at the start of `text`; 0 if it is not one (overlong and surrogate
// forms included).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) -> std::uint32_t {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const std::uint32_t first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4) return 0;
  std::uint32_t point = first & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    point = point << 6 | (byte(i) & 0x3f);
  }
  static constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = point >= 0xd800 && point <= 0xdfff;
  return point < kSmallest[length] || surrogate || point > 0x10ffff ? 0 : length;
}

bool is_control(std::string_view text, std::size_t i) {
  const auto byte = static_cast<unsigned char>(text[i]);
  if (byte == '\r') return i + 1 >= text.size() || text[i + 1] != '\n';
  return (byte < 0x20 && byte != '\t' && byte != '\n') || byte == 0x7f;
}

bool check_encoding(const Source& source, Report& report) {
  const std::string_view text = source.text;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_length(text.substr(i));
    if (length == 0) {
      report.error(location_of(source, i), "the policy is not UTF-8 text",
                   "save the file as UTF-8");
      return false;
    }
    if (is_control(text, i)) {
      report.error(location_of(source, i),
                   "the policy holds the control character " + quote(text.substr(i, 1)),
                   "a policy is plain text; is this the right file?");
      return false;
    }
    i += length;
  }
  return true;
}

// A tab counts as indentation when only spaces, tabs and list dashes stand before it on its line.
std::optional<std::size_t> indenting_tab(std::string_view line) {
  const auto content = line.find_first_not_of(" \t-");
  if (content == std::string_view::npos || line[content] == '#' || line[content] == '\r') {
    return std::nullopt;
  }
  const auto tab = line.find('\t');
  return tab < content ? std::optional{tab} : std::nullopt;
}

// Calls `visit(line, offset)` until it returns false.
template <class Visit>
void for_each_line(std::string_view text, Visit visit) {
  for (std::size_t start = 0; start < text.size();) {
    const auto end = std::min(text.find('\n', start), text.size());
    if (!visit(text.substr(start, end - start), start)) return;
    start = end + 1;
  }
}

void check_tabs(const Source& source, Report& report) {
  for_each_line(source.text, [&](std::string_view line, std::size_t offset) {
    const auto tab = indenting_tab(line);
    if (!tab) return true;
    report.error(location_of(source, offset + *tab), "a tab cannot indent YAML",
                 "indent with spaces");
    return false;
  });
}

bool check_nesting(const Source& source, Report& report) {
  int open = 0;
  std::optional<std::size_t> deep;
  for_each_line(source.text, [&](std::string_view line, std::size_t offset) {
    int here = 0;  // "- - - x" and "? ? ? x" nest on one line
    for (std::size_t i = 0; i < line.size() && !deep; ++i) {
      const char c = line[i];
      if (c == '#' && (i == 0 || line[i - 1] == ' ' || line[i - 1] == '\t')) break;
      if (c == '[' || c == '{') ++open;
      if ((c == ']' || c == '}') && open > 0) --open;
      const bool mark = c == '-' || c == '?' || c == ':';
      if (mark && i + 1 < line.size() && line[i + 1] == ' ') ++here;
      if (open > kMaxBrackets || here > kMaxBrackets) deep = offset + i;
    }
    return !deep;
  });
  if (!deep) return true;
  report.error(location_of(source, *deep), "the policy is nested too deeply to be read",
               "a policy needs about five levels");
  return false;
}

}  // namespace

bool check_text(const Source& source, Report& report) {
  const Location file{source.name, 0, 0};
  if (source.text.size() > kMaxPolicyBytes) {
    report.error(file, "the policy has " + std::to_string(source.text.size()) +
                           " bytes; the most that is read is " + std::to_string(kMaxPolicyBytes));
    return false;
  }
  if (source.text.find_first_not_of(" \t\r\n") == std::string::npos) {
    report.error(file, "the policy is empty", "the least that a policy says is 'version: 1'");
    return false;
  }
  if (!check_encoding(source, report)) return false;
  check_tabs(source, report);
  return check_nesting(source, report) && !report.has_errors();
}

}  // namespace fw::config
