// SPDX-License-Identifier: GPL-2.0-only
// Finding the root of the cgroups, and attaching there.
#include "loader/datapath/local_doors.h"

#include <fcntl.h>
#include <mntent.h>

#include <cstdio>
#include <memory>

namespace fw::datapath {
namespace {

// Where version 2 of the cgroups is mounted: the whole of /sys/fs/cgroup, or a folder of it on a
// machine that has both versions.
Result<std::string> cgroup_root() {
  constexpr const char* kMounts = "/proc/self/mounts";
  const std::unique_ptr<FILE, decltype(&endmntent)> mounts{setmntent(kMounts, "re"), endmntent};
  if (!mounts) return Error::from_errno(std::string{"reading "} + kMounts);
  while (const mntent* entry = getmntent(mounts.get()))
    if (std::string_view{entry->mnt_type} == "cgroup2") return std::string{entry->mnt_dir};
  return Error{
      "cgroups of version 2 are not mounted; run `mount -t cgroup2 none /sys/fs/cgroup/unified`"};
}

}  // namespace

Result<void> LocalDoors::attach_to(const std::string& cgroups) {
  const bpf::Fd root{open(cgroups.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!root) return Error::from_errno("opening " + cgroups);
  for (const auto& [hook, program] : programs_->of_cgroups())
    if (auto linked = links_.ensure({0, hook}, program, 0, root.get()); !linked)
      return linked.error().during("the cgroups at " + cgroups);
  return {};
}

Result<void> LocalDoors::attach() {
  const auto root = cgroup_root();
  Result<void> outcome = root ? attach_to(*root) : Result<void>{root.error()};
  if (!outcome) static_cast<void>(detach());
  attached_ = static_cast<bool>(outcome);
  why_ = attached_ ? *root : outcome.error().message;
  return outcome;
}

Result<void> LocalDoors::detach() {
  attached_ = false;
  why_ = "the policy has no door for this machine's own processes";
  Result<void> outcome;
  for (const auto& hook : programs_->of_cgroups())
    if (auto removed = links_.remove({0, hook.first}); !removed) outcome = removed;
  return outcome;
}

}  // namespace fw::datapath
