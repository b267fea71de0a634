// SPDX-License-Identifier: GPL-2.0-only
// Which programs are on which interfaces: what is wanted against what is there.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "loader/base/topology.h"
#include "loader/config/model.h"
#include "loader/datapath/filters.h"
#include "loader/datapath/links.h"
#include "loader/datapath/programs.h"
#include "loader/datapath/xdp.h"
#include "maps/topology.h"

namespace fw::datapath {

// An interface fwd shall be on.
struct Target {
  Interface interface;
  fw_role role = FW_ROLE_UPLINK;
  config::Datapath wanted = config::Datapath::kAuto;
};

// How an interface is served, for `status`.
struct Attachment {
  std::uint32_t ifindex = 0;
  std::string interface;
  fw_role role = FW_ROLE_UPLINK;
  std::string mode;  // "xdp-native", "xdp-generic", "tc"; "none": it is not enforced, see `why`
  std::string why;

  [[nodiscard]] bool has_xdp() const { return mode.starts_with("xdp"); }
};

class Attacher {
 public:
  // `programs` outlives this. Without `allow_tcx` only what Linux 6.1 has is used.
  Attacher(const PinDirectory& pins, const Programs& programs, bool allow_tcx);

  // Attaches, replaces, and at last detaches what no target wants. Goes on after a failure, so that
  // one broken interface leaves no other open; returns the first.
  Result<void> apply(const std::vector<Target>& targets);

  [[nodiscard]] const std::vector<Attachment>& attachments() const { return attachments_; }

 private:
  Attachment serve(const Target& target, std::set<HookPoint>& wanted);
  Result<void> ensure_tc(const HookPoint& point, int program);
  Result<void> detach_others(const std::set<HookPoint>& wanted);

  const Programs* programs_;
  std::unique_ptr<Links> links_;  // XdpAttacher keeps its address
  Filters filters_;
  XdpAttacher xdp_;
  bool tcx_;                      // until the kernel says that it has none
  std::set<HookPoint> filtered_;  // hook points served by a TC filter instead of a link
  std::vector<Attachment> attachments_;
};

}  // namespace fw::datapath
