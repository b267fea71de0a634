// SPDX-License-Identifier: GPL-2.0-only
// What a question about a policy is answered from: the policy, its image, and the machine, which
// is the real one in the daemon and an assumed one where only files are at hand.
#pragma once

#include <string>
#include <string_view>

#include "loader/base/topology.h"
#include "loader/compile/compile.h"
#include "loader/config/model.h"

namespace fw::explain {

// Everything must outlive it.
struct World {
  const config::Policy& policy;
  const compile::Image& image;
  const compile::Placement& placement;
  const Topology& topology;
  const compile::AccountBook& accounts;  // of the image
  bool assumed = false;                  // the machine is: its addresses mean nothing to anybody
};

// A policy compiled for an assumed machine (loader/compile/offline.h), and all that World refers
// to.
class Compiled {
 public:
  static Result<Compiled> of(config::Policy policy);
  // With one that it shares with other policies.
  static Result<Compiled> of(config::Policy policy, Topology topology);
  [[nodiscard]] World world() const {
    return {policy_, image_, placement_, topology_, accounts_, true};
  }

 private:
  config::Policy policy_;
  Topology topology_;
  compile::Placement placement_;
  compile::Image image_;
  compile::AccountBook accounts_;
};

// The number of a zone in the image; FW_ZONE_NONE when it has none of that name.
std::uint16_t zone_number(const compile::Image& image, std::string_view name);

}  // namespace fw::explain
