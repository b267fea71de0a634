// SPDX-License-Identifier: GPL-2.0-only
// /proc/sys/net.
#include "loader/netlink/sysctl.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <optional>

#include "loader/bpf/handles.h"

namespace fw::netlink {
namespace {

// The first word of a setting; nothing when there is no such setting.
std::optional<std::string> read_setting(const std::string& path) {
  const bpf::Fd file{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file) return std::nullopt;
  std::array<char, 32> text{};
  const auto length = read(file.get(), text.data(), text.size());
  if (length <= 0) return std::nullopt;
  std::string value{text.data(), static_cast<std::size_t>(length)};
  return value.substr(0, value.find_first_of(" \n"));
}

// Writing `forwarding` takes the RTNL lock and flushes routes, so not when it is set already.
Result<void> ensure(const std::string& path, const std::string& value) {
  const auto now = read_setting(path);
  if (!now || *now == value) return {};
  const bpf::Fd file{open(path.c_str(), O_WRONLY | O_CLOEXEC)};
  if (!file) return Error::from_errno("setting " + path + " to " + value);
  if (write(file.get(), value.data(), value.size()) != static_cast<ssize_t>(value.size()))
    return Error::from_errno("setting " + path + " to " + value);
  return {};
}

}  // namespace

Result<void> enable_forwarding(const std::string& interface, const std::string& root) {
  const std::string ipv4 = root + "/ipv4/conf/" + interface;
  const std::string ipv6 = root + "/ipv6/conf/" + interface;
  if (auto done = ensure(ipv4 + "/forwarding", "1"); !done) return done;
  // Before forwarding: the kernel drops the routes it learned when forwarding goes on with 1.
  if (read_setting(ipv6 + "/accept_ra") == "1")
    if (auto done = ensure(ipv6 + "/accept_ra", "2"); !done) return done;
  return ensure(ipv6 + "/forwarding", "1");
}

}  // namespace fw::netlink
