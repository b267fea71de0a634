// SPDX-License-Identifier: GPL-2.0-only
// One sweep over each protocol's ports: where the set of rules that name the port changes, a new
// class begins, or an earlier one of the same set goes on.
#include "loader/compile/ports.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <utility>

namespace fw::compile {
namespace {

using config::PortSet;

// Names a set of port sets: the XOR of its members' 128-bit marks. Each member is entered once, so
// adding and removing one is the same operation.
struct Mark {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  Mark& operator^=(const Mark& other) {
    high ^= other.high;
    low ^= other.low;
    return *this;
  }
  auto operator<=>(const Mark&) const = default;
};

// splitmix64 (Steele, Lea and Flood, OOPSLA 2014): well-mixed bits from a counter.
std::uint64_t mix(std::uint64_t counter) {
  std::uint64_t z = counter * 0x9e3779b97f4a7c15U;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31U);
}

// Sorted, and overlapping or touching ranges joined: equal sets of ports become equal values.
std::vector<PortSet> canonical(std::vector<PortSet> ports) {
  std::sort(ports.begin(), ports.end());
  std::vector<PortSet> joined;
  for (const PortSet& next : ports) {
    if (!joined.empty() && joined.back().proto == next.proto &&
        next.range.first <= unsigned{joined.back().range.last} + 1)
      joined.back().range.last = std::max(joined.back().range.last, next.range.last);
    else
      joined.push_back(next);
  }
  return joined;
}

std::size_t index_of(Proto proto) {
  return proto == Proto::kTcp ? 0 : 1;
}

// At which port which marks come or go.
using Edges = std::map<std::uint32_t, Mark>;

std::array<Edges, 2> edges_of(const config::Policy& policy) {
  std::set<std::vector<PortSet>> distinct;
  for (const config::Rule& rule : policy.rules) distinct.insert(canonical(rule.ports));
  for (const auto& [name, door] : policy.doors) distinct.insert(canonical(door.targets()));

  std::array<Edges, 2> edges;
  std::uint64_t counter = 0;
  for (const auto& ports : distinct) {
    const Mark mark{mix(++counter), mix(++counter)};
    for (const PortSet& set : ports) {
      if (set.proto == Proto::kIcmp) continue;
      Edges& of_proto = edges[index_of(set.proto)];
      of_proto[set.range.first] ^= mark;
      of_proto[std::uint32_t{set.range.last} + 1] ^= mark;
    }
  }
  return edges;
}

}  // namespace

Result<PortClasses> PortClasses::of_policy(const config::Policy& policy) {
  PortClasses classes;
  const auto edges = edges_of(policy);
  std::uint32_t next = FW_PORTS_USER;
  for (std::size_t proto = 0; proto < edges.size(); ++proto) {
    std::map<Mark, std::uint32_t> numbers;  // one number space, but no class of both protocols
    Mark current;
    for (auto edge = edges[proto].begin(); edge != edges[proto].end(); ++edge) {
      current ^= edge->second;
      const auto following = std::next(edge);
      if (current == Mark{} || following == edges[proto].end()) continue;
      const auto [known, fresh] = numbers.try_emplace(current, next);
      if (fresh) ++next;
      if (next > std::numeric_limits<std::uint16_t>::max())
        return Error{
            "compiling the policy: its rules tell more than 65000 sets of TCP and UDP ports apart;"
            " use ranges instead of single ports"};
      classes.intervals_[proto].push_back({{static_cast<std::uint16_t>(edge->first),
                                            static_cast<std::uint16_t>(following->first - 1)},
                                           static_cast<std::uint16_t>(known->second)});
    }
  }
  return classes;
}

std::vector<fw_port_class> PortClasses::table() const {
  if (intervals_[0].empty() && intervals_[1].empty()) return {};
  std::vector<fw_port_class> table(65536);
  for (const Interval& interval : intervals_[0])
    for (std::uint32_t port = interval.range.first; port <= interval.range.last; ++port)
      table[port].tcp = interval.number;
  for (const Interval& interval : intervals_[1])
    for (std::uint32_t port = interval.range.first; port <= interval.range.last; ++port)
      table[port].udp = interval.number;
  return table;
}

std::vector<std::uint32_t> PortClasses::classes(const std::vector<PortSet>& ports) const {
  if (ports.empty()) return {FW_PORTS_ANY};
  std::vector<std::uint32_t> found;
  for (const PortSet& set : ports) {
    if (set.proto == Proto::kIcmp) {
      found.push_back(FW_PORTS_PING);
      continue;
    }
    const auto& intervals = intervals_[index_of(set.proto)];
    auto interval = std::lower_bound(
        intervals.begin(), intervals.end(), set.range.first,
        [](const Interval& left, std::uint16_t port) { return left.range.last < port; });
    for (; interval != intervals.end() && interval->range.first <= set.range.last; ++interval)
      found.push_back(interval->number);
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

}  // namespace fw::compile
