// SPDX-License-Identifier: GPL-2.0-only
#include "loader/config/until.h"

#include <ctime>
#include <regex>

#include "loader/config/names.h"

namespace fw::config {
namespace {

bool has_ended(const std::optional<Time>& until, Time time) {
  return until && *until <= time;
}

}  // namespace

Result<Time> parse_time(std::string_view text) {
  using namespace std::chrono;
  const Error wrong{quote(text) + " is not a time; write it as 2026-12-31T00:00:00Z"};
  static const std::regex kForm{
      R"((\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:[Zz]|([+-])(\d\d):(\d\d)))"};
  std::cmatch found;
  if (text.size() > 64 || !std::regex_match(text.data(), text.data() + text.size(), found, kForm))
    return wrong;
  const auto number = [&](std::size_t group) {
    return found[group].matched ? std::stoi(found[group].str()) : 0;
  };
  const year_month_day date{year{number(1)}, month{static_cast<unsigned>(number(2))},
                            day{static_cast<unsigned>(number(3))}};
  const bool leap = number(6) == 60;  // RFC 3339 allows leap seconds
  if (!date.ok() || number(4) > 23 || number(5) > 59 || (number(6) > 59 && !leap) ||
      number(8) > 23 || number(9) > 59)
    return wrong;
  const seconds offset = hours{number(8)} + minutes{number(9)};
  const Time local = sys_days{date} + hours{number(4)} + minutes{number(5)} + seconds{number(6)};
  return found[7].str() == "-" ? local + offset : local - offset;
}

std::string to_string(Time time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[sizeof("-2147481748-01-01T00:00:00Z")];
  std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

Time now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

Policy in_force_at(Policy policy, Time time) {
  std::erase_if(policy.rules, [&](const Rule& rule) { return has_ended(rule.until, time); });
  std::erase_if(policy.doors, [&](const auto& door) { return has_ended(door.second.until, time); });
  return policy;
}

std::optional<Time> next_end(const Policy& policy, Time time) {
  std::optional<Time> next;
  const auto consider = [&](const std::optional<Time>& until) {
    if (until && *until > time && (!next || *until < *next)) next = until;
  };
  for (const Rule& rule : policy.rules) consider(rule.until);
  for (const auto& [name, door] : policy.doors) consider(door.until);
  return next;
}

}  // namespace fw::config
