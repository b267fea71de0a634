// SPDX-License-Identifier: GPL-2.0-only
// fwctl flows: the conversations that are let through now, each one once.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>

#include "ctl/verbs.h"

namespace fw::ctl {
namespace {

using control::FlowReport;
using control::FlowsReport;
using control::FlowTuple;

std::string arrow(const FlowTuple& tuple) {
  return endpoint(tuple.src, tuple.sport) + " -> " + endpoint(tuple.dst, tuple.dport);
}

// What the translation changes: the destination alone, or the whole tuple.
std::string translation(const FlowReport& flow) {
  const auto& from = flow.original;
  const auto& to = flow.translated;
  if (from == to) return {};
  if (from.src == to.src && from.sport == to.sport) return "=> " + endpoint(to.dst, to.dport);
  return "=> " + arrow(to);
}

std::string heading(const FlowReport& flow) {
  std::string line = fmt::format("{:<5} {}", flow.proto, arrow(flow.original));
  const auto translated = translation(flow);
  if (translated.empty()) return line + "\n";
  const bool fits = line.size() + 1 + translated.size() <= kLineWidth;
  return line + (fits ? " " : "\n      ") + translated + "\n";
}

std::string amount(std::string_view what, const control::Count& count) {
  return fmt::format("{} {} ({})", what, plural(count.packets, "packet"), human_bytes(count.bytes));
}

// As many to a line as fit.
std::string details(const FlowReport& flow) {
  const std::string by = flow.rule.empty() ? "" : " by '" + flow.rule + "'";
  std::string text;
  std::string line = "      " + flow.state;
  for (const auto& item :
       {flow.from_zone + " -> " + flow.to_zone + by, amount("sent", flow.sent),
        amount("replies", flow.replies), "expires in " + human_duration(flow.expires_s),
        fmt::format("generation {}", flow.generation)}) {
    line += ',';
    if (line.size() + 1 + item.size() >= kLineWidth) text += std::exchange(line, "     ") + "\n";
    line += ' ' + item;
  }
  return text + line + "\n";
}

}  // namespace

std::string render(const FlowsReport& report, const Style& style) {
  auto flows = report.flows;
  std::ranges::stable_sort(flows, std::ranges::greater{}, [](const FlowReport& flow) {
    return flow.sent.packets + flow.replies.packets;
  });
  std::string text;
  for (const auto& flow : flows) text += heading(flow) + style.faint(details(flow));
  return flows.empty() ? "no flows\n" : text;
}

void add_flows(CLI::App& fwctl, Session& session) {
  auto* flows = fwctl.add_subcommand("flows", "The conversations that are let through now");
  auto wanted = std::make_shared<control::FlowsRequest>();
  flows->add_option("--limit", wanted->limit, "How many at most; 0 for all (default 1000)");
  flows->callback([&session, wanted] {
    const auto report = session.ask<FlowsReport>({.verb = control::Verb::kFlows, .flows = *wanted});
    if (!report) return;
    if (!session.json) session.print(render(*report, session.style()));
    if (report->total > report->flows.size())
      session.say(fmt::format("{} of {} flows shown; --limit 0 shows all", report->flows.size(),
                              report->total));
  });
}

}  // namespace fw::ctl
