// SPDX-License-Identifier: GPL-2.0-only
// Detaching and unpinning.
#include "loader/datapath/teardown.h"

#include <bpf/bpf.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "loader/datapath/filters.h"
#include "loader/datapath/links.h"

namespace fw::datapath {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> children(const fs::path& directory) {
  std::vector<fs::path> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator{directory, ignored})
    found.push_back(entry.path());
  return found;
}

Result<void> detach_links(const fs::path& directory) {
  Links links{directory.native()};
  for (const HookPoint& point : links.pinned())
    if (auto removed = links.remove(point); !removed) return removed;
  return {};
}

Result<void> detach_filters(const fs::path& version) {
  const bpf::Fd active{bpf_obj_get((version / "fw_active").c_str())};
  if (!active) return {};  // no filter without it
  Filters filters{(version / "filters").native(), active.get()};
  for (const HookPoint& point : filters.attached())
    if (auto removed = filters.remove(point); !removed) return removed;
  return {};
}

// Only pins are left; a directory that is not ours to empty stops the removal.
Result<void> remove_pins(const fs::path& directory) {
  std::error_code failed;
  for (const fs::path& path : children(directory)) {
    if (fs::is_directory(path, failed)) {
      if (auto removed = remove_pins(path); !removed) return removed;
    } else if (unlink(path.c_str()) != 0) {
      return Error::from_errno("removing " + path.native());
    }
  }
  if (rmdir(directory.c_str()) != 0) return Error::from_errno("removing " + directory.native());
  return {};
}

bool is_version(const fs::path& path) {
  const std::string name = path.filename().native();
  return name.size() > 1 && name[0] == 'v' &&
         name.find_first_not_of("0123456789", 1) == std::string::npos;
}

bool is_mount_point(const fs::path& path) {
  struct stat here {
  }, above{};
  return stat(path.c_str(), &here) == 0 && stat(path.parent_path().c_str(), &above) == 0 &&
         here.st_dev != above.st_dev;
}

// A kernel with BPF_PRELOAD puts two iterators into the root of every BPF file system.
bool is_unused(const fs::path& root) {
  return std::ranges::all_of(children(root),
                             [](const fs::path& path) { return path.extension() == ".debug"; });
}

}  // namespace

Result<void> teardown(PinDirectory pins) {
  const fs::path root = pins.root();
  for (const fs::path& version : children(root)) {
    if (!is_version(version)) continue;
    if (auto detached = detach_links(version / "links"); !detached) return detached;
    if (auto detached = detach_filters(version); !detached) return detached;
    if (auto removed = remove_pins(version); !removed) return removed;
  }
  if (!is_unused(root)) return {};  // somebody else's pins keep the directory
  pins.release();
  if (is_mount_point(root) && umount2(root.c_str(), 0) != 0)
    return Error::from_errno("unmounting " + root.native());
  if (rmdir(root.c_str()) != 0 && errno != ENOENT)
    return Error::from_errno("removing " + root.native());
  return {};
}

Result<void> teardown(const std::string& root) {
  std::error_code ignored;
  if (!fs::exists(root, ignored)) return {};
  auto pins = PinDirectory::open(root);
  if (!pins) return pins.error();
  return teardown(std::move(*pins));
}

}  // namespace fw::datapath
