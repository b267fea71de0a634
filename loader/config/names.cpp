// SPDX-License-Identifier: GPL-2.0-only
// Names: which are legal, and how far one is from another.
#include "loader/config/names.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <numeric>

namespace fw::config {
namespace {

constexpr std::size_t kMaxQuotedBytes = 80;
// A word longer than any name is not a slip of the finger, and would make the search slow.
constexpr std::size_t kMaxGuessBytes = 2 * kMaxNameBytes;

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_name_char(char c) {
  return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
}

std::string lower(std::string_view text) {
  std::string result{text};
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

// Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> above(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(above.begin(), above.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

std::size_t apart(std::size_t a, std::size_t b) {
  return a > b ? a - b : b - a;
}

}  // namespace

bool is_reserved_name(std::string_view name) {
  return name == "host" || name == "internet" || name == "none" || name == "*";
}

std::string name_fault(std::string_view name) {
  if (name.empty()) return "is not a name";
  if (name.size() > kMaxNameBytes) {
    return "is too long for a name; the most is " + std::to_string(kMaxNameBytes) + " characters";
  }
  if (!std::all_of(name.begin(), name.end(), is_name_char)) {
    return "is not a name; names are made of letters, digits, '_', '.' and '-'";
  }
  if (std::none_of(name.begin(), name.end(), is_letter)) {
    return "looks like an address or a port; a name needs a letter";
  }
  return "";
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  if (word.empty() || word.size() > kMaxGuessBytes) return "";
  const std::string wanted = lower(word);
  std::size_t best = std::max<std::size_t>(1, wanted.size() / 3) + 1;
  std::string found;
  for (const std::string& candidate : candidates) {
    if (apart(candidate.size(), wanted.size()) >= best) continue;
    const std::size_t far = distance(wanted, lower(candidate));
    // What shares no letter is never what was meant ("a" for "b").
    if (far >= best || far >= std::max(wanted.size(), candidate.size())) continue;
    best = far;
    found = candidate;
  }
  return found;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string meant = nearest(word, candidates);
  return meant.empty() ? "" : "did you mean " + quote(meant) + "?";
}

std::string quote(std::string_view text) {
  static constexpr std::array kHex = {'0', '1', '2', '3', '4', '5', '6', '7',
                                      '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'};
  std::string result = "'";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool continues = (byte & 0xc0) == 0x80;
    if (i >= kMaxQuotedBytes && !continues) return result + "...'";
    // U+0080 to U+009F are controls too; in UTF-8 they start with c2.
    const bool c1 =
        byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if (byte >= 0x20 && byte != 0x7f && !c1) {
      result += text[i];
      continue;
    }
    const unsigned value = c1 ? static_cast<unsigned char>(text[++i]) : byte;
    result += "\\x";
    result += kHex[value >> 4];
    result += kHex[value & 15];
  }
  return result + "'";
}

}  // namespace fw::config
