// SPDX-License-Identifier: GPL-2.0-only
// The command line. The only file in which CLI11's exceptions are caught.
#include "ctl/app.h"

#include <algorithm>
#include <cstdlib>

#include "ctl/session.h"
#include "ctl/verbs.h"
#include "loader/config/names.h"

namespace fw::ctl {
namespace {

void add_global_options(CLI::App& fwctl, Session& session) {
  fwctl.fallthrough();  // fwctl status --json is fwctl --json status
  fwctl.require_subcommand(1);
  fwctl.add_option("--socket", session.socket, "The daemon's control socket")
      ->envname("FWD_SOCKET")
      ->type_name("PATH")
      ->capture_default_str();
  fwctl.add_flag("--json", session.json, "Print one JSON object");
  fwctl.add_flag("--no-color", session.no_color, "No colour, even on a terminal");
}

std::string unknown_verb(const CLI::App& fwctl, const std::string& word) {
  std::vector<std::string> verbs;
  for (const auto* verb : fwctl.get_subcommands([](const CLI::App*) { return true; }))
    verbs.push_back(verb->get_name());
  const auto hint = config::did_you_mean(word, verbs);
  return config::quote(word) + " is not a verb of fwctl; " +
         (hint.empty() ? "'fwctl --help' lists them" : hint);
}

// One sentence for what CLI11 did not understand.
std::string explain(const CLI::App& fwctl, const CLI::ParseError& error) {
  const auto verbs = fwctl.get_subcommands();
  const std::string command = verbs.empty() ? "fwctl" : "fwctl " + verbs.front()->get_name();
  const auto rest = fwctl.remaining(true);
  if (!rest.empty() && rest.front().starts_with('-'))
    return config::quote(rest.front()) + " is not an option of '" + command + "'; see '" + command +
           " --help'";
  if (!rest.empty() && verbs.empty()) return unknown_verb(fwctl, rest.front());
  if (!rest.empty())
    return "'" + command + "' does not take " + config::quote(rest.front()) + "; see '" + command +
           " --help'";
  if (verbs.empty() && dynamic_cast<const CLI::RequiredError*>(&error) != nullptr)
    return "what shall be done? 'fwctl --help' lists the verbs";
  return std::string{error.what()} + "; see '" + command + " --help'";
}

}  // namespace

int run(std::vector<std::string> words, std::ostream& out, std::ostream& err, bool terminal) {
  Session session(out, err, terminal);
  const char* no_color = std::getenv("NO_COLOR");
  session.no_color = no_color != nullptr && *no_color != '\0';

  CLI::App fwctl{"Look at and steer fwd, the packet filter and port forwarder", "fwctl"};
  add_global_options(fwctl, session);
  add_status(fwctl, session);
  add_check(fwctl, session);
  add_test(fwctl, session);
  add_explain(fwctl, session);
  add_diff(fwctl, session);
  add_exposure(fwctl, session);
  add_graph(fwctl, session);
  add_apply(fwctl, session);
  add_counters(fwctl, session);
  add_flows(fwctl, session);
  add_schema(fwctl, session);
  add_teardown(fwctl, session);
  add_version(fwctl, session);

  std::ranges::reverse(words);  // CLI11 takes them from the end
  try {
    fwctl.parse(std::move(words));
  } catch (const CLI::Success& help) {
    fwctl.exit(help, out, err);
  } catch (const CLI::ParseError& error) {
    session.fail(control::failure(control::Code::kUsage, explain(fwctl, error)));
  }
  if (out.flush()) return session.exit_code();
  session.say("writing the output failed");
  return static_cast<int>(control::Code::kUsage);
}

}  // namespace fw::ctl
