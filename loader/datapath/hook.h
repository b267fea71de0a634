// SPDX-License-Identifier: GPL-2.0-only
// A place in the kernel where a program is attached.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

namespace fw::datapath {

enum class Hook { kIngress, kEgress, kXdp };

struct HookPoint {
  std::uint32_t ifindex = 0;
  Hook hook = Hook::kIngress;

  auto operator<=>(const HookPoint&) const = default;
};

// "12_ingress": the name of its pin. By index, because an interface can be renamed.
std::string to_string(const HookPoint& point);
std::optional<HookPoint> parse_hook_point(const std::string& name);

}  // namespace fw::datapath
