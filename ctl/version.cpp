// SPDX-License-Identifier: GPL-2.0-only
// fwctl version: of this command and, when one answers, of the daemon.
#include <fmt/format.h>

#include "ctl/verbs.h"
#include "maps/abi.h"

namespace fw::ctl {
namespace {

using control::VersionReport;

void print_version(Session& session) {
  const auto answer = ask(session.socket, {.verb = control::Verb::kVersion});
  const auto daemon = control::from_json<VersionReport>(answer.result);
  const bool answered = answer.code == control::Code::kOk && daemon;
  if (session.json) {
    const auto own = control::to_json(VersionReport{.version = FWD_VERSION, .abi = FW_ABI_VERSION});
    // {"schema":1,"version":...,"abi":...} gains a member.
    session.print_json(own.substr(0, own.size() - 1) + R"(,"daemon":)" +
                       (answered ? answer.result : "null") + "}");
    return;
  }
  session.print(fmt::format("fwctl {}\n", FWD_VERSION));
  session.print(answered ? fmt::format("fwd   {}\n", daemon->version)
                         : fmt::format("fwd   does not answer on {}\n", session.socket));
}

}  // namespace

void add_version(CLI::App& fwctl, Session& session) {
  auto* version = fwctl.add_subcommand("version", "The version of fwctl and of the running fwd");
  version->callback([&session] { print_version(session); });
}

}  // namespace fw::ctl
