// SPDX-License-Identifier: GPL-2.0-only
// How lines meet: one entry for each pair of selectors and port class, the strongest line wins.
#include "loader/compile/entries.h"
#include "loader/compile/limits.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace fw::compile {
namespace {

// An entry in the making: the line's place in the order of precedence stands for the line.
struct Candidate {
  fw_policy_key key;
  std::uint32_t line;

  [[nodiscard]] auto order() const { return std::tuple{key.from, key.to, key.ports, line}; }
  [[nodiscard]] bool same_key(const Candidate& other) const {
    return key.from == other.key.from && key.to == other.key.to && key.ports == other.key.ports;
  }
};

// Keeps the strongest candidate of each key.
void compact(std::vector<Candidate>& candidates) {
  std::sort(candidates.begin(), candidates.end(),
            [](const auto& left, const auto& right) { return left.order() < right.order(); });
  candidates.erase(
      std::unique(candidates.begin(), candidates.end(),
                  [](const auto& left, const auto& right) { return left.same_key(right); }),
      candidates.end());
}

Error too_many(const Line& line) {
  return {"compiling the policy: with '" + line.subject + "' its rules need more than " +
          std::to_string(kMaxPolicyEntries) +
          " table entries; name zones or wider prefixes instead of single addresses"};
}

Result<std::vector<Candidate>> expand(const std::vector<Line>& lines) {
  std::vector<Candidate> candidates;
  for (std::uint32_t i = 0; i < lines.size(); ++i) {
    const Line& line = lines[i];
    // Keys of one line are all different, so its size is known before it is expanded.
    if (line.from.size() * line.to.size() * line.ports.size() > kMaxPolicyEntries)
      return too_many(line);
    for (const std::uint32_t from : line.from)
      for (const std::uint32_t to : line.to) {
        for (const std::uint32_t ports : line.ports) candidates.push_back({{from, to, ports}, i});
        if (candidates.size() <= 2 * kMaxPolicyEntries) continue;
        compact(candidates);
        if (candidates.size() > kMaxPolicyEntries) return too_many(line);
      }
  }
  compact(candidates);
  if (candidates.size() > kMaxPolicyEntries) return too_many(lines.back());
  return candidates;
}

// The accounts of the lines, made when the first entry of a zone pair needs them.
class Accounts {
 public:
  Accounts(const std::vector<Line>& lines, const Zones& zones, const Identities& identities,
           AccountBook& book)
      : lines_(lines), zones_(zones), identities_(identities), book_(book) {}

  Result<fw_policy_entry> entry(const Candidate& candidate) {
    const Line& line = lines_[candidate.line];
    const int from = zone_or_wild(candidate.key.from, {});
    const int to = zone_or_wild(candidate.key.to, line.door_zone);

    auto known = accounts_.find({candidate.line, from, to});
    if (known == accounts_.end()) {
      const auto account = allot(book_, names(line, from, to));
      if (!account) return account.error();
      known = accounts_.emplace(std::tuple{candidate.line, from, to}, *account).first;
    }

    fw_policy_entry entry{};
    entry.account = known->second;
    entry.limit = line.limit;
    entry.verdict = line.verdict;
    if (from == kWild)
      entry.from_stride = static_cast<std::uint16_t>(to == kWild ? zones_.count() : 1);
    if (to == kWild) entry.to_stride = 1;
    return entry;
  }

 private:
  static constexpr int kWild = -1;

  [[nodiscard]] int zone_or_wild(std::uint32_t selector,
                                 const std::optional<std::uint16_t>& door_zone) const {
    if (door_zone) return *door_zone;
    return selector == FW_SEL_ANY ? kWild : identities_.zone_of(selector);
  }

  [[nodiscard]] std::vector<std::string> zones_of(int zone) const {
    if (zone == kWild) return zones_.names();
    return {zones_.names()[static_cast<std::size_t>(zone)]};
  }

  [[nodiscard]] std::vector<AccountName> names(const Line& line, int from, int to) const {
    std::vector<AccountName> names;
    for (const std::string& from_zone : zones_of(from))
      for (const std::string& to_zone : zones_of(to))
        names.push_back({line.kind, line.subject, from_zone, to_zone});
    return names;
  }

  const std::vector<Line>& lines_;
  const Zones& zones_;
  const Identities& identities_;
  AccountBook& book_;
  std::map<std::tuple<std::uint32_t, int, int>, std::uint32_t> accounts_;
};

std::uint8_t verdict_of(config::RuleKind kind) {
  switch (kind) {
    case config::RuleKind::kAdmin:
      return FW_ADMIT;
    case config::RuleKind::kBlock:
      return FW_BLOCK;
    case config::RuleKind::kAllow:
      break;
  }
  return FW_ALLOW;
}

AccountName::Kind account_kind_of(config::RuleKind kind) {
  return kind == config::RuleKind::kBlock ? AccountName::Kind::kBlock : AccountName::Kind::kRule;
}

// 0 identity (or door), 1 zone, 2 any: maps/policy.h.
unsigned level_of(std::uint32_t selector) {
  if (selector == FW_SEL_ANY) return 2;
  return (selector & FW_SEL_ZONE) != 0 ? 1 : 0;
}

}  // namespace

Result<std::uint32_t> allot(AccountBook& book, const std::vector<AccountName>& names,
                            std::uint32_t max) {
  const std::uint32_t first = book.block(names);
  if (book.size() > max)
    return Error{
        "compiling the policy: its counters, with those of earlier policies, are more than " +
        std::to_string(max) +
        "; write fewer rules with '*', or run `fwctl teardown` and start fwd anew to drop "
        "the counters of earlier policies"};
  return first;
}

std::vector<Line> lines_of_rules(const config::Policy& policy, const Zones& zones,
                                 const Identities& identities, const PortClasses& ports) {
  std::vector<Line> lines;
  lines.reserve(policy.rules.size());
  for (const config::Rule& rule : policy.rules)
    lines.push_back(
        {verdict_of(rule.kind), account_kind_of(rule.kind), rule.text,
         rule.list ? identities.selectors(rule.from, *rule.list) : identities.selectors(rule.from),
         identities.selectors(rule.to), ports.classes(rule.ports), std::nullopt, rule.limit});
  for (const auto& [name, zone] : policy.zones) {
    if (!zone.intra_allowed) continue;
    const std::vector<std::uint32_t> members{FW_SEL_ZONE | zones[name]};
    std::string text = name;
    text.append(" -> ").append(name).append(" (intra)");
    lines.push_back({FW_ALLOW,
                     AccountName::Kind::kRule,
                     std::move(text),
                     members,
                     members,
                     {FW_PORTS_ANY},
                     std::nullopt});
  }
  return lines;
}

Result<Entries> entries_of_lines(std::vector<Line> lines, const Zones& zones,
                                 const Identities& identities, AccountBook& book) {
  // A total order, so that the order of the file cannot matter.
  std::sort(lines.begin(), lines.end(), [](const Line& left, const Line& right) {
    const int strength = int{right.verdict} - int{left.verdict};
    if (strength != 0) return strength < 0;
    if (cost_of(left.rate) != cost_of(right.rate)) return cost_of(left.rate) > cost_of(right.rate);
    return std::tie(left.kind, left.subject, left.from, left.to, left.ports) <
           std::tie(right.kind, right.subject, right.from, right.to, right.ports);
  });
  static_assert(FW_ADMIT > FW_BLOCK && FW_BLOCK > FW_ALLOW);

  const auto candidates = expand(lines);
  if (!candidates) return candidates.error();
  Accounts accounts{lines, zones, identities, book};
  Entries entries;
  entries.reserve(candidates->size());
  for (const Candidate& candidate : *candidates) {
    const auto entry = accounts.entry(candidate);
    if (!entry) return entry.error();
    entries.emplace_back(candidate.key, *entry);
  }
  return entries;
}

void set_levels(const Entries& entries, fw_generation& parameters) {
  for (const auto& [key, entry] : entries) {
    const bool door = (key.to & FW_SEL_DOOR) != 0;
    const unsigned to = door ? 0 : level_of(key.to);
    const std::uint32_t bit =
        FW_LEVEL_BIT(level_of(key.from), to, (key.ports == FW_PORTS_ANY ? 1U : 0U));
    if (door)
      parameters.door_levels |= bit;
    else if (entry.verdict == FW_ADMIT)
      parameters.admit_levels |= bit;
    else if (entry.verdict == FW_BLOCK)
      parameters.block_levels |= bit;
    else
      parameters.allow_levels |= bit;
  }
}

}  // namespace fw::compile
