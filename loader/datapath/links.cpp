// SPDX-License-Identifier: GPL-2.0-only
// bpf_link system calls and their pins.
#include "loader/datapath/links.h"

#include <bpf/bpf.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <string_view>

namespace fw::datapath {
namespace {

// libbpf 1.1 and the headers of Linux 6.1 have no names for these (enum bpf_attach_type, 6.6).
constexpr int kTcxIngress = 46;
constexpr int kTcxEgress = 47;

constexpr std::string_view kHookNames[] = {"ingress", "egress", "xdp"};

bpf_attach_type attach_type(Hook hook) {
  switch (hook) {
    case Hook::kIngress:
      return static_cast<bpf_attach_type>(kTcxIngress);
    case Hook::kEgress:
      return static_cast<bpf_attach_type>(kTcxEgress);
    case Hook::kXdp:
      break;
  }
  return BPF_XDP;
}

// 0 when the link no longer holds an interface.
std::uint32_t interface_of(int link) {
  bpf_link_info info{};
  std::uint32_t length = sizeof(info);
  if (bpf_obj_get_info_by_fd(link, &info, &length) != 0) return 0;
  // TCX keeps its ifindex at the same place of the union as XDP.
  return info.xdp.ifindex;
}

}  // namespace

std::string to_string(const HookPoint& point) {
  return std::to_string(point.ifindex) + "_" +
         std::string{kHookNames[static_cast<std::size_t>(point.hook)]};
}

std::optional<HookPoint> parse_hook_point(const std::string& name) {
  HookPoint point;
  const char* end = name.data() + name.size();
  const auto [rest, error] = std::from_chars(name.data(), end, point.ifindex);
  if (error != std::errc{} || rest == end || *rest != '_') return std::nullopt;
  const std::string_view hook{rest + 1, static_cast<std::size_t>(end - rest - 1)};
  for (const Hook candidate : {Hook::kIngress, Hook::kEgress, Hook::kXdp}) {
    if (kHookNames[static_cast<std::size_t>(candidate)] != hook) continue;
    point.hook = candidate;
    return point;
  }
  return std::nullopt;
}

std::string Links::path(const HookPoint& point) const {
  return directory_ + "/" + to_string(point);
}

bool Links::alive(const HookPoint& point) const {
  if (const auto known = current_.find(point); known != current_.end())
    return interface_of(known->second.get()) == point.ifindex;
  const bpf::Fd link{bpf_obj_get(path(point).c_str())};
  return link && interface_of(link.get()) == point.ifindex;
}

Result<void> Links::ensure(const HookPoint& point, int program, std::uint32_t flags) {
  if (current_.contains(point) && alive(point)) return {};
  current_.erase(point);
  bpf::Fd link{bpf_obj_get(path(point).c_str())};
  if (link && interface_of(link.get()) == point.ifindex) {
    if (bpf_link_update(link.get(), program, nullptr) == 0) {
      current_.insert_or_assign(point, std::move(link));
      return {};
    }
    spdlog::warn("the pinned link {} does not take the new program ({}): attaching it anew",
                 path(point), std::strerror(errno));
    bpf_link_detach(link.get());
  }
  if (link) unlink(path(point).c_str());
  return create(point, program, flags);
}

Result<void> Links::create(const HookPoint& point, int program, std::uint32_t flags) {
  LIBBPF_OPTS(bpf_link_create_opts, options, .flags = flags);
  bpf::Fd link{
      bpf_link_create(program, static_cast<int>(point.ifindex), attach_type(point.hook), &options)};
  if (!link) return Error::from_errno("attaching to interface " + std::to_string(point.ifindex));
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
