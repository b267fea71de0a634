// SPDX-License-Identifier: GPL-2.0-only
#include "tests/support/engine.h"

#include <signal.h>
#include <sys/mount.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

namespace fw::test {
namespace {

namespace fs = std::filesystem;

constexpr milliseconds kReady{20000};
constexpr milliseconds kPatience{60000};

// What podman needs where the machine has a hybrid of cgroup v1 and v2 and no journal.
constexpr const char* kPodmanConf = R"([containers]
default_ulimits = ["nofile=20000:20000", "nproc=30000:30000"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
)";

constexpr const char* kPeer = R"sh(#!/bin/sh
printf 'Content-Type: text/plain\r\n\r\n%s %s\n' "$REMOTE_ADDR" "$(hostname)"
)sh";

constexpr const char* kImageCommand =
    R"(CMD ["/bin/sh", "-c", "nc -ll -p 7 -e /bin/cat & exec httpd -f -h /www -p 80"])";

bool has_program(const std::string& name) {
  return run({"sh", "-c", "command -v " + name}).ok();
}

Result<void> succeed(const Output& output, const std::string& doing) {
  if (output.ok()) return {};
  return Error{doing + ": " + output.describe()};
}

// Namespaces and layers that the engine mounted in its folder.
void unmount_below(const fs::path& folder) {
  std::ifstream mounts("/proc/self/mounts");
  std::vector<std::string> points;
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream words(line);
    std::string device;
    std::string point;
    words >> device >> point;
    if (point.starts_with(folder.string() + "/")) points.push_back(point);
  }
  for (auto point = points.rbegin(); point != points.rend(); ++point)
    umount2(point->c_str(), MNT_DETACH);
}

}  // namespace

std::string Engine::missing(EngineKind kind) {
  std::vector<std::string> needed = {"runc", "busybox"};
  if (kind == EngineKind::kDocker)
    needed.insert(needed.end(), {"dockerd", "docker"});
  else
    needed.emplace_back("podman");
  std::string missing;
  for (const auto& name : needed)
    if (!has_program(name)) missing += (missing.empty() ? "" : ", ") + name;
  return missing;
}

Result<std::unique_ptr<Engine>> Engine::start(const NetNs& netns, EngineKind kind) {
  auto files = Scratch::create("engine");
  if (!files) return files.error();
  std::unique_ptr<Engine> engine{new Engine(netns, kind, *std::move(files))};
  if (auto written = write_file(engine->files_ / "containers.conf", kPodmanConf); !written)
    return written.error();
  if (auto started = engine->start_again(); !started) return started.error();
  if (auto imported = engine->import_image(); !imported) return imported.error();
  return engine;
}

Engine::~Engine() {
  if (!process_) (void)start_again();
  const auto all = cli({"ps", "-aq"});
  std::istringstream ids(all.out);
  for (std::string id; ids >> id;) (void)remove(id);
  if (process_) process_->stop(milliseconds{10000});
  unmount_below(files_.path());
}

Spawn Engine::environment() const {
  return {.netns = netns_.path(),
          .env = {"DOCKER_HOST=" + url(), "CONTAINERS_CONF=" + (files_ / "containers.conf")},
          .stdin_text = {}};
}

Argv Engine::podman(const Argv& words) const {
  Argv argv = {
      "podman",   "--root",       files_ / "root",        "--runroot",    files_ / "runroot",
      "--tmpdir", files_ / "tmp", "--network-config-dir", files_ / "net", "--storage-driver",
      "vfs"};
  argv.insert(argv.end(), words.begin(), words.end());
  return argv;
}

Output Engine::cli(const Argv& words) const {
  Argv argv = {"docker"};
  argv.insert(argv.end(), words.begin(), words.end());
  return test::run(kind_ == EngineKind::kDocker ? argv : podman(words), environment(), kPatience);
}

void Engine::kill() {
  if (!process_) return;
  process_->signal(SIGKILL);
  process_->wait(milliseconds{10000});
  process_.reset();
  // docker's containerd dies with it. Where nobody reaps orphans it is still a process, and a new
  // dockerd would wait for it.
  std::error_code ignored;
  fs::remove(files_.path() / "exec/containerd/containerd.pid", ignored);
}

Result<void> Engine::start_again() {
  const Argv docker = {"dockerd",
                       "-H",
                       url(),
                       "--data-root",
                       files_ / "data",
                       "--exec-root",
                       files_ / "exec",
                       "-p",
                       files_ / "pid",
                       "--exec-opt",
                       "native.cgroupdriver=cgroupfs",
                       "--live-restore"};
  auto process = Process::start(
      kind_ == EngineKind::kDocker ? docker : podman({"system", "service", "-t", "0", url()}),
      environment());
  if (!process) return process.error();
  process_.emplace(*std::move(process));
  const bool ready = eventually(kReady, [this] {
    return test::run({"curl", "-sf", "--unix-socket", socket(), "http://engine/v1.41/version"})
               .ok() ||
           !process_->running();
  });
  if (ready && process_->running()) return {};
  return Error{"the container engine did not start: " + process_->stop().describe()};
}

Result<void> Engine::import_image() const {
  const fs::path root = files_.path() / "image";
  std::error_code failed;
  for (const char* folder : {"bin", "www/cgi-bin", "proc", "sys", "dev", "etc", "tmp"})
    fs::create_directories(root / folder, failed);
  fs::copy_file("/bin/busybox", root / "bin/busybox", failed);
  if (failed) return Error{"copying busybox into an image: " + failed.message()};
  for (const char* applet : {"sh", "httpd", "nc", "cat", "hostname"})
    fs::create_symlink("busybox", root / "bin" / applet, failed);
  if (auto written = write_file(root / "www/cgi-bin/peer", kPeer); !written) return written;
  fs::permissions(root / "www/cgi-bin/peer", fs::perms{0755}, failed);
  const std::string archive = files_ / "image.tar";
  if (auto packed =
          succeed(test::run({"tar", "-C", root.string(), "-cf", archive, "."}), "packing an image");
      !packed)
    return packed;
  return succeed(cli({"import", "--change", kImageCommand, archive, "web:1"}),
                 "importing an image");
}

Result<void> Engine::add_network(const std::string& name, const std::string& subnet4,
                                 const std::string& subnet6) const {
  return succeed(
      cli({"network", "create", "--subnet", subnet4, "--ipv6", "--subnet", subnet6, name}),
      "making the network " + name);
}

Result<void> Engine::run(const std::string& name, const Argv& flags) const {
  Argv words = {"run", "-d", "--name", name, "--hostname", name};
  words.insert(words.end(), flags.begin(), flags.end());
  words.emplace_back("web:1");
  return succeed(cli(words), "starting the container " + name);
}

Output Engine::inside(const std::string& name, const Argv& argv) const {
  std::istringstream answer(cli({"inspect", "-f", "{{.State.Pid}}", name}).out);
  std::string pid;
  answer >> pid;
  return test::run(argv, {.netns = "/proc/" + pid + "/ns/net", .env = {}, .stdin_text = {}});
}

Result<void> Engine::remove(const std::string& name) const {
  // At once: httpd does not listen to SIGTERM as the first process of a container.
  (void)cli({"kill", name});
  return succeed(cli({"rm", "-f", name}), "removing the container " + name);
}

}  // namespace fw::test
