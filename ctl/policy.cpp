// SPDX-License-Identifier: GPL-2.0-only
#include "ctl/policy.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "loader/base/fd.h"

namespace fw::ctl {
namespace {

// Also from a pipe or stdin, whose size nobody knows before.
Result<std::string> read_all(int fd, const std::string& name) {
  std::string text;
  std::array<char, 1U << 16U> chunk;
  while (text.size() <= config::kMaxPolicyBytes) {
    const auto got = ::read(fd, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error::from_errno("reading the policy " + name);
    if (got == 0) return text;
    text.append(chunk.data(), static_cast<std::size_t>(got));
  }
  return Error{"the policy " + name + " is larger than " +
               std::to_string(config::kMaxPolicyBytes >> 20U) +
               " MiB; split lists off or shorten it"};
}

Result<std::string> read_file(const std::string& name) {
  if (name == "-") return read_all(STDIN_FILENO, "on standard input");
  const Fd fd{::open(name.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!fd) return Error::from_errno("reading the policy " + name);
  return read_all(fd.get(), name);
}

}  // namespace

void add_files(CLI::App& verb, std::vector<std::string>& files, const std::string& meaning) {
  verb.add_option("-f,--file", files, meaning)->take_all()->expected(1)->type_name("FILE");
}

Result<Checked> read_policy(const std::vector<std::string>& files) {
  if (files.size() > 1)
    return Error{"overlays are not supported by this version; give exactly one -f"};
  const std::string name = files.empty() ? kDefaultPolicy : files.front();
  auto text = read_file(name);
  if (!text) return text.error();
  Checked checked{{name == "-" ? "stdin" : name, *std::move(text)}, {}};
  checked.result = compile::check(checked.source);
  return checked;
}

std::optional<config::Policy> policy_of(Session& session, const std::vector<std::string>& files) {
  auto checked = read_policy(files);
  if (!checked)
    session.fail(control::failure(control::Code::kUsage, checked.error().message));
  else if (!checked->result.policy)
    session.fail(refusal(*checked));
  else
    return std::move(checked->result.policy);
  return std::nullopt;
}

std::optional<config::Policy> policy_in_force(Session& session) {
  const auto report = session.fetch<control::PolicyReport>({.verb = control::Verb::kPolicy});
  if (!report) return std::nullopt;
  auto parsed =
      report->sources.size() == 1 ? config::parse(report->sources.front()) : config::Parsed{};
  if (parsed.policy) return std::move(parsed.policy);
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
    return control::failure(
        control::Code::kNo,
        plural(static_cast<std::uint64_t>(failed), "failed test") + " in " + checked.source.name,
        diagnostics);
  }
  const auto errors =
      std::ranges::count(diagnostics, config::Severity::kError, &config::Diagnostic::severity);
  return control::failure(
      control::Code::kUsage,
      plural(static_cast<std::uint64_t>(errors), "error") + " in " + checked.source.name,
      diagnostics);
}

}  // namespace fw::ctl
