// SPDX-License-Identifier: GPL-2.0-only
// A place in the kernel where a program is attached.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

namespace fw::datapath {

// On interfaces, and on the root of the cgroups, where processes name their peers.
enum class Hook {
  kIngress,
  kEgress,
  kXdp,
  kConnect4,
  kConnect6,
  kSendmsg4,
  kSendmsg6,
  kRecvmsg4,
  kRecvmsg6,
  kGetpeername4,
  kGetpeername6,
};
inline bool is_of_cgroups(Hook hook) {
  return hook >= Hook::kConnect4;
}

struct HookPoint {
  std::uint32_t ifindex = 0;  // 0: the cgroups
  Hook hook = Hook::kIngress;

  auto operator<=>(const HookPoint&) const = default;
};

// "12_ingress", "0_connect4": the name of its pin. By index, because an interface can be renamed.
std::string to_string(const HookPoint& point);
std::optional<HookPoint> parse_hook_point(const std::string& name);

}  // namespace fw::datapath
