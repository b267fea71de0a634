// SPDX-License-Identifier: GPL-2.0-only
// What `fwctl status`, `counters`, `flows` and `explain` show, gathered from the policy and the
// kernel.
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <set>

#include "loader/explain/explain.h"
#include "loader/firewall.h"
#include "loader/report/counters.h"
#include "loader/report/flows.h"

namespace fw {
namespace {

std::string role_name(fw_role role) {
  switch (role) {
    case FW_ROLE_UPLINK:
      return "uplink";
    case FW_ROLE_LAN:
      return "lan";
    case FW_ROLE_CONTAINER:
      return "container";
  }
  return "unknown";
}

std::string name_of(const Topology& topology, std::uint32_t index) {
  const auto found = topology.interfaces.find(index);
  return found == topology.interfaces.end() ? std::to_string(index) : found->second.name;
}

}  // namespace

control::ContainerStatus Firewall::container_at(const Address& address) const {
  control::ContainerStatus container;
  container.address = address.to_string();
  const fw_ident ident = compile::identify(image_, address);
  container.zone = image_.zones.at(ident.zone);
  container.enforced = (ident.flags & FW_IDENT_CONTAINER) != 0;
  const auto found = placement_.endpoints.find(address);
  if (found == placement_.endpoints.end()) {
    if (container.enforced)
      container.why = "not heard from yet; its first packets go through the kernel's stack";
    return container;
  }
  container.interface = name_of(bound_.topology, found->second.ifindex);
  for (const auto& attachment : datapath_.attachments())
    if (attachment.ifindex == found->second.ifindex && attachment.mode == "none") {
      container.enforced = false;
      container.why = attachment.why;
    }
  return container;
}

std::vector<control::ContainerStatus> Firewall::containers() const {
  std::vector<control::ContainerStatus> result;
  std::set<Address> told;
  for (const compile::Member& member : bound_.members) {
    control::ContainerStatus container;
    if (member.address && member.why.empty()) {
      told.insert(*member.address);
      container = container_at(*member.address);
    } else {
      if (member.address) container.address = member.address->to_string();
      container.why = member.why;
    }
    container.name = member.container;
    container.service = member.service;
    result.push_back(std::move(container));
  }
  for (const auto& [name, service] : written_->services)
    for (const auto& address : service.addresses) {
      auto container = container_at(address);
      // Neither a container of this machine nor one that an engine told of.
      if (told.contains(address) || (container.interface.empty() && !container.enforced)) continue;
      container.service = name;
      result.push_back(std::move(container));
    }
  return result;
}

std::vector<std::string> Firewall::next_steps() const {
  std::vector<std::string> steps;
  if (!trouble_.empty()) steps.push_back(trouble_);
  for (const auto& [name, now] : renamed_)
    steps.push_back(
        fmt::format("interface {} is called {} now and stays protected until fwd starts anew; name "
                    "it in the policy",
                    name, now));
  steps.insert(steps.end(), bound_.troubles.begin(), bound_.troubles.end());
  for (const auto& uplink : bound_.policy.host.uplinks)
    if (bound_.topology.by_name(uplink) == nullptr)
      steps.push_back(fmt::format(
          "interface {} (host.uplinks) does not exist; it is protected as soon as it appears",
          uplink));
  return steps;
}

std::uint64_t Firewall::policy_generation(std::uint32_t kernel_generation) const {
  const auto found = generations_.find(kernel_generation);
  return found == generations_.end() ? 0 : found->second;
}

control::StatusReport Firewall::status() const {
  control::StatusReport report;
  report.enforcing = enforcing();
  report.version = FWD_VERSION;
  if (!report.enforcing) {
    report.why = "no policy is in force";
    return report;
  }
  report.policy = {.name = written_->name,
                   .generation = state_.generation,
                   .applied_at = state_.applied_at,
                   .comment = state_.comment};
  for (const auto& attachment : datapath_.attachments())
    report.interfaces.push_back(
        {attachment.interface, role_name(attachment.role), attachment.mode, attachment.why});
  report.local_doors = {datapath_.local_doors().attached(), datapath_.local_doors().why()};
  if (const auto count = datapath_.flow_count())
    report.flows.in_use = (count->established + count->half) / 2;
  report.flows.capacity = options_.datapath.sizes.flows;  // of each family: half of two tables
  report.containers = containers();
  report.next = next_steps();
  return report;
}

Result<control::CountersReport> Firewall::counters() const {
  if (!written_) return Error{"no policy is in force, so nothing is counted"};
  const auto counts = datapath_.accounts();
  if (!counts) return counts.error();
  return report::counters(*written_, state_.accounts, *counts);
}

Result<control::FlowsReport> Firewall::flows(std::uint64_t limit) const {
  const auto entries = datapath_.flows(limit == 0 ? SIZE_MAX : limit * 2);
  if (!entries) return entries.error();
  const auto count = datapath_.flow_count();
  if (!count) return count.error();
  std::vector<report::FlowEntry> read;
  read.reserve(entries->size());
  for (const auto& entry : *entries) read.push_back({entry.tuple, entry.flow});

  control::FlowsReport result;
  result.flows = report::flows(read, state_.accounts, datapath_.now_ns());
  for (auto& flow : result.flows)
    flow.generation = policy_generation(static_cast<std::uint32_t>(flow.generation));
  result.total =
      std::max<std::uint64_t>((count->established + count->half) / 2, result.flows.size());
  return result;
}

Result<control::ExplainReport> Firewall::explain(const control::ExplainRequest& asked) const {
  if (!written_) return Error{"no policy is in force, so nothing can be explained"};
  const auto question = explain::read_question(bound_.policy, asked.from, asked.to);
  if (!question) return question.error();
  return explain::explain({bound_.policy, image_, placement_, bound_.topology, state_.accounts},
                          *question, state_.generation, [this](const compile::Probe& probe) {
                            return datapath_.explain(probe, placement_);
                          });
}

Result<control::PolicyReport> Firewall::policy() const {
  if (!written_) return Error{"no policy is in force"};
  return control::PolicyReport{.generation = state_.generation,
                               .sources = sources_.layers,
                               .attachments = sources_.attachments};
}

}  // namespace fw
