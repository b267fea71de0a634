// SPDX-License-Identifier: GPL-2.0-only
#include "loader/control/socket.h"

#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <filesystem>

namespace fw::control {
namespace {

constexpr mode_t kSocketMode = 0660;
constexpr int kBacklog = 64;

Result<sockaddr_un> to_unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty()) return Error{"the control socket's path is empty; name one with --socket"};
  if (path.size() >= sizeof(address.sun_path))
    return Error{"the control socket's path '" + path + "' has " + std::to_string(path.size()) +
                     " bytes and the kernel takes at most " +
                     std::to_string(sizeof(address.sun_path) - 1) +
                     "; name a shorter one with --socket",
                 ENAMETOOLONG};
  if (path.find('\0') != std::string::npos)
    return Error{"the control socket's path holds a NUL byte", EINVAL};
  path.copy(address.sun_path, path.size());
  return address;
}

Result<void> connect_fd(int fd, const std::string& path) {
  const auto address = to_unix_address(path);
  if (!address) return address.error();
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&*address), sizeof(*address)) != 0)
    return Error::from_errno("connecting to " + path);
  return {};
}

// Removes what an earlier daemon left at `path`, and nothing else.
Result<void> clear_stale(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0)
    return errno == ENOENT ? Result<void>{} : Error::from_errno("looking at " + path);
  if (!S_ISSOCK(status.st_mode))
    return Error{path + " exists and is not a socket; remove it or name another with --socket",
                 EEXIST};

  const Fd probe{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!probe) return Error::from_errno("opening a socket");
  const auto connected = connect_fd(probe.get(), path);
  // EAGAIN: somebody listens and is busy.
  if (connected || connected.error().code == EAGAIN)
    return Error{
        "another fwd answers on " + path + "; stop it or name another socket with --socket",
        EADDRINUSE};
  if (connected.error().code != ECONNREFUSED) return connected.error();
  if (::unlink(path.c_str()) != 0) return Error::from_errno("removing the stale socket " + path);
  return {};
}

Result<void> make_folder(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path();
  if (folder.empty() || ::mkdir(folder.c_str(), 0755) == 0 || errno == EEXIST) return {};
  return Error::from_errno("making " + folder.string() + " for the control socket");
}

Result<void> open_to_group(const std::string& path, const std::string& group) {
  const struct group* entry = group.empty() ? nullptr : ::getgrnam(group.c_str());
  const gid_t gid = entry != nullptr ? entry->gr_gid : 0;
  // A daemon without privileges (a test) keeps its own group.
  if (::lchown(path.c_str(), static_cast<uid_t>(-1), gid) != 0 &&
      (errno != EPERM || ::geteuid() == 0))
    return Error::from_errno("giving " + path + " to the group '" + group + "'");
  if (::chmod(path.c_str(), kSocketMode) != 0)
    return Error::from_errno("setting the mode of " + path);
  return {};
}

}  // namespace

Result<Fd> listen_at(const std::string& path, const std::string& group) {
  const auto address = to_unix_address(path);
  if (!address) return address.error();
  if (const auto made = make_folder(path); !made) return made.error();
  if (const auto cleared = clear_stale(path); !cleared) return cleared.error();

  Fd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!fd) return Error::from_errno("opening the control socket");
  // The file is born with the mode of the unbound socket: closed until the group is set.
  if (::fchmod(fd.get(), 0600) != 0) return Error::from_errno("closing the control socket to all");
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof(*address)) != 0)
    return Error::from_errno("making the control socket " + path);
  auto ready = open_to_group(path, group);
  if (ready && ::listen(fd.get(), kBacklog) != 0) ready = Error::from_errno("listening on " + path);
  if (!ready) {
    ::unlink(path.c_str());
    return ready.error();
  }
  return fd;
}

Result<Fd> connect_to(const std::string& path) {
  Fd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (!fd) return Error::from_errno("opening a socket");
  if (const auto connected = connect_fd(fd.get(), path); !connected) return connected.error();
  return fd;
}

}  // namespace fw::control
