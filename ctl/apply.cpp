// SPDX-License-Identifier: GPL-2.0-only
// fwctl apply: put a policy in force, all of it or nothing.
#include <fmt/format.h>

#include <memory>

#include "ctl/policy.h"
#include "ctl/ssh.h"
#include "ctl/verbs.h"

namespace fw::ctl {
namespace {

using control::ApplyReport;

struct Options {
  std::vector<std::string> files;
  std::string comment;
  std::string confirm;
  bool force = false;
  bool no_confirm = false;  // says what this version does anyway
  CLI::Option* confirm_option = nullptr;
};

void apply(Session& session, const Options& options) {
  const auto fail = [&](const std::string& why) {
    session.fail(control::failure(control::Code::kUsage, why));
  };
  if (options.confirm_option->count() > 0)
    return fail("commit-confirm is not supported by this version; leave --confirm out");
  const auto checked = read_policy(options.files);
  if (!checked) return fail(checked.error().message);
  if (!checked->result.accepted()) return session.fail(refusal(*checked));

  control::Request request{.verb = control::Verb::kApply};
  request.apply = {.sources = {checked->source},
                   .comment = options.comment,
                   .ssh = options.force ? "" : ssh_connection()};
  const auto report = session.ask<ApplyReport>(request);
  if (!report || session.json) return;
  session.show(report->warnings);
  session.print(render(*report, session.style()));
}

}  // namespace

std::string render(const ApplyReport& report, const Style& style) {
  if (!report.changed)
    return fmt::format("unchanged: {}@{} is in force already\n", report.name, report.generation);
  return fmt::format(
      "{} {}@{} ({})\n", style.good("applied"), report.name, report.generation,
      report.entries == 1 ? "1 map entry" : fmt::format("{} map entries", report.entries));
}

void add_apply(CLI::App& fwctl, Session& session) {
  auto* verb = fwctl.add_subcommand("apply", "Put a policy in force, all of it or nothing");
  auto options = std::make_shared<Options>();
  add_files(*verb, options->files);
  verb->add_option("--comment", options->comment, "Why; kept with the policy");
  options->confirm_option =
      verb->add_option("--confirm", options->confirm, "Not supported by this version")
          ->expected(0, 1);
  verb->add_flag("--force", options->force, "Even if it cuts the SSH session that this runs in");
  verb->add_flag("--no-confirm", options->no_confirm, "Keep the policy without a confirmation");
  verb->callback([&session, options] { apply(session, *options); });
}

}  // namespace fw::ctl
