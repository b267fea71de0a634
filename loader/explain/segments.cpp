// SPDX-License-Identifier: GPL-2.0-only
#include "loader/explain/segments.h"

#include <algorithm>

namespace fw::explain {
namespace {

using config::PortSet;

constexpr PortRange kAllPorts{1, 65535};

void sort_unique(std::vector<std::uint32_t>& starts) {
  std::sort(starts.begin(), starts.end());
  starts.erase(std::unique(starts.begin(), starts.end()), starts.end());
}

}  // namespace

Segments::Segments(const std::vector<const config::Policy*>& policies) {
  for (const config::Policy* policy : policies) {
    for (const auto& rule : policy->rules)
      for (const PortSet& set : rule.ports) cut(set);
    for (const auto& [name, door] : policy->doors)
      for (const auto& mapping : door.mappings) {
        cut({mapping.proto, mapping.host});
        cut({mapping.proto, mapping.target});  // open to the host itself
      }
  }
  sort_unique(tcp_);
  sort_unique(udp_);
}

void Segments::cut(const PortSet& set) {
  if (set.proto == Proto::kIcmp) return;
  auto& starts = set.proto == Proto::kTcp ? tcp_ : udp_;
  starts.push_back(set.range.first);
  starts.push_back(std::uint32_t{set.range.last} + 1);
}

std::vector<PortSet> Segments::all() const {
  return within({{Proto::kIcmp, {}}, {Proto::kTcp, kAllPorts}, {Proto::kUdp, kAllPorts}});
}

std::vector<PortSet> Segments::within(const std::vector<PortSet>& ports) const {
  std::vector<PortSet> segments;
  for (const PortSet& set : ports) {
    if (set.proto == Proto::kIcmp) {
      segments.push_back(set);
      continue;
    }
    const auto& starts = set.proto == Proto::kTcp ? tcp_ : udp_;
    std::uint32_t first = set.range.first;
    auto cut = std::upper_bound(starts.begin(), starts.end(), first);
    for (; cut != starts.end() && *cut <= set.range.last; ++cut) {
      segments.push_back(
          {set.proto, {static_cast<std::uint16_t>(first), static_cast<std::uint16_t>(*cut - 1)}});
      first = *cut;
    }
    segments.push_back({set.proto, {static_cast<std::uint16_t>(first), set.range.last}});
  }
  return segments;
}

}  // namespace fw::explain
