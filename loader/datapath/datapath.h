// SPDX-License-Identifier: GPL-2.0-only
// Everything fwd has in the kernel, as one object for the daemon: programs, maps, attachments.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "loader/base/topology.h"
#include "loader/compile/image.h"
#include "loader/compile/judge.h"
#include "loader/config/model.h"
#include "loader/datapath/accounts.h"
#include "loader/datapath/attach.h"
#include "loader/datapath/flows.h"
#include "loader/datapath/napi.h"
#include "loader/datapath/placement_maps.h"

namespace fw::datapath {

struct Options {
  std::string bpffs = "/sys/fs/bpf/fwd";
  Sizes sizes = default_sizes();
  bool allow_tcx = true;
};

struct MapSize {
  std::string name;
  std::uint64_t entries = 0;
  std::uint64_t capacity = 0;
};

// Datapath modes by interface name: host.datapath.
using WantedModes = std::map<std::string, config::Datapath>;

// Destroying it leaves the datapath enforcing by its pins; teardown() ends it.
//
// Order after start(): apply() a policy, then update() the attachments, so that no program runs
// without a policy.
class Datapath {
 public:
  // Checks the system, takes the pin directory, and loads; adopts the maps of an earlier run.
  static Result<Datapath> start(const Options& options);

  // The generation in force, also one of an earlier run; 0: none yet. Numbering goes on from here.
  [[nodiscard]] std::uint64_t generation() const;

  // Puts a policy in force. After an error the old one still is.
  Result<void> apply(const compile::Image& image, std::uint64_t generation);

  // Follows the machine's network: interface and endpoint maps, attachments, forwarding.
  Result<void> update(const compile::Placement& placement, const Topology& topology,
                      const WantedModes& wanted);

  // Routes or neighbours changed: cached next hops are resolved anew.
  void next_hops_changed() { raise_topology(programs_->active()); }

  // For so long from now TCP flows that are not in the table may be picked up mid-stream. For the
  // first start on a machine that has connections open.
  void adopt_flows_for(std::chrono::nanoseconds window);

  [[nodiscard]] const std::vector<Attachment>& attachments() const { return attachments_; }
  [[nodiscard]] Result<std::vector<fw_account>> accounts() const;  // by account number
  [[nodiscard]] Result<std::vector<Flow>> flows(std::size_t limit) const;
  [[nodiscard]] Result<FlowCount> flow_count() const;
  // Now on the clock of fw_flow.expires_ns.
  [[nodiscard]] std::uint64_t now_ns() const { return programs_->now_ns(); }
  // What the programs would do with the first packet of a flow. Changes nothing.
  [[nodiscard]] Result<compile::Judgement> explain(const compile::Probe& probe,
                                                   const compile::Placement& placement) const;
  Result<void> clear_flows();
  Result<void> sweep();
  [[nodiscard]] Result<std::vector<MapSize>> map_sizes() const;
  // For tests, which run the programs by hand.
  [[nodiscard]] const Programs& programs() const { return *programs_; }

  // Detaches and unpins everything.
  static Result<void> teardown(Datapath datapath);

 private:
  Datapath(PinDirectory pins, std::unique_ptr<Programs> programs, PlacementMaps placement,
           bool allow_tcx);
  [[nodiscard]] compile::Placement with_redirects(const compile::Placement& placement,
                                                  const Topology& topology) const;
  void probe_veths(const compile::Placement& placement, const Topology& topology);
  void enable_forwarding(const compile::Placement& placement, const Topology& topology);
  void explain_attachments();
  [[nodiscard]] bool has_xdp() const;

  PinDirectory pins_;
  std::unique_ptr<Programs> programs_;  // Attacher keeps its address
  PlacementMaps placement_;
  Attacher attacher_;
  std::vector<Attachment> attachments_;  // the attacher's, with what is known of redirects
  std::map<std::uint32_t, Napi> napi_;   // by ifindex of our end
  std::set<std::uint32_t> forwarding_;   // interfaces that were set to forward
};

}  // namespace fw::datapath
