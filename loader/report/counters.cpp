// SPDX-License-Identifier: GPL-2.0-only
#include "loader/report/counters.h"

#include <algorithm>
#include <map>

namespace fw::report {
namespace {

using compile::AccountName;
using control::Count;

struct Sums {
  std::map<std::string, Count> rules;
  std::map<std::string, Count> doors;
  std::map<std::string, Count> drops;
  std::map<std::string, Count> limited;  // of rules and doors; the drops count it by zones
  std::map<std::pair<std::string, std::string>, Count> zones;
  Count egress;
};

void add(Count& sum, const fw_account& count) {
  sum.packets += count.packets;
  sum.bytes += count.bytes;
}

Sums sum_up(const compile::AccountBook& book, const std::vector<fw_account>& counts) {
  Sums sums;
  const auto& names = book.names();
  for (std::size_t i = 0; i < std::min(names.size(), counts.size()); ++i) {
    if (counts[i].packets == 0) continue;
    const auto& name = names[i];
    if (name.kind == AccountName::Kind::kLimited) {
      add(sums.limited[name.subject], counts[i]);
      continue;
    }
    if (name.kind == AccountName::Kind::kDenied) {
      add(sums.drops[name.subject], counts[i]);
      continue;
    }
    if (name.kind == AccountName::Kind::kBlock) {
      add(sums.rules[name.subject], counts[i]);
      add(sums.drops["BLOCKED"], counts[i]);
      continue;
    }
    add(sums.zones[{name.from_zone, name.to_zone}], counts[i]);
    if (name.kind == AccountName::Kind::kRule) add(sums.rules[name.subject], counts[i]);
    if (name.kind == AccountName::Kind::kDoor) add(sums.doors[name.subject], counts[i]);
    if (name.kind == AccountName::Kind::kEgress) add(sums.egress, counts[i]);
  }
  return sums;
}

}  // namespace

control::CountersReport counters(const config::Policy& policy, const compile::AccountBook& book,
                                 const std::vector<fw_account>& counts) {
  const auto sums = sum_up(book, counts);
  const auto count_of = [](const auto& from, const std::string& name) {
    const auto found = from.find(name);
    return found == from.end() ? Count{} : found->second;
  };

  control::CountersReport report;
  for (const auto& rule : policy.rules)
    report.rules.push_back({rule.text, rule.where.file, rule.where.line,
                            count_of(sums.rules, rule.text),
                            rule.limit ? count_of(sums.limited, rule.text).packets : 0});
  for (const auto& [name, zone] : policy.zones)
    if (zone.intra_allowed) {
      std::string text = name;
      text.append(" -> ").append(name).append(" (intra)");
      report.rules.push_back(
          {text, zone.where.file, zone.where.line, count_of(sums.rules, text), 0});
    }
  if (policy.host.egress_allowed)
    report.rules.push_back({"host -> * (egress)", {}, 0, sums.egress, 0});
  for (const auto& [name, door] : policy.doors)
    report.publish.push_back(
        {name, count_of(sums.doors, name), count_of(sums.limited, name).packets});
  for (const auto& [reason, count] : sums.drops) report.drops.push_back({reason, count});
  for (const auto& [pair, count] : sums.zones)
    report.zones.push_back({pair.first, pair.second, count});
  return report;
}

}  // namespace fw::report
