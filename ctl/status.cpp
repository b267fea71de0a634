// SPDX-License-Identifier: GPL-2.0-only
// fwctl status: is this machine protected, by what, where, and what is there to do?
#include <fmt/format.h>

#include <algorithm>

#include "ctl/verbs.h"

namespace fw::ctl {
namespace {

using control::StatusReport;

std::string headline(const StatusReport& report, const Style& style) {
  if (!report.enforcing)
    return style.bad("NOT enforcing") + (report.why.empty() ? std::string{} : ": " + report.why) +
           "\n";
  std::string line = style.good("enforcing");
  if (report.policy) line += fmt::format(" {}@{}", report.policy->name, report.policy->generation);
  return line + "\n";
}

std::string policy_line(const StatusReport& report) {
  if (!report.policy) return "policy      none yet\n";
  const auto& policy = *report.policy;
  std::string line = fmt::format("policy      {}@{}", policy.name, policy.generation);
  if (!policy.applied_at.empty()) line += ", applied " + policy.applied_at;
  if (!policy.comment.empty()) line += ": " + policy.comment;
  return line + "\n";
}

std::string local_doors_line(const StatusReport& report) {
  if (!report.policy) return {};
  const auto& doors = report.local_doors;
  return fmt::format("local doors {}{}\n", doors.open ? "open" : "closed",
                     doors.why.empty() ? "" : ": " + doors.why);
}

std::string flows_line(const StatusReport& report) {
  const auto& flows = report.flows;
  if (flows.capacity == 0) return fmt::format("flows       {} in use\n", flows.in_use);
  const auto percent =
      100.0 * static_cast<double>(flows.in_use) / static_cast<double>(flows.capacity);
  return fmt::format("flows       {} of {} in use ({:.1f} %)\n", flows.in_use, flows.capacity,
                     percent);
}

std::string engine_lines(const StatusReport& report) {
  std::string text;
  for (const auto& engine : report.engines) {
    text += text.empty() ? "engines     " : std::string(12, ' ');
    text += (engine.version.empty() ? engine.socket : engine.version + " at " + engine.socket) +
            (engine.trouble.empty() ? "" : ": not answering") + "\n";
  }
  return text;
}

std::string container_state(const control::ContainerStatus& container) {
  if (!container.enforced) return "not enforced: " + container.why;
  return container.why.empty() ? "enforced" : "enforced; " + container.why;
}

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : text;
}

std::string container_table(const StatusReport& report, const Style& style) {
  if (report.containers.empty()) return "";
  Table table({{"CONTAINER"}, {"SERVICE"}, {"ZONE"}, {"ADDRESS"}, {"INTERFACE"}, {"STATE"}});
  for (const auto& each : report.containers)
    table.add({or_dash(each.name), or_dash(each.service), or_dash(each.zone), or_dash(each.address),
               or_dash(each.interface), container_state(each)});
  return "\n" + table.to_string(style);
}

std::string containers_line(const StatusReport& report) {
  if (report.containers.empty()) return "containers  none named by a service\n";
  const auto enforced = std::count_if(report.containers.begin(), report.containers.end(),
                                      [](const auto& each) { return each.enforced; });
  return fmt::format("containers  {} of {} enforced\n", enforced, report.containers.size());
}

std::string next_lines(const StatusReport& report) {
  auto next = report.next;
  if (!report.policy)
    next.emplace_back("apply a policy: fwctl apply -f /etc/fwd/fwd.yaml");
  else if (next.empty() && report.enforcing)
    next.emplace_back("nothing to mend; 'fwctl counters' shows what is let through and dropped");
  std::string text;
  for (const auto& step : next) {
    std::string label = text.empty() ? "next        " : std::string(12, ' ');
    for (const auto& line : wrap(step, kLineWidth - label.size())) {
      text += label + line + "\n";
      label.assign(label.size(), ' ');
    }
  }
  return text;
}

}  // namespace

std::string render(const StatusReport& report, const Style& style) {
  Table interfaces({{"INTERFACE"}, {"ROLE"}, {"MODE"}, {"WHY"}});
  for (const auto& interface : report.interfaces)
    interfaces.add({interface.name, interface.role, interface.mode, interface.why});

  std::string text = headline(report, style) + "\n";
  text += interfaces.empty() ? "no interface is taken part on\n" : interfaces.to_string(style);
  text += container_table(report, style);
  text += "\n" + policy_line(report) + local_doors_line(report) + flows_line(report) +
          engine_lines(report) + containers_line(report);
  return text + next_lines(report);
}

void add_status(CLI::App& fwctl, Session& session) {
  auto* status = fwctl.add_subcommand("status", "Whether and where this machine is protected");
  status->callback([&session] {
    session.query<StatusReport>({.verb = control::Verb::kStatus}, [&](const auto& report) {
      return render(report, session.style());
    });
  });
}

}  // namespace fw::ctl
