// SPDX-License-Identifier: GPL-2.0-only
// fwctl diff: what a policy would change, in words: who may newly reach what, and who no longer.
#include "loader/explain/diff.h"

#include <fmt/format.h>

#include <memory>

#include "ctl/policy.h"
#include "ctl/verbs.h"

namespace fw::ctl {
namespace {

using control::DiffReport;
using control::ReachChange;

struct Options {
  std::vector<std::string> files;
  std::vector<std::string> from;
};

// What is compared with, and the flows that live under it.
struct Before {
  config::Policy policy;
  std::vector<control::FlowReport> flows;
};

std::string sentence(const ReachChange& change) {
  std::string to = change.to.find(':') != std::string::npos && !change.ports.empty()
                       ? "[" + change.to + "]"
                       : change.to;
  if (change.ports.starts_with("all but "))
    to += ", " + change.ports;
  else if (!change.ports.empty())
    to += ":" + change.ports;
  std::string more = change.by.empty() ? "" : "by " + change.by;
  if (change.live_flows > 0)
    more += (more.empty() ? "" : "; ") + plural(change.live_flows, "live flow");
  return fmt::format("{} {} {}{}", change.from, change.opens ? "may reach" : "may no longer reach",
                     to, more.empty() ? "" : " (" + more + ")");
}

std::optional<Before> in_force(Session& session) {
  auto policy = policy_in_force(session);
  if (!policy) return std::nullopt;
  auto flows =
      session.fetch<control::FlowsReport>({.verb = control::Verb::kFlows, .flows = {.limit = 0}});
  if (!flows) return std::nullopt;
  return Before{*std::move(policy), std::move(flows->flows)};
}

std::optional<Before> of_files(Session& session, const std::vector<std::string>& names) {
  auto policy = policy_of(session, names);
  if (!policy) return std::nullopt;
  return Before{*std::move(policy), {}};
}

void show_diff(Session& session, const Options& options) {
  const auto after = policy_of(session, options.files);
  if (!after) return;
  const auto before = options.from.empty() ? in_force(session) : of_files(session, options.from);
  if (!before) return;
  const auto report = explain::diff(before->policy, *after, before->flows);
  if (!report) return session.fail(control::failure(control::Code::kUsage, report.error().message));
  if (session.json)
    session.print_json(control::to_json(*report));
  else
    session.print(render(*report, session.style()));
  if (report->differs) session.end(control::Code::kNo);
}

}  // namespace

std::string render(const DiffReport& report, const Style& style) {
  if (!report.differs) return "no difference: the same flows are let through\n";
  std::string text;
  for (const auto& change : report.changes)
    text += (change.opens ? style.good("+") : style.bad("-")) + " " + sentence(change) + "\n";
  return text;
}

void add_diff(CLI::App& fwctl, Session& session) {
  auto* verb = fwctl.add_subcommand("diff", "Who could newly reach what, and who no longer?");
  auto options = std::make_shared<Options>();
  add_files(*verb, options->files);
  verb->add_option(
          "--from", options->from,
          "Compare with this policy instead of the one in force, repeatable; asks no daemon")
      ->take_all()
      ->expected(1)
      ->type_name("OLD");
  verb->callback([&session, options] { show_diff(session, *options); });
}

}  // namespace fw::ctl
