// SPDX-License-Identifier: GPL-2.0-only
// fwctl teardown: take the datapath down and end the daemon. Nothing is filtered afterwards.
#include "ctl/verbs.h"

namespace fw::ctl {

void add_teardown(CLI::App& fwctl, Session& session) {
  auto* teardown =
      fwctl.add_subcommand("teardown", "Detach fwd from every interface and end the daemon");
  teardown->callback([&session] {
    session.query<control::TeardownReport>(
        {.verb = control::Verb::kTeardown}, [](const auto& report) -> std::string {
          return report.was_enforcing ? "torn down: nothing is filtered or forwarded any more\n"
                                      : "torn down: nothing was enforced\n";
        });
    if (session.exit_code() == static_cast<int>(control::Code::kNoDaemon))
      session.say(
          "a datapath that an earlier fwd left behind still enforces; start fwd and tear down "
          "again to remove it");
  });
}

}  // namespace fw::ctl
