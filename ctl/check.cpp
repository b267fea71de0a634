// SPDX-License-Identifier: GPL-2.0-only
// fwctl check: is this policy right? Needs no daemon and no privileges.
#include <fmt/format.h>

#include <memory>

#include "ctl/policy.h"
#include "ctl/verbs.h"

namespace fw::ctl {
namespace {

std::string summary(const config::Policy& policy) {
  return fmt::format("ok: policy {}: {}, {}, {}, {}, {}\n", policy.name,
                     plural(policy.zones.size(), "zone"), plural(policy.services.size(), "service"),
                     plural(policy.doors.size(), "published door"),
                     plural(policy.rules.size(), "rule"), plural(policy.tests.size(), "test"));
}

void check(Session& session, const std::vector<std::string>& files, bool print) {
  const auto checked = read_policy(files);
  if (!checked)
    return session.fail(control::failure(control::Code::kUsage, checked.error().message));
  const auto& [policy, diagnostics, tests] = checked->result;
  if (!checked->result.accepted()) return session.fail(refusal(*checked));
  if (session.json) {
    session.print_json(
        control::to_json(control::CheckReport{.name = policy->name, .diagnostics = diagnostics}));
    return;
  }
  session.show(diagnostics);
  session.print(print ? config::print(checked->sources) : summary(*policy));
}

}  // namespace

void add_check(CLI::App& fwctl, Session& session) {
  auto* verb = fwctl.add_subcommand("check", "Whether a policy is right; needs no daemon");
  auto files = std::make_shared<std::vector<std::string>>();
  add_files(*verb, *files);
  auto print = std::make_shared<bool>(false);
  verb->add_flag("--print", *print, "Print the policy that the files make together");
  verb->callback([&session, files, print] { check(session, *files, *print); });
}

}  // namespace fw::ctl
