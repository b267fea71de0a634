// SPDX-License-Identifier: GPL-2.0-only
// fwctl explain: may this flow pass, why, and what would change it?
#include "loader/explain/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "ctl/policy.h"
#include "ctl/verbs.h"
#include "loader/compile/bind.h"

namespace fw::ctl {
namespace {

using control::ExplainReport;
using control::RuleRef;
using control::Translation;

constexpr std::size_t kLabel = 10;

struct Options {
  std::string from;
  std::string to;
  std::vector<std::string> files;
};

std::string place(const RuleRef& rule) {
  return rule.file.empty() || rule.line == 0 ? std::string{"(default)"}
                                             : fmt::format("({}:{})", rule.file, rule.line);
}

// "  label   text", wrapped beside the label.
std::string labelled(std::string_view label, const std::string& text) {
  std::string result;
  std::string head = fmt::format("  {:<{}}", label, kLabel);
  for (const auto& line : wrap(text, kLineWidth - head.size())) {
    result += head + line + "\n";
    head.assign(head.size(), ' ');
  }
  return result;
}

std::string chain(const std::vector<Translation>& steps) {
  std::string text;
  for (const auto& step : steps)
    text += (text.empty() ? "" : ", then ") + step.from + " becomes " + step.to;
  return text;
}

std::string end(const control::EndRef& end) {
  return end.service ? fmt::format("{} ({})", end.zone, *end.service) : end.zone;
}

std::string cases(const ExplainReport& report, const Style& style) {
  if (report.cases.empty()) return {};
  std::string text = labelled("in parts", "the answer is not the same for all of it:");
  const bool same_ports = std::ranges::all_of(
      report.cases, [&](const auto& part) { return part.ports == report.cases.front().ports; });
  for (const auto& part : report.cases) {
    const bool allowed = part.verdict == "allow";
    std::string line = fmt::format(
        "    {} {} -> {}{}", allowed ? style.good("allow") : style.bad("deny "), part.from, part.to,
        same_ports           ? ""
        : part.ports.empty() ? ", every other port"
                             : ", " + part.ports);
    if (!allowed) line += ": " + part.reason;
    if (part.rule) line += fmt::format("  '{}' {}", part.rule->text, place(*part.rule));
    text += line + "\n";
  }
  return text;
}

std::string remedies(const ExplainReport& report) {
  std::string text;
  for (const auto& near : report.nearest)
    text += labelled(text.empty() ? "nearest" : "",
                     fmt::format("{}  {}, {}", near.rule.text, place(near.rule), near.differs));
  bool first = true;
  for (const auto& sentence : report.advice) {
    text += labelled(first ? "note" : "", sentence);
    first = false;
  }
  if (report.allow.empty()) return text;
  text += "  this would allow it:\n";
  for (const auto& line : report.allow) text += "      " + line + "\n";
  for (const auto& test : report.breaks)
    text += labelled("breaks", fmt::format("test '{}' ({}:{}) would fail: it says that this stays "
                                           "closed",
                                           test.name, test.file, test.line));
  return text;
}

Result<ExplainReport> explain_file(const Checked& checked, const Options& options) {
  const auto policy =
      compile::with_assumed_members(config::in_force_at(*checked.result.policy, config::now()));
  const auto question = explain::read_question(policy, options.from, options.to);
  if (!question) return question.error();
  const auto compiled = explain::Compiled::of(policy);
  if (!compiled) return compiled.error();
  auto report = explain::explain(compiled->world(), *question, 0);
  if (report)
    report->notes.push_back("answered from " + config::names_of(checked.sources) +
                            " for an assumed machine: a service's address is a container's, unless "
                            "its zone has interfaces");
  return report;
}

std::optional<ExplainReport> ask_file(Session& session, const Options& options) {
  const auto fail = [&](const std::string& why) {
    session.fail(control::failure(control::Code::kUsage, why));
    return std::nullopt;
  };
  const auto checked = read_policy(options.files);
  if (!checked) return fail(checked.error().message);
  if (!checked->result.policy) {
    session.fail(refusal(*checked));
    return std::nullopt;
  }
  auto report = explain_file(*checked, options);
  if (!report) return fail(report.error().message);
  if (session.json) session.print_json(control::to_json(*report));
  return *std::move(report);
}

void explain_flow(Session& session, const Options& options) {
  const auto report =
      options.files.empty()
          ? session.ask<ExplainReport>({.verb = control::Verb::kExplain,
                                        .explain = {.from = options.from, .to = options.to}})
          : ask_file(session, options);
  if (!report) return;
  if (!session.json) session.print(render(*report, session.style()));
  if (report->verdict != "allow") session.end(control::Code::kNo);
}

}  // namespace

std::string render(const ExplainReport& report, const Style& style) {
  const bool allowed = report.verdict == "allow";
  std::string text = allowed ? fmt::format("{}  {}\n", style.good("ALLOW"), style.bold(report.flow))
                             : fmt::format("{}  {}  {}: {}\n", style.bad("DENY"),
                                           style.bold(report.flow), report.reason, report.help);
  text += labelled("zones", end(report.from) + " -> " + end(report.to));
  text +=
      labelled("rule", report.rule ? fmt::format("{}  {}", report.rule->text, place(*report.rule))
                                   : std::string{"none; what nothing allows is denied"});
  if (!report.router.empty())
    text += labelled("router", report.router + " in front maps to this door (not enforced here)");
  if (!report.nat.empty()) {
    text += labelled("there", chain(report.nat));
    text += labelled("and back", chain(report.replies));
  } else if (allowed) {
    text += labelled("addresses", "unchanged, both ways");
  }
  text += cases(report, style) + remedies(report);
  if (report.asked == "kernel")
    text += style.faint(labelled(
        "asked", fmt::format("the programs in the kernel, under generation {} of the policy",
                             report.generation)));
  for (const auto& note : report.notes) text += style.faint(labelled("asked", note));
  return text;
}

void add_explain(CLI::App& fwctl, Session& session) {
  auto* verb = fwctl.add_subcommand("explain", "May FROM reach TO, why, and what would change it?");
  auto options = std::make_shared<Options>();
  verb->add_option("FROM", options->from,
                   "A zone, a service, host, internet, *, an address or a CIDR")
      ->required();
  verb->add_option("TO", options->to,
                   "The same with :PORT[,PORT...][/PROTO]; or router:PORT; no port: all of them")
      ->required();
  add_files(*verb, options->files,
            "Ask this policy instead of the one in force; - for standard input");
  verb->callback([&session, options] { explain_flow(session, *options); });
}

}  // namespace fw::ctl
