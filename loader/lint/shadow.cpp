// SPDX-License-Identifier: GPL-2.0-only
// Which lines have no effect because of others? Asked of the keys that the compiler makes of each
// line, so that "wider" means what it means to the kernel.
//
// A key is covered by one that is wider, or equal and of an earlier line. Wider is a partial order,
// so all lines that are reported may be removed together: what covers them stays. A line that ends
// or has a limit covers nothing: what it decides now, the other one decides later, or beyond it.
#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <unordered_map>

#include "loader/compile/compile.h"
#include "loader/compile/entries.h"
#include "loader/compile/identities.h"
#include "loader/compile/offline.h"
#include "loader/compile/ports.h"
#include "loader/compile/zones.h"
#include "loader/config/names.h"
#include "loader/lint/lints.h"

namespace fw::lint {
namespace {

using compile::Line;
using config::Door;
using config::Location;
using config::PortSet;
using config::Rule;

constexpr std::uint32_t kNobody = UINT32_MAX;
constexpr std::size_t kVerdicts = FW_ADMIT + 1;
constexpr const char* kBlockWins =
    "a block beats every allow and every door; remove one of the two";

struct KeyHash {
  std::size_t operator()(const fw_policy_key& key) const noexcept {
    std::uint64_t mixed = (std::uint64_t{key.from} << 32U | key.to) * 0x9e3779b97f4a7c15U;
    mixed = (mixed ^ key.ports) * 0xff51afd7ed558ccdU;
    return static_cast<std::size_t>(mixed ^ (mixed >> 32U));
  }
};
struct KeyEqual {
  bool operator()(const fw_policy_key& a, const fw_policy_key& b) const noexcept {
    return a.from == b.from && a.to == b.to && a.ports == b.ports;
  }
};

unsigned level_of(std::uint32_t selector) {
  if (selector == FW_SEL_ANY) return 2;
  return (selector & FW_SEL_ZONE) != 0 ? 1 : 0;
}

// The lines of a policy by their keys, and which shapes of keys there are.
class Index {
 public:
  // `lasting`, by line: decides for good, and without a limit. Only such a line covers another.
  Index(const std::vector<Line>& lines, const std::vector<bool>& lasting,
        const compile::Identities& identities, bool strangers)
      : lines_(lines), identities_(identities), strangers_(strangers) {
    for (std::uint32_t i = 0; i < lines.size(); ++i)
      if (lasting[i]) add(i);
  }

  // A line with that verdict which decides all flows of `key`: an earlier one where the keys are
  // equal, unless `line` is kNobody.
  [[nodiscard]] std::uint32_t cover(std::uint8_t verdict, const fw_policy_key& key,
                                    std::uint32_t line) const {
    for (const std::uint32_t from : wider(key.from, strangers_))
      for (const std::uint32_t to : wider(key.to, false))
        for (const std::uint32_t ports : {key.ports, FW_PORTS_ANY}) {
          const fw_policy_key tried{from, to, ports};
          if ((levels_.at(verdict) & shape(tried)) == 0) continue;
          const auto found = first_.find(tried);
          if (found == first_.end() || found->second.at(verdict) == kNobody) continue;
          const std::uint32_t owner = found->second.at(verdict);
          const bool own_key = KeyEqual{}(tried, key) && line != kNobody &&
                               lines_[line].verdict == verdict && owner >= line;
          if (!own_key) return owner;
        }
    return kNobody;
  }

 private:
  static std::uint32_t shape(const fw_policy_key& key) {
    const unsigned ports = key.ports == FW_PORTS_ANY ? 1U : 0U;
    return FW_LEVEL_BIT(level_of(key.from), level_of(key.to), ports);
  }

  void add(std::uint32_t number) {
    const Line& line = lines_[number];
    for (const std::uint32_t from : line.from)
      for (const std::uint32_t to : line.to)
        for (const std::uint32_t ports : line.ports) {
          const fw_policy_key key{from, to, ports};
          levels_.at(line.verdict) |= shape(key);
          auto& owners =
              first_.try_emplace(key, Owners{kNobody, kNobody, kNobody, kNobody}).first->second;
          owners.at(line.verdict) = std::min(owners.at(line.verdict), number);
        }
  }

  // `selector` and all that contain it; repeated where there are fewer than three. A stranger of
  // the internet may come by a zone's interface, and is of that zone then.
  [[nodiscard]] std::array<std::uint32_t, FW_LEVEL_SELECTORS> wider(std::uint32_t selector,
                                                                    bool strangers) const {
    if (level_of(selector) > 0) return {selector, selector, FW_SEL_ANY};
    const std::uint16_t zone = identities_.zone_of(selector);
    if (strangers && zone == FW_ZONE_INTERNET) return {selector, selector, FW_SEL_ANY};
    return {selector, FW_SEL_ZONE | zone, FW_SEL_ANY};
  }

  using Owners = std::array<std::uint32_t, kVerdicts>;  // by verdict: the first line with this key

  const std::vector<Line>& lines_;
  const compile::Identities& identities_;
  bool strangers_;
  std::array<std::uint32_t, kVerdicts> levels_{};
  std::unordered_map<fw_policy_key, Owners, KeyHash, KeyEqual> first_;
};

// What a line is called.
struct Origin {
  const char* section;  // "host.admin ", or nothing
  std::string text;
  Location where;
};

const char* section_of(config::RuleKind kind) {
  switch (kind) {
    case config::RuleKind::kAdmin:
      return "host.admin ";
    case config::RuleKind::kBlock:
      return "block ";
    case config::RuleKind::kAllow:
      break;
  }
  return "";
}

class Shadows {
 public:
  Shadows(const config::Policy& policy, const compile::Zones& zones,
          const compile::Identities& identities, const compile::PortClasses& ports,
          config::Report& report)
      : policy_(policy),
        identities_(identities),
        ports_(ports),
        report_(report),
        lines_(order(policy, compile::lines_of_rules(policy, zones, identities, ports))),
        index_(lines_, lasting(), identities, has_strangers(policy)) {}

  void run() {
    for (std::size_t i = 0; i < policy_.rules.size(); ++i)
      rule(policy_.rules[i], static_cast<std::uint32_t>(intra_ + i));
    for (const auto& [name, door] : policy_.doors) this->door(name, door);
  }

 private:
  using Owners = std::set<std::uint32_t>;
  using Verdicts = std::vector<std::uint8_t>;

  static bool has_strangers(const config::Policy& policy) {
    return std::any_of(policy.zones.begin(), policy.zones.end(),
                       [](const auto& zone) { return !zone.second.interfaces.empty(); });
  }

  // `intra: allow` first: where a rule repeats it, the rule is the superfluous one.
  std::vector<Line> order(const config::Policy& policy, std::vector<Line> lines) {
    for (const Rule& rule : policy.rules)
      origins_.push_back({section_of(rule.kind), rule.text, rule.where});
    for (const auto& [name, zone] : policy.zones)
      if (zone.intra_allowed) origins_.push_back({"", "intra: allow", zone.where});
    const auto rules = static_cast<std::ptrdiff_t>(policy.rules.size());
    std::rotate(origins_.begin(), origins_.begin() + rules, origins_.end());
    std::rotate(lines.begin(), lines.begin() + rules, lines.end());
    intra_ = lines.size() - policy.rules.size();
    return lines;
  }

  [[nodiscard]] std::vector<bool> lasting() const {
    std::vector<bool> lasting(intra_, true);
    for (const Rule& rule : policy_.rules) lasting.push_back(!rule.until && !rule.limit);
    return lasting;
  }

  // The lines that decide all flows of a line, by the first of `verdicts` that has one; unset when
  // some flow is left to the line itself.
  [[nodiscard]] std::optional<Owners> decided_by(std::uint32_t number,
                                                 const Verdicts& verdicts) const {
    const Line& line = lines_[number];
    Owners owners;
    for (const std::uint32_t from : line.from)
      for (const std::uint32_t to : line.to)
        for (const std::uint32_t ports : line.ports) {
          std::uint32_t owner = kNobody;
          for (const std::uint8_t verdict : verdicts)
            if (owner == kNobody) owner = index_.cover(verdict, {from, to, ports}, number);
          if (owner == kNobody) return std::nullopt;
          if (owner != number) owners.insert(owner);
        }
    if (owners.empty()) return std::nullopt;  // an empty zone's
    return owners;
  }

  void rule(const Rule& rule, std::uint32_t number) {
    const std::string text = config::quote(rule.text);
    const auto find = [&](const char* what, const Verdicts& verdicts, const char* hint) {
      const auto owners = decided_by(number, verdicts);
      if (owners) warn(rule.where, text + what, *owners, hint);
      return owners.has_value();
    };
    constexpr const char* kSuperfluous =
        "remove it; or narrow the wider line, if that says too much";
    switch (rule.kind) {
      case config::RuleKind::kAllow:
        find(" never lets anything through", {FW_BLOCK}, kBlockWins) ||
            find(" changes nothing",
                 rule.limit ? Verdicts{FW_ADMIT, FW_BLOCK} : Verdicts{FW_ADMIT, FW_ALLOW, FW_BLOCK},
                 kSuperfluous);
        return;
      case config::RuleKind::kBlock:
        find(" blocks nothing", {FW_ADMIT}, "host.admin beats every block; narrow its flow") ||
            find(" changes nothing", {FW_ADMIT, FW_BLOCK}, kSuperfluous);
        return;
      case config::RuleKind::kAdmin:
        find(" changes nothing", {FW_ADMIT}, kSuperfluous);
    }
  }

  // A door is judged by what clients connect to and by where it leads; either may be blocked.
  void door(const std::string& name, const Door& door) {
    Owners owners;
    for (const std::uint32_t from : identities_.selectors(door.from))
      for (const Door::Mapping& mapping : door.mappings)
        if (!blocked(from, door, mapping, owners)) return;
    warn(door.where, "door " + config::quote(name) + " lets nobody in", owners, kBlockWins);
  }

  bool blocked(std::uint32_t from, const Door& door, const Door::Mapping& mapping,
               Owners& owners) const {
    const config::Peer host = config::ZoneRef{"host"};
    const config::Peer service = config::ServiceRef{door.service};
    return blocked(from, host, {mapping.proto, mapping.host}, owners) ||
           blocked(from, service, {mapping.proto, mapping.target}, owners);
  }

  bool blocked(std::uint32_t from, const config::Peer& to, const PortSet& port,
               Owners& owners) const {
    auto classes = ports_.classes({port});
    // A port that no rule names is in no class: only a block of every port covers it. A range may
    // hold such ports.
    if (classes.empty() || port.range.size() > 1) classes.push_back(FW_PORTS_ANY);
    Owners found;
    for (const std::uint32_t selector : identities_.selectors({to}))
      for (const std::uint32_t ports : classes) {
        const std::uint32_t owner = index_.cover(FW_BLOCK, {from, selector, ports}, kNobody);
        if (owner == kNobody) return false;
        found.insert(owner);
      }
    owners.merge(found);
    return true;
  }

  void warn(const Location& where, const std::string& what, const Owners& owners,
            const char* hint) {
    constexpr std::size_t kNamed = 3;
    std::string names;
    std::size_t count = 0;
    for (const std::uint32_t owner : owners) {
      if (count++ == kNamed) break;
      const Origin& origin = origins_[owner];
      names +=
          (names.empty() ? "" : ", ") + (origin.section + called(origin.text, origin.where, where));
    }
    if (owners.size() > kNamed) names += " and " + std::to_string(owners.size() - kNamed) + " more";
    report_.warning(where, what + ", for all of it is decided by " + names, hint);
  }

  const config::Policy& policy_;
  const compile::Identities& identities_;
  const compile::PortClasses& ports_;
  config::Report& report_;
  std::size_t intra_ = 0;        // lines of `intra: allow`, before those of rules
  std::vector<Origin> origins_;  // by line
  std::vector<Line> lines_;
  Index index_;
};

}  // namespace

void shadowed_lines(const config::Policy& policy, config::Report& report) {
  const auto zones = compile::Zones::number(policy);
  const auto ports = compile::PortClasses::of_rules(policy.rules);
  if (!zones || !ports) return;  // a policy that exceeds a limit is refused elsewhere
  const Topology machine = compile::offline_topology({&policy});
  const auto placement = compile::place(policy, machine);
  const compile::Identities identities{policy, *zones, machine, placement};
  Shadows{policy, *zones, identities, *ports, report}.run();
}

}  // namespace fw::lint
