// SPDX-License-Identifier: GPL-2.0-only
// TC filters on a clsact qdisc: how programs are attached where the kernel has no TCX (before 6.6).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "loader/base/result.h"
#include "loader/datapath/hook.h"

namespace fw::datapath {

// A filter is ours if its program uses our fw_active map; every other filter is left alone.
class Filters {
 public:
  // `markers`: a directory in the BPF file system that remembers which qdiscs were made here.
  // `active_map`: descriptor of fw_active, not owned.
  Filters(std::string markers, int active_map);

  // Replaces the program in one step if the filter is there.
  Result<void> ensure(const HookPoint& point, int program);
  // The qdisc goes with its last filter if it was made here.
  Result<void> remove(const HookPoint& point);
  // On every interface of this network namespace.
  [[nodiscard]] std::vector<HookPoint> attached() const;

 private:
  [[nodiscard]] std::uint32_t our_program(const HookPoint& point) const;  // id; 0: none
  [[nodiscard]] std::string marker(std::uint32_t ifindex) const;
  Result<void> ensure_qdisc(const HookPoint& point);
  Result<void> drop_empty_qdisc(std::uint32_t ifindex);

  std::string markers_;
  int active_map_;
  std::uint32_t active_id_ = 0;
};

}  // namespace fw::datapath
