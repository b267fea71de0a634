// SPDX-License-Identifier: GPL-2.0-only
// Chunks of per-CPU counters in a map of maps.
#include "loader/datapath/accounts.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <optional>

namespace fw::datapath {
namespace {

// The chunk's map id, or nothing when it was never made.
Result<std::optional<std::uint32_t>> chunk_id(const OuterMap& accounts, std::uint32_t chunk) {
  std::uint32_t id = 0;
  if (bpf_map_lookup_elem(accounts.fd, &chunk, &id) == 0) return std::optional{id};
  if (errno == ENOENT) return std::optional<std::uint32_t>{};
  return Error::from_errno("looking for a chunk of counters");
}

Result<void> add_chunk(int map, std::uint32_t chunk, std::vector<fw_account>& sums) {
  const std::size_t base = std::size_t{chunk} * FW_ACCOUNTS_PER_CHUNK;
  sums.resize(std::max(sums.size(), base + FW_ACCOUNTS_PER_CHUNK));
  const int cpus = bpf::possible_cpus();
  return bpf::for_each(map, [&](const void* key, const void* value) {
    fw_account& sum = sums[base + *static_cast<const std::uint32_t*>(key)];
    const auto* of_cpu = static_cast<const fw_account*>(value);
    for (int cpu = 0; cpu < cpus; ++cpu) {
      sum.packets += of_cpu[cpu].packets;
      sum.bytes += of_cpu[cpu].bytes;
    }
    return true;
  });
}

}  // namespace

Result<void> ensure_accounts(const OuterMap& accounts, std::uint32_t count) {
  const std::uint32_t chunks = (count + FW_ACCOUNTS_PER_CHUNK - 1) / FW_ACCOUNTS_PER_CHUNK;
  if (chunks > FW_ACCOUNT_CHUNKS)
    return Error{"the policy needs " + std::to_string(count) + " counters, more than the " +
                 std::to_string(FW_ACCOUNT_CHUNKS * FW_ACCOUNTS_PER_CHUNK) +
                 " there can be: use fewer zones, or fewer rules with wildcards"};
  for (std::uint32_t chunk = 0; chunk < chunks; ++chunk) {
    auto id = chunk_id(accounts, chunk);
    if (!id) return id.error();
    if (*id) continue;
    auto map = bpf::create_map(accounts.name, accounts.inner, FW_ACCOUNTS_PER_CHUNK);
    if (!map) return map.error();
    const int fd = map->get();
    if (bpf_map_update_elem(accounts.fd, &chunk, &fd, BPF_ANY) != 0)
      return Error::from_errno("adding a chunk of counters");
  }
  return {};
}

Result<std::vector<fw_account>> read_accounts(const OuterMap& accounts) {
  std::vector<fw_account> sums;
  // Chunks are made in order, so the first gap is the end.
  for (std::uint32_t chunk = 0; chunk < FW_ACCOUNT_CHUNKS; ++chunk) {
    auto id = chunk_id(accounts, chunk);
    if (!id) return id.error();
    if (!*id) break;
    const bpf::Fd map{bpf_map_get_fd_by_id(**id)};
    if (!map) return Error::from_errno("opening a chunk of counters");
    if (auto added = add_chunk(map.get(), chunk, sums); !added)
      return added.error().during("reading counters");
  }
  return sums;
}

}  // namespace fw::datapath
