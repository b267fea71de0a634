// SPDX-License-Identifier: GPL-2.0-only
// The policy in force on this machine: text -> policy -> image -> kernel, and what the kernel says
// back. Knows nothing of sockets, signals or the event loop (daemon.h).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "loader/base/endpoints.h"
#include "loader/base/topology.h"
#include "loader/compile/bind.h"
#include "loader/compile/compile.h"
#include "loader/config/parse.h"
#include "loader/control/reports.h"
#include "loader/datapath/datapath.h"
#include "loader/explain/lockout.h"
#include "loader/state.h"

namespace fw {

struct FirewallOptions {
  datapath::Options datapath;
  std::string state_directory = "/var/lib/fwd";
};

// Why a policy was not put in force. With diagnostics, the policy itself is wrong.
struct Refusal {
  std::string sentence;
  std::vector<config::Diagnostic> diagnostics;
  bool tests_failed = false;  // nothing else is wrong with it
};

class Firewall {
 public:
  // Loads the programs and adopts what an earlier run left in the kernel. Enforces nothing yet
  // that was not enforced before.
  static Result<Firewall> start(const FirewallOptions& options);

  // Puts a policy in force, all of it or nothing: after a Refusal the old one still is. A policy
  // with the text of the one in force changes nothing, unless nothing is in force yet. One that
  // would cut `session` is refused.
  std::variant<control::ApplyReport, Refusal> apply(
      const config::Sources& sources, const std::string& comment,
      const std::optional<explain::Session>& session = std::nullopt);

  // When the next rule or door ends by itself; the caller then calls time_passed().
  [[nodiscard]] std::optional<config::Time> next_end() const;
  // Some may have ended, or the clock was set: the policy follows.
  Result<void> time_passed() { return interfaces_changed(); }

  // The machine's network changed. Interfaces: roles, identities and attachments follow.
  // Otherwise only next hops are looked up anew. Errors are for the log; enforcing goes on.
  Result<void> interfaces_changed();
  void routes_changed() { datapath_.next_hops_changed(); }
  Result<void> endpoints_changed();
  // What container engines say now; interfaces_changed() puts it in force.
  void set_endpoints(Endpoints endpoints) { endpoints_ = std::move(endpoints); }

  Result<std::uint64_t> sweep() { return datapath_.sweep(); }  // how many entries were freed

  // No policy was ever in force in this BPF folder.
  [[nodiscard]] bool unused() const { return datapath_.generation() == 0; }
  [[nodiscard]] bool enforcing() const { return written_.has_value(); }
  [[nodiscard]] control::StatusReport status() const;
  [[nodiscard]] Result<control::CountersReport> counters() const;
  [[nodiscard]] Result<control::FlowsReport> flows(std::uint64_t limit) const;
  // What the image in force says to a flow. An error is the asker's mistake.
  [[nodiscard]] Result<control::ExplainReport> explain(const control::ExplainRequest& asked) const;
  [[nodiscard]] Result<control::PolicyReport> policy() const;  // as it was applied

  // Detaches and unpins everything; the object is used up.
  static Result<void> teardown(Firewall firewall);

 private:
  Firewall(FirewallOptions options, datapath::Datapath datapath, State state);
  // The network and the containers as this policy sees them.
  Result<compile::Bound> look(const config::Policy& written);
  // A policy compiled for this machine.
  struct Plan {
    compile::Bound bound;
    compile::Placement placement;
    compile::AccountBook book;
    compile::Image image;
  };
  [[nodiscard]] Result<Plan> plan(compile::Bound bound) const;
  Result<void> enforce(const config::Policy& written, Plan plan);
  void adopt(Plan plan);  // as what is in force
  [[nodiscard]] std::vector<control::ContainerStatus> containers() const;
  [[nodiscard]] control::ContainerStatus container_at(const Address& address) const;
  [[nodiscard]] std::vector<std::string> next_steps() const;
  [[nodiscard]] std::uint64_t policy_generation(std::uint32_t kernel_generation) const;

  FirewallOptions options_;
  datapath::Datapath datapath_;
  State state_;  // on disk; its accounts are those of the image in force

  std::optional<config::Policy> written_;  // unset until this run has put one in force
  config::Sources sources_;                // what it was read from
  Endpoints endpoints_;
  compile::Bound bound_;  // of written_ what has not ended, with the containers' addresses
  compile::Image image_;
  compile::Placement placement_;
  std::map<std::string, std::string> renamed_;  // wires: the policy's name -> the name now
  std::string trouble_;                         // of the last update of attachments; empty: none
  // The kernel numbers every swap, also those that a new address causes; people count policies.
  std::map<std::uint32_t, std::uint64_t> generations_;
};

}  // namespace fw
