// SPDX-License-Identifier: GPL-2.0-only
// Should XDP run on an interface, can it, and in which mode?
#pragma once

#include <map>
#include <string>

#include "loader/base/topology.h"
#include "loader/config/model.h"
#include "loader/datapath/links.h"

namespace fw::datapath {

enum class XdpMode { kOff, kGeneric, kNative };

// What to try on an interface, and the reason, before the kernel is asked.
struct XdpPlan {
  bool attach = false;
  bool generic_allowed = false;
  std::string why;
};
XdpPlan plan_xdp(const Interface& interface, config::Datapath wanted);

struct XdpState {
  XdpMode mode = XdpMode::kOff;
  std::string why;  // "the driver refused it: Invalid argument (MTU too large)"
};

// Attaches the XDP program as planned, as far as kernel, driver and other software let it. Never
// replaces a program that is not ours.
class XdpAttacher {
 public:
  // `links` outlives this; `program` is a descriptor, not owned.
  XdpAttacher(Links& links, int program) : links_(&links), program_(program) {}

  XdpState ensure(const Interface& interface, const XdpPlan& plan);

 private:
  // A driver's no stands until something it may depend on changes.
  struct Refusal {
    std::uint32_t mtu = 0;
    bool generic_allowed = false;
    bool up = false;
    std::string why;
  };
  XdpState attach(const Interface& interface, const XdpPlan& plan);

  Links* links_;
  int program_;
  std::map<std::uint32_t, Refusal> refusals_;  // by ifindex
};

}  // namespace fw::datapath
