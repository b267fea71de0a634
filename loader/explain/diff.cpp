// SPDX-License-Identifier: GPL-2.0-only
// Every pair of units is judged under both policies, at the ports that an entry for the pair names
// and once for all others, so the cost grows with the pairs and not with the ports.
#include "loader/explain/diff.h"

#include <netinet/in.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>

#include "loader/compile/bind.h"
#include "loader/compile/offline.h"
#include "loader/config/canonical.h"
#include "loader/explain/segments.h"
#include "loader/explain/units.h"
#include "loader/explain/verdict.h"

namespace fw::explain {
namespace {

using config::PortSet;
using control::DiffReport;
using control::FlowReport;
using control::ReachChange;

// Where an allowed flow ends.
struct Target {
  bool opens = false;
  std::size_t unit = 0;  // without a door
  std::string door;      // its name; empty: none
  std::string service;   // behind the door
  std::string host;      // the door's side: "host" or an address
  int shift = 0;         // from the door's port to the service's

  auto operator<=>(const Target&) const = default;
};

// Some segments, or all but some.
struct Ports {
  bool rest = false;            // every port and protocol that is not judged by itself
  std::vector<PortSet> judged;  // with `rest`: those that are, and have not changed alike
  std::vector<PortSet> changed;

  auto operator<=>(const Ports&) const = default;
};

// The port classes that entries for two selectors name.
class Named {
 public:
  explicit Named(const compile::Image& image) : image_(image) {
    for (const auto& [key, entry] : image.policy)
      if ((key.to & FW_SEL_DOOR) == 0) classes_[pair(key.from, key.to)].push_back(key.ports);
  }

  void collect(const fw_ident& from, const fw_ident& to, std::set<std::uint32_t>& classes) const {
    for (const std::uint32_t f : {from.id, FW_SEL_ZONE | from.zone, FW_SEL_ANY})
      for (const std::uint32_t t : {to.id, FW_SEL_ZONE | to.zone, FW_SEL_ANY}) {
        const auto found = classes_.find(pair(f, t));
        if (found != classes_.end()) classes.insert(found->second.begin(), found->second.end());
      }
    classes.erase(FW_PORTS_ANY);
  }

  [[nodiscard]] std::uint32_t class_of(const PortSet& segment) const {
    if (segment.proto == Proto::kIcmp) return FW_PORTS_PING;
    if (image_.ports.empty()) return FW_PORTS_ANY;
    const auto& classes = image_.ports[segment.range.first];
    return segment.proto == Proto::kTcp ? classes.tcp : classes.udp;
  }

 private:
  static std::uint64_t pair(std::uint32_t from, std::uint32_t to) {
    return std::uint64_t{from} << 32U | to;
  }

  const compile::Image& image_;
  std::unordered_map<std::uint64_t, std::vector<std::uint32_t>> classes_;
};

class Differ {
 public:
  Differ(const World& before, const World& after)
      : units_(before, after),
        old_jury_(before),
        new_jury_(after),
        old_named_(before.image),
        new_named_(after.image),
        segments_(Segments{{&before.policy, &after.policy}}.all()) {
    for (const PortSet& segment : segments_)
      classes_.emplace_back(old_named_.class_of(segment), new_named_.class_of(segment));
  }

  DiffReport run(const std::vector<FlowReport>& flows) {
    const auto& units = units_.all();
    for (std::size_t from = 0; from < units.size(); ++from)
      for (std::size_t to = 0; to < units.size(); ++to)
        if (units[from].family() == units[to].family() &&
            (from != to || units[to].old_member.other))
          compare(from, to);
    return compress(flows);
  }

 private:
  using Reach = std::optional<Target>;

  [[nodiscard]] std::vector<PortSet> relevant(const Unit& from, const Unit& to) const {
    if (to.is_host()) return segments_;
    std::set<std::uint32_t> old_classes;
    std::set<std::uint32_t> new_classes;
    old_named_.collect(from.old_member.ident, to.old_member.ident, old_classes);
    new_named_.collect(from.new_member.ident, to.new_member.ident, new_classes);
    std::vector<PortSet> relevant;
    if (old_classes.empty() && new_classes.empty()) return relevant;
    for (std::size_t i = 0; i < segments_.size(); ++i)
      if (old_classes.contains(classes_[i].first) || new_classes.contains(classes_[i].second))
        relevant.push_back(segments_[i]);
    return relevant;
  }

  [[nodiscard]] Reach reach(Side side, std::size_t from, std::size_t to, std::uint8_t proto,
                            std::uint16_t port) const {
    const auto& units = units_.all();
    const Jury& jury = side == Side::kOld ? old_jury_ : new_jury_;
    const Verdict verdict = jury.judge(units[from].on(side), units[to].on(side), proto, port);
    if (!verdict.allowed) return std::nullopt;
    Target target;
    target.unit = to;
    if (verdict.door == nullptr) return target;
    target.unit = 0;
    target.door = verdict.door_name;
    target.service = verdict.door->service;
    target.host = verdict.door->address ? endpoint(verdict.door->address->to_string(), 0) : "host";
    target.shift = int{verdict.backend_port} - port;
    return target;
  }

  // A door may be called otherwise and still be the same door.
  static bool same(const Reach& before, const Reach& after) {
    if (!before || !after) return before.has_value() == after.has_value();
    const auto key = [](const Target& target) {
      return std::tie(target.unit, target.service, target.host, target.shift);
    };
    return key(*before) == key(*after);
  }

  void compare(std::size_t from, std::size_t to) {
    const auto ports = relevant(units_.all()[from], units_.all()[to]);
    const Reach old_rest = reach(Side::kOld, from, to, IPPROTO_GRE, 0);
    const Reach new_rest = reach(Side::kNew, from, to, IPPROTO_GRE, 0);
    const bool rest = !same(old_rest, new_rest);
    if (rest) record(from, old_rest, new_rest, nullptr);
    for (const PortSet& segment : ports) {
      const auto proto = static_cast<std::uint8_t>(segment.proto);
      const Reach before = reach(Side::kOld, from, to, proto, segment.range.first);
      const Reach after = reach(Side::kNew, from, to, proto, segment.range.first);
      const bool differs = !same(before, after);
      if (rest && differs && before == old_rest && after == new_rest) continue;  // like the rest
      if (rest) except(from, old_rest, new_rest, segment);
      if (differs) record(from, before, after, &segment);
    }
  }

  Ports& change(bool opens, std::size_t from, Target target) {
    target.opens = opens;
    return changes_[{target, from}];
  }

  void record(std::size_t from, const Reach& before, const Reach& after, const PortSet* segment) {
    for (const bool opens : {false, true}) {
      const Reach& reached = opens ? after : before;
      if (!reached) continue;
      Ports& ports = change(opens, from, *reached);
      if (segment != nullptr)
        ports.changed.push_back(*segment);
      else
        ports.rest = true;
    }
  }

  void except(std::size_t from, const Reach& before, const Reach& after, const PortSet& segment) {
    if (before) change(false, from, *before).judged.push_back(segment);
    if (after) change(true, from, *after).judged.push_back(segment);
  }

  static std::string text_of(const Ports& ports) {
    if (!ports.rest) return config::ports_text(ports.changed);
    return ports.judged.empty() ? "" : "all but " + config::ports_text(ports.judged);
  }

  static Ports shifted(Ports ports, int shift) {
    for (PortSet& set : ports.changed) {
      set.range.first = static_cast<std::uint16_t>(set.range.first + shift);
      set.range.last = static_cast<std::uint16_t>(set.range.last + shift);
    }
    return ports;
  }

  static std::string door_text(const Target& target, const Ports& ports) {
    if (target.door.empty()) return {};
    std::string list;
    std::string last;
    for (const PortSet& set : ports.changed) {
      const std::string range = set.range.to_string();
      if (range != last) list += (list.empty() ? "" : ",") + range;
      last = range;
    }
    const bool ipv6 = target.host.find(':') != std::string::npos;
    return (ipv6 ? "[" + target.host + "]" : target.host) + ":" + list;
  }

  struct Group {
    UnitSet from;
    UnitSet to;
  };
  // Changes without a door, by what is alike and the name of the sources.
  using Groups = std::map<std::tuple<Target, Ports, std::string>, Group>;

  // Lines of equal change are joined: first whoever reaches one target, then the targets.
  DiffReport compress(const std::vector<FlowReport>& flows) {
    std::map<std::tuple<Target, Ports>, UnitSet> by_target;
    for (auto& [key, ports] : changes_) {
      config::normalize(ports.changed);
      config::normalize(ports.judged);
      by_target[{key.first, ports}].insert(key.second);
    }
    Groups direct;
    DiffReport report;
    for (const auto& [key, from_units] : by_target) {
      const auto& [target, ports] = key;
      for (const Label& from : units_.labels(from_units, side_of(target))) {
        if (!target.door.empty()) {
          report.changes.push_back(door_line(target, ports, from, flows));
          continue;
        }
        Target any = target;
        any.unit = 0;
        Group& group = direct[{any, ports, from.name}];
        group.from.insert(from.units.begin(), from.units.end());
        group.to.insert(target.unit);
      }
    }
    add_direct(direct, flows, report);
    sort(report.changes);
    report.differs = !report.changes.empty();
    return report;
  }

  [[nodiscard]] ReachChange door_line(const Target& target, const Ports& ports, const Label& from,
                                      const std::vector<FlowReport>& flows) const {
    ReachChange line{target.opens,
                     from.name,
                     target.service,
                     text_of(shifted(ports, target.shift)),
                     door_text(target, ports),
                     0};
    if (!target.opens) line.live_flows = count_door(flows, target, ports, from.units);
    return line;
  }

  void add_direct(const Groups& groups, const std::vector<FlowReport>& flows,
                  DiffReport& report) const {
    for (const auto& [key, group] : groups) {
      const auto& [target, ports, name] = key;
      for (const Label& to : units_.labels(group.to, side_of(target))) {
        ReachChange line{target.opens, name, to.name, text_of(ports), {}, 0};
        if (!target.opens) line.live_flows = count_direct(flows, ports, group.from, to.units);
        report.changes.push_back(std::move(line));
      }
    }
  }

  static Side side_of(const Target& target) { return target.opens ? Side::kNew : Side::kOld; }

  // What opens first: it is what one must not overlook.
  static void sort(std::vector<ReachChange>& changes) {
    std::sort(changes.begin(), changes.end(), [](const ReachChange& a, const ReachChange& b) {
      return std::tie(b.opens, a.from, a.to, a.by, a.ports) <
             std::tie(a.opens, b.from, b.to, b.by, b.ports);
    });
  }

  [[nodiscard]] bool is_from(const FlowReport& flow, const UnitSet& units) const {
    const auto address = Address::parse(flow.original.src);
    if (!address) return false;
    const auto* unit = units_.find(*address, flow.from_zone);
    return unit != nullptr && units.contains(*unit);
  }

  static bool is_at(const FlowReport& flow, std::uint16_t port, const Ports& ports) {
    const auto inside = [&](const std::vector<PortSet>& sets) {
      return std::any_of(sets.begin(), sets.end(), [&](const PortSet& set) {
        return to_string(set.proto) == flow.proto &&
               (set.proto == Proto::kIcmp || set.range.contains(port));
      });
    };
    return ports.rest ? !inside(ports.judged) : inside(ports.changed);
  }

  [[nodiscard]] std::uint64_t count_door(const std::vector<FlowReport>& flows, const Target& target,
                                         const Ports& ports, const UnitSet& from) const {
    return static_cast<std::uint64_t>(
        std::count_if(flows.begin(), flows.end(), [&](const FlowReport& flow) {
          return flow.rule == target.door && is_at(flow, flow.original.dport, ports) &&
                 is_from(flow, from);
        }));
  }

  [[nodiscard]] std::uint64_t count_direct(const std::vector<FlowReport>& flows, const Ports& ports,
                                           const UnitSet& from, const UnitSet& to) const {
    return static_cast<std::uint64_t>(
        std::count_if(flows.begin(), flows.end(), [&](const FlowReport& flow) {
          const auto address = Address::parse(flow.original.dst);
          if (!address || !is_at(flow, flow.original.dport, ports)) return false;
          const auto* unit = units_.find(*address, flow.to_zone);
          return unit != nullptr && to.contains(*unit) && is_from(flow, from);
        }));
  }

  Units units_;
  Jury old_jury_;
  Jury new_jury_;
  Named old_named_;
  Named new_named_;
  std::vector<PortSet> segments_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> classes_;  // of the segments: old, new
  std::map<std::pair<Target, std::size_t>, Ports> changes_;       // by target and source
};

}  // namespace

DiffReport diff(const World& before, const World& after, const std::vector<FlowReport>& flows) {
  return Differ{before, after}.run(flows);
}

Result<DiffReport> diff(const config::Policy& old_policy, const config::Policy& new_policy,
                        const std::vector<FlowReport>& flows) {
  const config::Policy before = compile::with_assumed_members(old_policy);
  const config::Policy after = compile::with_assumed_members(new_policy);
  const Topology machine = compile::offline_topology({&before, &after});
  const auto old_compiled = Compiled::of(before, machine);
  if (!old_compiled) return old_compiled.error();
  const auto new_compiled = Compiled::of(after, machine);
  if (!new_compiled) return new_compiled.error();
  return diff(old_compiled->world(), new_compiled->world(), flows);
}

}  // namespace fw::explain
