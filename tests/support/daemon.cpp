// SPDX-License-Identifier: GPL-2.0-only
#include "tests/support/daemon.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

namespace fw::test {
namespace {

Result<Fd> listen_for_notify(const std::string& path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (path.size() >= sizeof(name.sun_path)) return Error{"the path " + path + " is too long"};
  std::memcpy(name.sun_path, path.c_str(), path.size() + 1);
  Fd fd{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof(name)) != 0)
    return Error::from_errno("binding " + path);
  return fd;
}

}  // namespace

std::string program_path(std::string_view name) {
  if (const char* folder = std::getenv("FWD_BIN_DIR"))
    return std::string{folder} + "/" + std::string{name};
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / name;
}

Result<std::unique_ptr<Daemon>> Daemon::create(const NetNs& netns, std::string_view policy) {
  auto files = Scratch::create("fwd");
  if (!files) return files.error();
  std::unique_ptr<Daemon> daemon{new Daemon{netns, *std::move(files)}};
  auto bpffs = daemon->files_.mount_bpffs();
  if (!bpffs) return bpffs.error();
  daemon->bpffs_ = *bpffs + "/fwd";
  auto notify = listen_for_notify(daemon->files_ / "notify");
  if (!notify) return notify.error();
  daemon->notify_ = *std::move(notify);
  if (auto written = daemon->write_policy(policy); !written) return written.error();
  return daemon;
}

Daemon::~Daemon() {
  // Pins of links hold programs to interfaces; with the file system they go, and so do they.
  if (process_) process_->stop(milliseconds{5000});
}

Result<void> Daemon::start(const Argv& more_flags, milliseconds timeout) {
  std::array<char, 4096> old_words;  // of the run before
  while (recv(notify_.get(), old_words.data(), old_words.size(), 0) > 0) continue;
  Argv argv = {
      program_path("fwd"), "--config",       policy_file(), "--socket", socket(), "--bpffs", bpffs_,
      "--state",           files_ / "state", "--metrics",   "off"};
  // The machine's own engines know nothing of a namespace of the test's.
  if (std::ranges::find(more_flags, "--engine") == more_flags.end())
    argv.insert(argv.end(), {"--engine", "none"});
  argv.insert(argv.end(), more_flags.begin(), more_flags.end());
  auto process = netns_.start(
      argv, {.netns = {}, .env = {"NOTIFY_SOCKET=" + (files_ / "notify")}, .stdin_text = {}});
  if (!process) return process.error();
  process_.emplace(*std::move(process));
  bool is_ready = false;
  eventually(timeout, [&] { return (is_ready = ready()) || !process_->running(); });
  if (is_ready) return {};
  return Error{"fwd did not become ready: " + process_->stop().describe()};
}

bool Daemon::ready() {
  std::array<char, 4096> buffer;
  const ssize_t got = recv(notify_.get(), buffer.data(), buffer.size(), 0);
  return got > 0 && std::string_view{buffer.data(), static_cast<std::size_t>(got)}.find(
                        "READY=1") != std::string_view::npos;
}

Output Daemon::stop() {
  return process_ ? process_->stop(milliseconds{10000}) : Output{};
}

Output Daemon::kill() {
  if (!process_) return {};
  process_->signal(SIGKILL);
  return process_->wait(milliseconds{10000});
}

bool Daemon::running() {
  return process_ && process_->running();
}

Output Daemon::ctl(const Argv& words, milliseconds timeout) const {
  Argv argv = {program_path("fwctl")};
  argv.insert(argv.end(), words.begin(), words.end());
  return test::run(
      argv, {.netns = netns_.path(), .env = {"FWD_SOCKET=" + socket()}, .stdin_text = {}}, timeout);
}

Result<void> Daemon::write_policy(std::string_view text) {
  return write_file(policy_file(), text);
}

Output Daemon::apply(std::string_view text) {
  if (auto written = write_policy(text); !written) return {-1, false, "", written.error().message};
  return ctl({"apply", "-f", policy_file(), "--no-confirm"});
}

}  // namespace fw::test
