// SPDX-License-Identifier: GPL-2.0-only
// The decision between native XDP, generic XDP and none.
#include "loader/datapath/xdp.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <spdlog/spdlog.h>

#include <cstring>

#include "loader/bpf/log.h"

namespace fw::datapath {
namespace {

struct Occupant {
  std::uint32_t program = 0;  // id; 0: nobody
  XdpMode mode = XdpMode::kOff;
};

Occupant occupant_of(std::uint32_t ifindex) {
  LIBBPF_OPTS(bpf_xdp_query_opts, query);
  if (bpf_xdp_query(static_cast<int>(ifindex), 0, &query) != 0) return {};
  if (query.drv_prog_id != 0) return {query.drv_prog_id, XdpMode::kNative};
  if (query.hw_prog_id != 0) return {query.hw_prog_id, XdpMode::kNative};
  if (query.skb_prog_id != 0) return {query.skb_prog_id, XdpMode::kGeneric};
  return {};
}

std::string program_name(std::uint32_t id) {
  const bpf::Fd program{bpf_prog_get_fd_by_id(id)};
  bpf_prog_info info{};
  std::uint32_t length = sizeof(info);
  if (!program || bpf_obj_get_info_by_fd(program.get(), &info, &length) != 0) return "?";
  return {info.name, strnlen(info.name, sizeof(info.name))};
}

// Links tell only an errno; attaching by netlink makes the driver say in words what it minds, and
// libbpf logs that.
std::string kernel_message(std::uint32_t ifindex, int program) {
  constexpr std::uint32_t kFlags = XDP_FLAGS_DRV_MODE | XDP_FLAGS_UPDATE_IF_NOEXIST;
  bpf::forget_warnings();
  if (bpf_xdp_attach(static_cast<int>(ifindex), program, kFlags, nullptr) == 0)
    bpf_xdp_detach(static_cast<int>(ifindex), XDP_FLAGS_DRV_MODE, nullptr);
  constexpr std::string_view kLabel = "Kernel error message: ";
  const std::string said = bpf::last_warnings();
  const auto at = said.find(kLabel);
  return at == std::string::npos ? std::string{} : said.substr(at + kLabel.size());
}

std::string refusal(const Interface& interface, int program, int code) {
  std::string why = "native XDP is refused by ";
  why += interface.driver.empty() ? "the driver" : "driver " + interface.driver;
  why += std::string{": "} + std::strerror(code);
  if (const std::string said = kernel_message(interface.index, program); !said.empty())
    why += " (" + said + ")";
  return why;
}

XdpState describe(XdpMode mode, const XdpPlan& plan) {
  return {mode, mode == XdpMode::kNative
                    ? plan.why
                    : plan.why + "; generic, because native XDP is not possible here"};
}

}  // namespace

XdpPlan plan_xdp(const Interface& interface, config::Datapath wanted) {
  if (wanted == config::Datapath::kTc) return {.why = "the policy's host.datapath says tc"};
  if (interface.loopback) return {.why = "the loopback has no XDP"};
  if (wanted == config::Datapath::kXdp)
    return {.attach = true, .generic_allowed = true, .why = "the policy's host.datapath says xdp"};
  if (!interface.kind.empty())
    return {.why = "on an interface of kind " + interface.kind +
                   " XDP costs more than it brings; host.datapath can force it"};
  return {.attach = true,
          .why = "driver " + (interface.driver.empty() ? "without a name" : interface.driver) +
                 " has native XDP"};
}

XdpState XdpAttacher::ensure(const Interface& interface, const XdpPlan& plan) {
  const HookPoint point{interface.index, Hook::kXdp};
  if (!plan.attach) {
    if (auto removed = links_->remove(point); !removed)
      spdlog::warn("{}: {}", interface.name, removed.error().message);
    return {XdpMode::kOff, plan.why};
  }
  const Occupant occupant = occupant_of(interface.index);
  const bool ours = links_->alive(point);
  if (occupant.program != 0 && !ours)
    return {XdpMode::kOff, "another XDP program, " + program_name(occupant.program) + " (id " +
                               std::to_string(occupant.program) + "), is on it"};
  if (ours && (occupant.mode == XdpMode::kNative || plan.generic_allowed)) {
    if (auto updated = links_->ensure(point, program_, 0); !updated)
      return {XdpMode::kOff, updated.error().message};
    return describe(occupant.mode, plan);
  }
  if (ours)
    if (auto removed = links_->remove(point); !removed)
      return {XdpMode::kOff, removed.error().message};
  return attach(interface, plan);
}

XdpState XdpAttacher::attach(const Interface& interface, const XdpPlan& plan) {
  const auto known = refusals_.find(interface.index);
  if (known != refusals_.end() && known->second.mtu == interface.mtu &&
      known->second.up == interface.up && known->second.generic_allowed == plan.generic_allowed)
    return {XdpMode::kOff, known->second.why};
  refusals_.erase(interface.index);

  const HookPoint point{interface.index, Hook::kXdp};
  auto native = links_->ensure(point, program_, XDP_FLAGS_DRV_MODE);
  if (native) return describe(XdpMode::kNative, plan);
  std::string why = refusal(interface, program_, native.error().code);
  if (plan.generic_allowed) {
    auto generic = links_->ensure(point, program_, XDP_FLAGS_SKB_MODE);
    if (generic) return {XdpMode::kGeneric, plan.why + "; generic, because " + why};
    why += "; generic XDP is refused too: " + std::string{std::strerror(generic.error().code)};
  }
  refusals_[interface.index] = {.mtu = interface.mtu,
                                .generic_allowed = plan.generic_allowed,
                                .up = interface.up,
                                .why = why};
  return {XdpMode::kOff, why};
}

}  // namespace fw::datapath
