// SPDX-License-Identifier: GPL-2.0-only
// Mounting, making and locking the pin directory.
#include "loader/datapath/bpffs.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "maps/abi.h"

namespace fw::datapath {
namespace {

namespace fs = std::filesystem;

constexpr const char* kUsualMount = "/sys/fs/bpf";

bool is_bpffs(const fs::path& path) {
  struct statfs info {};
  return statfs(path.c_str(), &info) == 0 && info.f_type == BPF_FS_MAGIC;
}

fs::path nearest_existing(fs::path path) {
  std::error_code ignored;
  while (!fs::exists(path, ignored) && path.has_relative_path()) path = path.parent_path();
  return path;
}

bool is_below(const fs::path& path, const std::string& directory) {
  return path.native().starts_with(directory + "/");
}

Result<void> make_directory(const fs::path& path) {
  std::error_code failed;
  fs::create_directories(path, failed);
  if (!failed) return {};
  Error error = Error::from_errno("making the directory " + path.native(), failed.value());
  if (failed.value() == EPERM && path.native().find('.') != std::string::npos)
    error.message += " (a name in a BPF file system has no dot)";
  return error;
}

// A folder below /sys/fs/bpf gets the usual mount; any other is a mount of its own.
Result<void> ensure_mounted(const fs::path& root) {
  if (is_bpffs(nearest_existing(root))) return {};
  const fs::path mount_point = is_below(root, kUsualMount) ? fs::path{kUsualMount} : root;
  if (auto made = make_directory(mount_point); !made) return made;
  if (mount("bpf", mount_point.c_str(), "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") != 0)
    return Error::from_errno("mounting a BPF file system at " + mount_point.native());
  return {};
}

// /proc/locks: "1: FLOCK  ADVISORY  WRITE 1234 00:1f:56 0 EOF".
std::string lock_holder(int directory) {
  struct stat info {};
  if (fstat(directory, &info) != 0) return {};
  const std::string inode = ":" + std::to_string(info.st_ino);
  std::ifstream locks{"/proc/locks"};
  for (std::string line; std::getline(locks, line);) {
    std::istringstream words{line};
    std::string number, kind, advice, access, pid, file;
    words >> number >> kind >> advice >> access >> pid >> file;
    if (kind == "FLOCK" && file.ends_with(inode)) return pid;
  }
  return {};
}

Result<bpf::Fd> lock(const std::string& root) {
  bpf::Fd directory{::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!directory) return Error::from_errno("opening " + root);
  if (flock(directory.get(), LOCK_EX | LOCK_NB) == 0) return directory;
  if (errno != EWOULDBLOCK) return Error::from_errno("locking " + root);
  const std::string pid = lock_holder(directory.get());
  return Error{"another fwd" + (pid.empty() ? std::string{} : " (process " + pid + ")") + " uses " +
               root + ": stop it, or give this one a folder of its own with --bpffs"};
}

}  // namespace

std::string PinDirectory::maps() const {
  return root_ + "/v" + std::to_string(FW_ABI_VERSION);
}

Result<PinDirectory> PinDirectory::open(const std::string& root) {
  std::error_code failed;
  auto path = fs::absolute(root, failed).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();  // "/sys/fs/bpf/fwd/"
  if (auto mounted = ensure_mounted(path); !mounted) return mounted.error();
  if (auto made = make_directory(path); !made) return made.error();
  if (!is_bpffs(path))
    return Error{path.native() + " is not in a BPF file system: choose a folder below " +
                 kUsualMount + " with --bpffs"};
  auto locked = lock(path.native());
  if (!locked) return locked.error();
  PinDirectory directory{path.native(), std::move(*locked)};
  for (const auto& part : {directory.links(), directory.filters()})
    if (auto made = make_directory(part); !made) return made.error();
  return directory;
}

}  // namespace fw::datapath
