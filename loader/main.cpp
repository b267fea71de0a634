// SPDX-License-Identifier: GPL-2.0-only
// fwd: flags -> options -> daemon -> exit code.
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/sinks/systemd_sink.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "loader/bpf/log.h"
#include "loader/daemon.h"
#include "loader/engine/api.h"
#include "loader/engine/follower.h"

namespace {

// To the journal with fields under systemd, else to stderr.
void set_up_log() {
  if (std::getenv("JOURNAL_STREAM") != nullptr) {
    spdlog::set_default_logger(std::make_shared<spdlog::logger>(
        "fwd", std::make_shared<spdlog::sinks::systemd_sink_mt>()));
    return;
  }
  spdlog::set_default_logger(spdlog::stderr_color_mt("fwd"));
  spdlog::set_pattern("%^%l%$: %v");
}

// What the contract names and this version does not have is refused, never ignored.
std::string only(const std::string& given, const std::string& allowed) {
  if (given == allowed) return {};
  return "this version of fwd supports only '" + allowed + "' here";
}

std::string engine_fault(const std::string& given) {
  if (given == "none") return {};
  const auto path = fw::engine::socket_path(given);
  return path ? std::string{} : path.error().message;
}

// "none" beside others says nothing more than they do.
std::vector<fw::engine::Source> sources_of(const std::vector<std::string>& engines) {
  std::vector<fw::engine::Source> sources;
  for (const auto& engine : engines)
    if (engine != "none") sources.push_back({.url = engine, .expected = true});
  return sources;
}

int run(int argc, char** argv) {
  set_up_log();
  fw::bpf::capture_libbpf_log();

  fw::DaemonOptions options;
  CLI::App app{"fwd: packet filter and port forwarder for hosts that run containers"};
  app.set_version_flag("--version", "fwd " FWD_VERSION);
  app.add_option("--config", options.config, "Policy file, repeatable: a later one overlays")
      ->take_all()
      ->expected(1)
      ->capture_default_str();
  app.add_option("--socket", options.socket, "Control socket")
      ->envname("FWD_SOCKET")
      ->capture_default_str();
  app.add_option("--bpffs", options.firewall.datapath.bpffs, "Folder of pinned maps and links")
      ->capture_default_str();
  app.add_option("--state", options.firewall.state_directory, "State folder")
      ->capture_default_str();
  std::string metrics;
  app.add_option("--metrics", metrics, "ADDR:PORT to serve metrics at, or off")
      ->check([](const std::string& given) { return only(given, "off"); });
  std::vector<std::string> engines;
  app.add_option("--engine", engines,
                 "Container engine to follow: unix:///PATH, repeatable, or none [docker's and "
                 "podman's sockets in /run]")
      ->check(engine_fault);
  std::string followed;
  app.add_option("--follow-engine", followed)->group("");  // how fwd starts its followers
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : static_cast<int>(fw::Exit::kUsage);
  }
  if (!followed.empty()) return fw::engine::follow(followed, fw::engine::kFollowerOutput);
  if (!engines.empty()) options.engines = sources_of(engines);
  return static_cast<int>(fw::run_daemon(options));
}

}  // namespace

int main(int argc, char** argv) {
  // Nothing of ours throws; a library that runs out of memory does.
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fwd: %s; the datapath stays as it is\n", error.what());
    return static_cast<int>(fw::Exit::kFailed);
  }
}
