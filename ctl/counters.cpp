// SPDX-License-Identifier: GPL-2.0-only
// fwctl counters: what each rule, door, reason and pair of zones has seen.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "ctl/verbs.h"

namespace fw::ctl {
namespace {

using control::Count;
using control::CountersReport;

struct Row {
  Count count;
  std::string what;
};

std::string section(const std::string& title, std::vector<Row> rows, bool all, const Style& style) {
  std::ranges::sort(rows, [](const Row& a, const Row& b) {
    return a.count.packets != b.count.packets ? a.count.packets > b.count.packets : a.what < b.what;
  });
  Table table({{"PACKETS", true}, {"BYTES", true}, {title}});
  for (const auto& [count, what] : rows)
    if (all || count.packets != 0)
      table.add({std::to_string(count.packets), human_bytes(count.bytes), what});
  return table.empty() ? std::string{} : table.to_string(style) + "\n";
}

std::string over_limit(std::uint64_t packets) {
  return packets == 0 ? std::string{} : fmt::format("  (and {} over its limit)", packets);
}

std::string place(const control::RuleCounter& rule) {
  if (rule.file.empty() || rule.line == 0) return {};
  return fmt::format("  ({}:{})", rule.file, rule.line);
}

}  // namespace

std::string render(const CountersReport& report, bool all, const Style& style) {
  std::vector<Row> rules;
  std::vector<Row> doors;
  std::vector<Row> drops;
  std::vector<Row> zones;
  for (const auto& rule : report.rules)
    rules.push_back({rule.count, rule.text + place(rule) + over_limit(rule.limited)});
  for (const auto& door : report.publish)
    doors.push_back({door.count, door.name + over_limit(door.limited)});
  for (const auto& drop : report.drops) drops.push_back({drop.count, drop.reason});
  for (const auto& pair : report.zones) zones.push_back({pair.count, pair.from + " -> " + pair.to});

  std::string text = section("RULE", std::move(rules), all, style) +
                     section("PUBLISH", std::move(doors), all, style) +
                     section("DROPPED", std::move(drops), all, style) +
                     section("ZONES", std::move(zones), all, style);
  if (text.empty()) return "nothing counted yet\n";
  text.pop_back();  // the empty line after the last section
  return text;
}

void add_counters(CLI::App& fwctl, Session& session) {
  auto* counters = fwctl.add_subcommand("counters", "Packets per rule, door, reason and zone pair");
  auto all = std::make_shared<bool>(false);
  counters->add_flag("--all", *all, "Also what has counted nothing");
  counters->callback([&session, all] {
    session.query<CountersReport>({.verb = control::Verb::kCounters}, [&](const auto& report) {
      return render(report, *all, session.style());
    });
  });
}

}  // namespace fw::ctl
