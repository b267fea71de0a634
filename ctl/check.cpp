// SPDX-License-Identifier: GPL-2.0-only
// fwctl check: is this policy right? Needs no daemon and no privileges.
#include <fmt/format.h>
#include <net/if.h>

#include <algorithm>
#include <chrono>
#include <memory>

#include "ctl/policy.h"
#include "ctl/ssh.h"
#include "ctl/verbs.h"
#include "loader/compile/offline.h"
#include "loader/compile/size.h"
#include "loader/config/until.h"
#include "loader/explain/lockout.h"
#include "loader/lint/lint.h"

namespace fw::ctl {
namespace {

using control::CheckReport;
using control::CompiledSize;

struct Options {
  std::vector<std::string> files;
  bool strict = false;
  bool verbose = false;
  bool print = false;
};

std::string summary(const config::Policy& policy, std::size_t warnings) {
  const std::string tail = warnings == 0 ? "" : ", " + plural(warnings, "warning");
  return fmt::format(
      "ok: policy {}: {}, {}, {}, {}, {}{}\n", policy.name, plural(policy.zones.size(), "zone"),
      plural(policy.services.size(), "service"), plural(policy.doors.size(), "published door"),
      plural(policy.rules.size(), "rule"), plural(policy.tests.size(), "test"), tail);
}

// A policy is often checked on another machine than the one that it is for.
bool is_for_this_machine(const config::Policy& policy) {
  const auto exists = [](const std::string& name) { return if_nametoindex(name.c_str()) != 0; };
  return std::ranges::any_of(policy.host.uplinks, exists) ||
         std::ranges::any_of(policy.zones, [&](const auto& zone) {
           return std::ranges::any_of(zone.second.interfaces, exists);
         });
}

// `apply` refuses what this only warns of: it knows that the session is this machine's.
void add_lockout(const config::Policy& policy, std::vector<config::Diagnostic>& warnings) {
  const auto session = explain::read_session(ssh_connection());
  if (!session || !is_for_this_machine(policy)) return;
  auto cut = explain::lockout(config::in_force_at(policy, config::now()), *session);
  if (!cut || !*cut) return;  // a limit is told of by compile::check()
  (*cut)->severity = config::Severity::kWarning;
  (*cut)->hint += "; 'fwctl apply' refuses the policy without it";
  warnings.push_back(**std::move(cut));
}

Result<CompiledSize> measure(const config::Policy& policy) {
  const auto start = std::chrono::steady_clock::now();
  const auto offline = compile::compile_offline(policy);
  const auto took = std::chrono::steady_clock::now() - start;
  if (!offline) return offline.error();
  const auto measured = compile::size_of(offline->image, offline->book);
  CompiledSize size{.maps = {},
                    .identities = measured.identities,
                    .port_classes = measured.port_classes,
                    .counters = measured.counters,
                    .compile_us = static_cast<std::uint64_t>(
                        std::chrono::duration_cast<std::chrono::microseconds>(took).count())};
  for (const auto& map : measured.maps) size.maps.push_back({map.name, map.entries, map.bytes});
  return size;
}

void check(Session& session, const Options& options) {
  const auto fail = [&](const std::string& why) {
    session.fail(control::failure(control::Code::kUsage, why));
  };
  const auto checked = read_policy(options.files);
  if (!checked) return fail(checked.error().message);
  if (!checked->result.accepted()) return session.fail(refusal(*checked));
  const auto& policy = *checked->result.policy;

  CheckReport report{
      .name = policy.name, .diagnostics = checked->result.diagnostics, .size = std::nullopt};
  std::ranges::move(lint::lint(policy, checked->sources), std::back_inserter(report.diagnostics));
  add_lockout(policy, report.diagnostics);
  if (options.verbose) {
    auto size = measure(policy);
    if (!size) return fail(size.error().message);
    report.size = *std::move(size);
  }
  report.ok = !options.strict || report.diagnostics.empty();
  if (!report.ok) session.end(control::Code::kNo);
  if (session.json) return session.print_json(control::to_json(report));
  session.show(report.diagnostics);
  if (!report.ok)
    return session.say(plural(report.diagnostics.size(), "warning") + " in " +
                       config::names_of(checked->sources) + ", and --strict was given");
  session.print(options.print ? config::print(checked->sources)
                              : summary(policy, report.diagnostics.size()));
  if (report.size) session.print(render(*report.size, session.style()));
}

}  // namespace

std::string render(const CompiledSize& size, const Style& style) {
  Table table{{{"MAP", false}, {"ENTRIES", true}, {"KEYS AND VALUES", true}}};
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;
  for (const auto& map : size.maps) {
    table.add({map.map, std::to_string(map.entries), human_bytes(map.bytes)});
    entries += map.entries;
    bytes += map.bytes;
  }
  table.add({"all", std::to_string(entries), human_bytes(bytes)});
  return fmt::format(
      "{}{}, {}, {}; compiled in {:.1f} ms\n", table.to_string(style),
      size.identities == 1 ? "1 identity" : fmt::format("{} identities", size.identities),
      size.port_classes == 1 ? "1 port class" : fmt::format("{} port classes", size.port_classes),
      plural(size.counters, "counter"), static_cast<double>(size.compile_us) / 1000);
}

void add_check(CLI::App& fwctl, Session& session) {
  auto* verb = fwctl.add_subcommand("check", "Whether a policy is right; needs no daemon");
  auto options = std::make_shared<Options>();
  add_files(*verb, options->files);
  verb->add_flag("--strict", options->strict, "Exit with 1 if there are warnings");
  verb->add_flag("-v,--verbose", options->verbose, "Show how large the compiled policy is");
  verb->add_flag("--print", options->print, "Print the policy that the files make together");
  verb->callback([&session, options] { check(session, *options); });
}

}  // namespace fw::ctl
