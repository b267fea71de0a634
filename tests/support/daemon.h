// SPDX-License-Identifier: GPL-2.0-only
// The real fwd, as an operator runs it, in a namespace; and the real fwctl that talks to it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "loader/base/fd.h"
#include "tests/support/netns.h"

namespace fw::test {

// Where the programs under test are: FWD_BIN_DIR, or the folder that this test is in.
std::string program_path(std::string_view name);

// One fwd with a socket, state folder, policy file and BPF file system of its own, which stay the
// same over restarts. The destructor ends the process and removes all of it, pins included.
class Daemon {
 public:
  // Does not start it yet. `netns` must outlive the Daemon.
  static Result<std::unique_ptr<Daemon>> create(const NetNs& netns, std::string_view policy);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Starts it and waits until it says READY=1 (sd_notify), which is once it enforces. Its own
  // words are in the error.
  Result<void> start(const Argv& more_flags = {}, milliseconds timeout = milliseconds{60000});
  Output stop();  // SIGTERM: what is pinned goes on enforcing
  Output kill();  // SIGKILL, likewise
  [[nodiscard]] bool running();
  [[nodiscard]] pid_t pid() const { return process_ ? process_->pid() : 0; }
  [[nodiscard]] std::string log() const { return process_ ? process_->err() : ""; }

  // fwctl, in the same namespace.
  [[nodiscard]] Output ctl(const Argv& words, milliseconds timeout = milliseconds{60000}) const;
  // Replaces the policy file; `apply` as well.
  Result<void> write_policy(std::string_view text);
  Output apply(std::string_view text);

  [[nodiscard]] std::string policy_file() const { return files_ / "fwd.yaml"; }
  [[nodiscard]] std::string socket() const { return files_ / "fwd.sock"; }
  [[nodiscard]] std::string bpffs() const { return bpffs_; }

 private:
  Daemon(const NetNs& netns, Scratch files) : netns_(netns), files_(std::move(files)) {}
  bool ready();

  const NetNs& netns_;
  Scratch files_;
  std::string bpffs_;
  Fd notify_;  // where sd_notify's words arrive
  std::optional<Process> process_;
};

}  // namespace fw::test
