// SPDX-License-Identifier: GPL-2.0-only
// fwctl exposure: every door of this machine, who gets to it, what opened it, and whether the
// policy names it. Works without a policy and without a daemon.
#include "loader/exposure/exposure.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "ctl/policy.h"
#include "ctl/verbs.h"
#include "loader/compile/bind.h"
#include "loader/engine/api.h"
#include "loader/inventory/collect.h"
#include "loader/netlink/namespaces.h"
#include "loader/netlink/topology.h"

namespace fw::ctl {
namespace {

using control::Code;
using control::ExposedDoor;
using control::ExposureReport;

struct Options {
  std::vector<std::string> files;
  std::vector<std::string> engines;
};

// The policy that doors are held against, and how far it is in force.
struct Yardstick {
  std::string name;
  config::Policy policy;
  bool enforced = true;
  std::set<std::string> unattached;
};

Result<std::vector<inventory::Engine>> engines_of(const std::vector<std::string>& urls) {
  if (urls.empty()) return inventory::default_engines();
  if (urls.size() == 1 && urls.front() == "none") return std::vector<inventory::Engine>{};
  std::vector<inventory::Engine> engines;
  for (const auto& url : urls) {
    if (url == "none") return Error{"--engine none and --engine unix:///PATH exclude each other"};
    const auto socket = engine::socket_path(url);
    if (!socket) return socket.error();
    const auto name = socket->find("podman") != std::string::npos ? "podman" : "docker";
    engines.push_back({name, *socket, true});
  }
  return engines;
}

std::string joined(const std::vector<std::string>& items) {
  return fmt::format("{}", fmt::join(items, ", "));
}

// Unset: the session has failed.
std::optional<Yardstick> of_files(Session& session, const std::vector<std::string>& files) {
  auto policy = policy_of(session, files);
  if (!policy) return std::nullopt;
  std::vector<std::string> names = files;
  std::ranges::replace(names, "-", "standard input");
  return Yardstick{joined(names), *std::move(policy), true, {}};
}

// Unset: there is none, and stderr says why.
std::optional<Yardstick> in_force(Session& session) {
  const auto policy = ask(session.socket, {.verb = control::Verb::kPolicy});
  const auto status = ask(session.socket, {.verb = control::Verb::kStatus});
  const auto say = [&](const std::string& why) {
    session.say(why + ": without a policy, nothing is declared; -f FILE names one");
    return std::nullopt;
  };
  if (policy.code == Code::kNoDaemon) return say("no fwd answers on " + session.socket);
  if (policy.code != Code::kOk) return say(policy.error);
  const auto sources = control::from_json<control::PolicyReport>(policy.result);
  const auto now = control::from_json<control::StatusReport>(status.result);
  if (!sources || !now) return say("the answer of fwd is not understood");
  auto parsed = config::parse(config::Sources{sources->sources, sources->attachments});
  if (!parsed.policy) return say("the policy in force is not understood by this fwctl");
  Yardstick yardstick{fmt::format("{}@{}", parsed.policy->name, sources->generation),
                      config::in_force_at(*std::move(parsed.policy), config::now()),
                      now->enforcing,
                      {}};
  for (const auto& interface : now->interfaces)
    if (interface.mode == "none" || interface.mode == "off")
      yardstick.unattached.insert(interface.name);
  return yardstick;
}

Result<ExposureReport> look(const std::vector<inventory::Engine>& engines,
                            const std::optional<Yardstick>& yardstick) {
  auto topology = netlink::read_topology();
  if (!topology) return topology.error();
  const auto inventory = inventory::collect(engines);
  auto namespaces = netlink::read_namespaces(inventory.endpoints);
  if (!namespaces) return namespaces.error();
  topology->namespaces = std::move(*namespaces);
  if (!yardstick) return exposure::expose(inventory, *topology, nullptr);
  const auto bound = compile::bind(yardstick->policy, *topology, inventory.endpoints);
  const auto compiled = explain::Compiled::of(bound.policy, bound.topology);
  if (!compiled) return compiled.error();
  auto world = compiled->world();
  world.assumed = false;  // the topology is this machine's own
  const exposure::Guard guard{world, yardstick->enforced, yardstick->unattached};
  auto report = exposure::expose(inventory, bound.topology, &guard);
  report.policy = yardstick->name;
  return report;
}

void show_exposure(Session& session, const Options& options) {
  const auto engines = engines_of(options.engines);
  if (!engines) return session.fail(control::failure(Code::kUsage, engines.error().message));
  auto yardstick = options.files.empty() ? in_force(session) : of_files(session, options.files);
  if (!options.files.empty() && !yardstick) return;
  const auto report = look(*engines, yardstick);
  if (!report) return session.fail(control::failure(Code::kUsage, report.error().message));
  for (const auto& sentence : report->unseen) session.say(sentence);
  if (session.json)
    session.print_json(control::to_json(*report));
  else
    session.print(render(*report, session.style()));
  if (report->undeclared > 0) session.end(Code::kNo);
}

std::string place(const ExposedDoor& door) {
  const bool ipv6 = door.address.find(':') != std::string::npos;
  std::string text = ipv6 ? "[" + door.address + "]" : door.address;
  text += ":" + PortRange{door.port, door.last_port}.to_string() + "/" + door.proto;
  return door.interface.empty() ? text : text + " on " + door.interface;
}

std::string reach(const ExposedDoor& door, bool enforced) {
  if (door.local) return "this machine only";
  if (!enforced) return "any host that can route here";
  if (!door.reachable)
    return door.denied.empty() ? "nobody" : "nobody: denied by fwd (" + door.denied + ")";
  std::string text = joined(door.from);
  if (!door.unguarded.empty())
    text +=
        (text.empty() ? "" : "; ") + ("anybody by " + joined(door.unguarded)) + " (no fwd there)";
  return text;
}

std::string declared(const ExposedDoor& door) {
  if (!door.declared_by) return door.local ? "-" : "no";
  return fmt::format("{}:{}", door.declared_by->file, door.declared_by->line);
}

std::string openers(const ExposedDoor& door) {
  std::vector<std::string> texts;
  for (const auto& opener : door.opened_by) texts.push_back(opener.text);
  return joined(texts);
}

std::string advice(const ExposedDoor& door, const Style& style) {
  std::string text = "  " + style.bold(place(door)) + "\n    to declare it, add\n";
  for (const auto& line : door.declare) text += "        " + line + "\n";
  return text + "    to close it, " + door.close + "\n";
}

std::string door_table(const ExposureReport& report, const Style& style) {
  if (report.doors.empty()) return {};
  Table table({{"DOOR"}, {"DECLARED"}, {"REACHABLE FROM"}, {"OPENED BY"}});
  for (const auto& door : report.doors)
    table.add({place(door), declared(door), reach(door, report.enforced), openers(door)});
  return table.to_string(style) + "\n";
}

std::string interface_table(const ExposureReport& report, const Style& style) {
  if (report.interfaces.empty()) return {};
  Table table({{"INTERFACE"}, {"FWD GUARDS IT"}, {"ADDRESSES"}});
  for (const auto& interface : report.interfaces)
    table.add({interface.name, interface.guarded ? "yes" : "no", joined(interface.addresses)});
  return table.to_string(style) + "\n";
}

}  // namespace

std::string render(const ExposureReport& report, const Style& style) {
  std::string text = door_table(report, style);
  if (report.undeclared > 0)
    text +=
        style.bad("not declared") + (report.policy.empty() ? "" : " by " + report.policy) + "\n";
  for (const auto& door : report.doors)
    if (!door.declared && !door.local) text += advice(door, style);
  if (report.undeclared > 0) text += "\n";
  text += interface_table(report, style);
  const auto doors = report.declared + report.undeclared;
  text += fmt::format("{}, {} declared, {} undeclared", plural(doors, "door"), report.declared,
                      report.undeclared);
  if (report.local > 0) text += fmt::format("; {} more for this machine only", report.local);
  return text + "\n";
}

void add_exposure(CLI::App& fwctl, Session& session) {
  auto* verb = fwctl.add_subcommand(
      "exposure", "Every door of this machine, who gets to it, and whether the policy names it");
  auto options = std::make_shared<Options>();
  add_files(*verb, options->files,
            "Ask this policy instead of the one in force; - for standard input");
  verb->add_option("--engine", options->engines,
                   "A container engine, unix:///PATH; repeatable; none (default: docker, podman)")
      ->take_all()
      ->expected(1)
      ->type_name("URL");
  verb->callback([&session, options] { show_exposure(session, *options); });
}

}  // namespace fw::ctl
