// SPDX-License-Identifier: GPL-2.0-only
// The attachment of all programs.
#include "loader/datapath/attach.h"

#include <spdlog/spdlog.h>

#include <cerrno>

namespace fw::datapath {
namespace {

// Frames of a bridge pass its ports, and those are where containers are told apart.
bool needs_programs(const Target& target) {
  return target.role != FW_ROLE_CONTAINER || target.interface.kind != "bridge";
}

const char* mode_name(XdpMode mode) {
  switch (mode) {
    case XdpMode::kNative:
      return "xdp-native";
    case XdpMode::kGeneric:
      return "xdp-generic";
    case XdpMode::kOff:
      break;
  }
  return "tc";
}

bool is_gone(const Error& error) {
  return error.code == ENODEV || error.code == ENXIO;
}

}  // namespace

Attacher::Attacher(const PinDirectory& pins, const Programs& programs, bool allow_tcx)
    : programs_(&programs),
      links_(std::make_unique<Links>(pins.links())),
      filters_(pins.filters(), programs.maps().active),
      xdp_(*links_, programs.xdp()),
      tcx_(allow_tcx) {
  for (const HookPoint& point : filters_.attached()) filtered_.insert(point);
}

Result<void> Attacher::ensure_tc(const HookPoint& point, int program) {
  if (tcx_) {
    auto linked = links_->ensure(point, program, 0);
    if (linked) {
      if (filtered_.erase(point) == 0) return {};
      return filters_.remove(point);
    }
    // EINVAL: the attach type is unknown before 6.6.
    if (linked.error().code != EINVAL) return linked;
    tcx_ = false;
    spdlog::info("this kernel has no TCX: using TC filters on clsact");
  }
  if (auto filtered = filters_.ensure(point, program); !filtered) return filtered;
  filtered_.insert(point);
  return links_->remove(point);
}

Attachment Attacher::serve(const Target& target, std::set<HookPoint>& wanted) {
  const bool container = target.role == FW_ROLE_CONTAINER;
  const std::uint32_t index = target.interface.index;
  Attachment attachment{.ifindex = index,
                        .interface = target.interface.name,
                        .role = target.role,
                        .mode = "tc",
                        .why = "container"};
  if (!target.interface.ethernet) {
    attachment.mode = "none";
    attachment.why =
        "its packets have no Ethernet header (tun, wireguard, ppp), which this version of fwd does "
        "not support";
    return attachment;
  }
  const HookPoint in{index, Hook::kIngress};
  const HookPoint out{index, Hook::kEgress};
  wanted.insert({in, out});
  auto attached = ensure_tc(in, container ? programs_->container_in() : programs_->wire_in());
  if (attached) attached = ensure_tc(out, programs_->out());
  if (!attached) {
    attachment.mode = "none";
    attachment.why = is_gone(attached.error()) ? "the interface is gone" : attached.error().message;
    return attachment;
  }
  if (container) return attachment;
  const XdpState xdp = xdp_.ensure(target.interface, plan_xdp(target.interface, target.wanted));
  if (xdp.mode != XdpMode::kOff) wanted.insert({index, Hook::kXdp});
  attachment.mode = mode_name(xdp.mode);
  attachment.why = xdp.why;
  return attachment;
}

Result<void> Attacher::apply(const std::vector<Target>& targets) {
  std::set<HookPoint> wanted;
  std::vector<Attachment> attachments;
  Result<void> outcome;
  for (const Target& target : targets) {
    if (!needs_programs(target)) continue;
    attachments.push_back(serve(target, wanted));
    const Attachment& last = attachments.back();
    if (last.mode == "none" && last.why != "the interface is gone" && outcome)
      outcome = Error{"interface " + last.interface + " is not enforced: " + last.why};
  }
  attachments_ = std::move(attachments);
  auto detached = detach_others(wanted);
  return outcome ? detached : outcome;
}

Result<void> Attacher::detach_others(const std::set<HookPoint>& wanted) {
  Result<void> outcome;
  for (const HookPoint& point : links_->pinned()) {
    if (wanted.contains(point) || is_of_cgroups(point.hook)) continue;
    if (auto removed = links_->remove(point); !removed && outcome) outcome = removed;
  }
  for (auto point = filtered_.begin(); point != filtered_.end();) {
    if (wanted.contains(*point)) {
      ++point;
      continue;
    }
    if (auto removed = filters_.remove(*point); !removed && outcome) outcome = removed;
    point = filtered_.erase(point);
  }
  return outcome;
}

}  // namespace fw::datapath
