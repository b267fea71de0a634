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
