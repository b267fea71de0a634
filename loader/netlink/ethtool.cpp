// SPDX-License-Identifier: GPL-2.0-only
// SIOCETHTOOL.
#include "loader/netlink/ethtool.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstring>

#include "loader/bpf/handles.h"

namespace fw::netlink {
namespace {

Result<void> ask(const std::string& interface, void* request, const char* doing) {
  const bpf::Fd socket_fd{socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  if (!socket_fd) return Error::from_errno("opening a socket for ethtool");
  ifreq question{};
  std::strncpy(question.ifr_name, interface.c_str(), IFNAMSIZ - 1);
  question.ifr_data = static_cast<char*>(request);
  if (ioctl(socket_fd.get(), SIOCETHTOOL, &question) != 0)
    return Error::from_errno(doing + (" " + interface));
  return {};
}

}  // namespace

std::string driver_name(const std::string& interface) {
  ethtool_drvinfo driver{};
  driver.cmd = ETHTOOL_GDRVINFO;
  if (!ask(interface, &driver, "asking for the driver of")) return {};
  return {driver.driver, strnlen(driver.driver, sizeof(driver.driver))};
}

Result<bool> gro_enabled(const std::string& interface) {
  ethtool_value value{.cmd = ETHTOOL_GGRO, .data = 0};
  if (auto asked = ask(interface, &value, "reading GRO of"); !asked) return asked.error();
  return value.data != 0;
}

Result<void> enable_gro(const std::string& interface) {
  ethtool_value value{.cmd = ETHTOOL_SGRO, .data = 1};
  return ask(interface, &value, "turning GRO on for");
}

}  // namespace fw::netlink
