// SPDX-License-Identifier: GPL-2.0-only
// bpf_link system calls and their pins.
#include "loader/datapath/links.h"

#include <bpf/bpf.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <string_view>

namespace fw::datapath {
namespace {

// libbpf 1.1 and the headers of Linux 6.1 have no names for these (enum bpf_attach_type, 6.6).
constexpr int kTcxIngress = 46;
constexpr int kTcxEgress = 47;

struct HookType {
  std::string_view name;
  bpf_attach_type type;
};

// By Hook.
constexpr std::array kHooks = {
    HookType{"ingress", static_cast<bpf_attach_type>(kTcxIngress)},
    HookType{"egress", static_cast<bpf_attach_type>(kTcxEgress)},
    HookType{"xdp", BPF_XDP},
    HookType{"connect4", BPF_CGROUP_INET4_CONNECT},
    HookType{"connect6", BPF_CGROUP_INET6_CONNECT},
    HookType{"sendmsg4", BPF_CGROUP_UDP4_SENDMSG},
    HookType{"sendmsg6", BPF_CGROUP_UDP6_SENDMSG},
    HookType{"recvmsg4", BPF_CGROUP_UDP4_RECVMSG},
    HookType{"recvmsg6", BPF_CGROUP_UDP6_RECVMSG},
    HookType{"getpeername4", BPF_CGROUP_INET4_GETPEERNAME},
    HookType{"getpeername6", BPF_CGROUP_INET6_GETPEERNAME},
};
static_assert(kHooks.size() == static_cast<std::size_t>(Hook::kGetpeername6) + 1);

const HookType& type_of(Hook hook) {
  return kHooks.at(static_cast<std::size_t>(hook));
}

// A link outlives what it was attached to, and then holds nothing.
bool holds(int link, const HookPoint& point) {
  bpf_link_info info{};
  std::uint32_t length = sizeof(info);
  if (bpf_obj_get_info_by_fd(link, &info, &length) != 0) return false;
  if (is_of_cgroups(point.hook)) return info.cgroup.cgroup_id != 0;
  // TCX keeps its ifindex at the same place of the union as XDP.
  return info.xdp.ifindex == point.ifindex;
}

}  // namespace

std::string to_string(const HookPoint& point) {
  return std::to_string(point.ifindex) + "_" + std::string{type_of(point.hook).name};
}

std::optional<HookPoint> parse_hook_point(const std::string& name) {
  HookPoint point;
  const char* end = name.data() + name.size();
  const auto [rest, error] = std::from_chars(name.data(), end, point.ifindex);
  if (error != std::errc{} || rest == end || *rest != '_') return std::nullopt;
  const std::string_view hook{rest + 1, static_cast<std::size_t>(end - rest - 1)};
  const auto found = std::ranges::find(kHooks, hook, &HookType::name);
  if (found == kHooks.end()) return std::nullopt;
  point.hook = static_cast<Hook>(found - kHooks.begin());
  return point;
}

std::string Links::path(const HookPoint& point) const {
  return directory_ + "/" + to_string(point);
}

bool Links::alive(const HookPoint& point) const {
  if (const auto known = current_.find(point); known != current_.end())
    return holds(known->second.get(), point);
  const bpf::Fd link{bpf_obj_get(path(point).c_str())};
  return link && holds(link.get(), point);
}

Result<void> Links::ensure(const HookPoint& point, int program, std::uint32_t flags, int cgroup) {
  if (current_.contains(point) && alive(point)) return {};
  current_.erase(point);
  bpf::Fd link{bpf_obj_get(path(point).c_str())};
  if (link && holds(link.get(), point)) {
    if (bpf_link_update(link.get(), program, nullptr) == 0) {
      current_.insert_or_assign(point, std::move(link));
      return {};
    }
    spdlog::warn("the pinned link {} does not take the new program ({}): attaching it anew",
                 path(point), std::strerror(errno));
    bpf_link_detach(link.get());
  }
  if (link) unlink(path(point).c_str());
  return create(point, program, flags, cgroup);
}

Result<void> Links::create(const HookPoint& point, int program, std::uint32_t flags, int cgroup) {
  LIBBPF_OPTS(bpf_link_create_opts, options, .flags = flags);
  const bool of_cgroups = is_of_cgroups(point.hook);
  const int target = of_cgroups ? cgroup : static_cast<int>(point.ifindex);
  bpf::Fd link{bpf_link_create(program, target, type_of(point.hook).type, &options)};
  if (!link)
    return Error::from_errno(of_cgroups
                                 ? "attaching to " + std::string{type_of(point.hook).name}
                                 : "attaching to interface " + std::to_string(point.ifindex));
  if (bpf_obj_pin(link.get(), path(point).c_str()) != 0)
    return Error::from_errno("pinning " + path(point));
  current_.insert_or_assign(point, std::move(link));
  return {};
}

Result<void> Links::remove(const HookPoint& point) {
  current_.erase(point);
  const bpf::Fd link{bpf_obj_get(path(point).c_str())};
  if (!link) {
    if (errno == ENOENT) return {};
    return Error::from_errno("opening the pinned link " + path(point));
  }
  // Before the pin goes: the link is off now even if somebody else holds it open.
  if (bpf_link_detach(link.get()) != 0) spdlog::debug("{}: {}", path(point), std::strerror(errno));
  if (unlink(path(point).c_str()) != 0) return Error::from_errno("removing " + path(point));
  return {};
}

std::vector<HookPoint> Links::pinned() const {
  std::vector<HookPoint> points;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator{directory_, ignored})
    if (const auto point = parse_hook_point(entry.path().filename().native()))
      points.push_back(*point);
  return points;
}

}  // namespace fw::datapath
