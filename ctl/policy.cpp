// SPDX-License-Identifier: GPL-2.0-only
#include "ctl/policy.h"

#include <algorithm>

#include "loader/config/load.h"
#include "loader/config/until.h"

namespace fw::ctl {

void add_files(CLI::App& verb, std::vector<std::string>& files, const std::string& meaning) {
  verb.add_option("-f,--file", files, meaning)->take_all()->expected(1)->type_name("FILE");
}

Result<Checked> read_policy(const std::vector<std::string>& files) {
  auto sources = config::load(files.empty() ? std::vector<std::string>{kDefaultPolicy} : files);
  if (!sources) return sources.error();
  Checked checked{*std::move(sources), {}};
  checked.result = compile::check(checked.sources, config::now());
  return checked;
}

std::optional<config::Policy> policy_of(Session& session, const std::vector<std::string>& files) {
  auto checked = read_policy(files);
  if (!checked)
    session.fail(control::failure(control::Code::kUsage, checked.error().message));
  else if (!checked->result.policy)
    session.fail(refusal(*checked));
  else
    return config::in_force_at(*std::move(checked->result.policy), config::now());
  return std::nullopt;
}

std::optional<config::Policy> policy_in_force(Session& session) {
  const auto report = session.fetch<control::PolicyReport>({.verb = control::Verb::kPolicy});
  if (!report) return std::nullopt;
  auto parsed = config::parse(config::Sources{report->sources, report->attachments});
  if (parsed.policy) return config::in_force_at(*std::move(parsed.policy), config::now());
  session.fail(control::failure(control::Code::kUsage,
                                "this fwctl does not understand the policy in force; use fwd and "
                                "fwctl of the same version",
                                parsed.diagnostics));
  return std::nullopt;
}

control::Answer refusal(const Checked& checked) {
  const auto& [policy, diagnostics, tests] = checked.result;
  if (policy) {
    const auto failed = std::ranges::count_if(
        tests, [](const compile::TestOutcome& test) { return !test.failures.empty(); });
    return control::failure(control::Code::kNo,
                            plural(static_cast<std::uint64_t>(failed), "failed test") + " in " +
                                config::names_of(checked.sources),
                            diagnostics);
  }
  const auto errors =
      std::ranges::count(diagnostics, config::Severity::kError, &config::Diagnostic::severity);
  return control::failure(control::Code::kUsage,
                          plural(static_cast<std::uint64_t>(errors), "error") + " in " +
                              config::names_of(checked.sources),
                          diagnostics);
}

}  // namespace fw::ctl
