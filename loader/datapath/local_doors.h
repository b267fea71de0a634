// SPDX-License-Identifier: GPL-2.0-only
// The hooks by which this machine's own processes go through doors (bpf/fw_local.bpf.c): on the
// root of the cgroups, beside those of anybody else, and pinned like all attachments.
#pragma once

#include <string>

#include "loader/base/result.h"
#include "loader/datapath/links.h"
#include "loader/datapath/programs.h"

namespace fw::datapath {

class LocalDoors {
 public:
  // `programs` outlives this.
  LocalDoors(const PinDirectory& pins, const Programs& programs)
      : programs_(&programs), links_(pins.links()) {}

  // All hooks or none: after an error those that an earlier run attached are gone, too.
  Result<void> attach();
  Result<void> detach();

  [[nodiscard]] bool attached() const { return attached_; }
  // Where, or why not; for `status`.
  [[nodiscard]] const std::string& why() const { return why_; }

 private:
  Result<void> attach_to(const std::string& cgroups);

  const Programs* programs_;
  Links links_;
  bool attached_ = false;
  std::string why_;
};

}  // namespace fw::datapath
