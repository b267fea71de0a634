// SPDX-License-Identifier: GPL-2.0-only
// Read in one pass: a list has a million lines.
#include "loader/config/lists.h"

#include <algorithm>
#include <tuple>

namespace fw::config {
namespace {

constexpr std::string_view kBlank = " \t\r";

bool before(const Prefix& left, const Prefix& right) {
  return std::tuple{left.family(), left} < std::tuple{right.family(), right};
}

// What stands on a line beside blanks and the comment.
std::string_view content_of(std::string_view line) {
  line = line.substr(0, line.find_first_of("#;"));
  const auto first = line.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return line.substr(first, line.find_last_not_of(kBlank) - first + 1);
}

void drop_nested(std::vector<Prefix>& prefixes) {
  std::sort(prefixes.begin(), prefixes.end(), before);
  const auto end =
      std::unique(prefixes.begin(), prefixes.end(),
                  [](const Prefix& wide, const Prefix& next) { return wide.contains(next); });
  prefixes.erase(end, prefixes.end());
}

}  // namespace

std::vector<Prefix> read_list(const Attachment& list, Report& report) {
  std::vector<Prefix> prefixes;
  std::string_view rest = list.text;
  if (rest.starts_with("\xef\xbb\xbf")) rest.remove_prefix(3);
  bool shown = false;  // the text is known to the report
  for (int number = 1; !rest.empty(); ++number) {
    const auto end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const std::string_view content = content_of(line);
    if (content.empty()) continue;
    const auto prefix = Prefix::parse(content);
    if (prefix) {
      prefixes.push_back(*prefix);
      continue;
    }
    if (!std::exchange(shown, true)) report.add_text(list.name, list.text);
    report.error({list.name, number, static_cast<int>(content.data() - line.data()) + 1},
                 prefix.error().message, "a list has one address or CIDR a line");
  }
  drop_nested(prefixes);
  return prefixes;
}

}  // namespace fw::config
