// SPDX-License-Identifier: GPL-2.0-only
// Walks over four hash tables.
#include "loader/datapath/flows.h"

#include <bpf/bpf.h>

#include <array>

#include "loader/base/net.h"
#include "maps/fragment.h"

namespace fw::datapath {
namespace {

struct FlowTable {
  int map;
  Family family;
  bool half;
};

std::array<FlowTable, 4> tables(const Maps& maps) {
  return {{{maps.flows4, Family::kIpv4, false},
           {maps.flows6, Family::kIpv6, false},
           {maps.half4, Family::kIpv4, true},
           {maps.half6, Family::kIpv6, true}}};
}

fw_tuple common_tuple(const FlowTable& table, const void* key) {
  if (table.family == Family::kIpv6) return *static_cast<const fw_tuple*>(key);
  const auto& ipv4 = *static_cast<const fw_tuple4*>(key);
  fw_tuple tuple{};
  tuple.src = Address::from_bytes(Family::kIpv4, &ipv4.src).to_abi();
  tuple.dst = Address::from_bytes(Family::kIpv4, &ipv4.dst).to_abi();
  tuple.sport = ipv4.sport;
  tuple.dport = ipv4.dport;
  tuple.proto = ipv4.proto;
  tuple.family = FW_IPV4;
  return tuple;
}

template <class Key>
Result<void> clear(int map) {
  auto keys = bpf::keys_of<Key>(map);
  if (!keys) return keys.error();
  for (const Key& key : *keys)
    if (auto erased = bpf::erase_key(map, &key); !erased) return erased;
  return {};
}

}  // namespace

Result<std::vector<Flow>> read_flows(const Maps& maps, std::size_t limit) {
  std::vector<Flow> flows;
  for (const FlowTable& table : tables(maps)) {
    if (flows.size() >= limit) break;
    auto read = bpf::for_each(table.map, [&](const void* key, const void* value) {
      flows.push_back({.tuple = common_tuple(table, key),
                       .flow = *static_cast<const fw_flow*>(value),
                       .half = table.half});
      return flows.size() < limit;
    });
    if (!read) return read.error().during("reading flows");
  }
  return flows;
}

Result<FlowCount> count_flows(const Maps& maps) {
  FlowCount count;
  for (const FlowTable& table : tables(maps)) {
    std::uint64_t& sum = table.half ? count.half : count.established;
    auto read = bpf::for_each(table.map, [&sum](const void*, const void*) {
      ++sum;
      return true;
    });
    if (!read) return read.error().during("counting flows");
  }
  return count;
}

Result<void> clear_flows(const Maps& maps) {
  for (const FlowTable& table : tables(maps)) {
    auto cleared =
        table.family == Family::kIpv4 ? clear<fw_tuple4>(table.map) : clear<fw_tuple>(table.map);
    if (!cleared) return cleared.error().during("clearing flows");
  }
  if (auto cleared = clear<fw_datagram>(maps.firsts); !cleared) return cleared;
  if (auto cleared = clear<fw_held_key>(maps.held); !cleared) return cleared;
  if (auto cleared = clear<fw_bucket_key>(maps.buckets); !cleared)
    return cleared.error().during("clearing limits");
  if (auto cleared = clear<fw_addr>(maps.sources); !cleared)
    return cleared.error().during("clearing limits");
  return {};
}

Result<std::uint64_t> sweep_flows(const Programs& programs) {
  LIBBPF_OPTS(bpf_test_run_opts, options);
  if (bpf_prog_test_run_opts(programs.sweep(), &options) != 0)
    return Error::from_errno("sweeping expired flows");
  return programs.swept();
}

}  // namespace fw::datapath
