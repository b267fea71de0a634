// SPDX-License-Identifier: GPL-2.0-only
// Pinned BPF links (TCX, XDP and cgroups): attachments that outlive the daemon and change their
// program in one step.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "loader/base/result.h"
#include "loader/bpf/handles.h"
#include "loader/datapath/hook.h"

namespace fw::datapath {

class Links {
 public:
  explicit Links(std::string directory) : directory_(std::move(directory)) {}

  // Attaches `program`, or puts it into the link that an earlier run pinned, with no packet
  // unfiltered in between. `flags`: XDP_FLAGS_* of a new XDP link, else 0. `cgroup`: a descriptor
  // of the cgroup's directory, for hooks of cgroups. Error::code is the kernel's errno, for the
  // caller to decide on.
  Result<void> ensure(const HookPoint& point, int program, std::uint32_t flags, int cgroup = -1);
  Result<void> remove(const HookPoint& point);

  // Is there a link of ours that still holds its interface or cgroup?
  [[nodiscard]] bool alive(const HookPoint& point) const;
  // Every pin, those included whose interface is gone.
  [[nodiscard]] std::vector<HookPoint> pinned() const;

 private:
  [[nodiscard]] std::string path(const HookPoint& point) const;
  Result<void> create(const HookPoint& point, int program, std::uint32_t flags, int cgroup);

  std::string directory_;
  std::map<HookPoint, bpf::Fd> current_;  // those that hold this run's programs
};

}  // namespace fw::datapath
