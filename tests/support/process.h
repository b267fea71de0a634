// SPDX-License-Identifier: GPL-2.0-only
// Programs of the system in a namespace of the test: run to the end, or kept running and ended by
// pid. Every child dies with this process, so that a crashed test leaves none behind.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "loader/base/result.h"
#include "tests/support/scratch.h"

namespace fw::test {

using Argv = std::vector<std::string>;
using std::chrono::milliseconds;

// Polls until `condition` holds; false when it does not within `deadline`.
bool eventually(milliseconds deadline, const std::function<bool()>& condition);

struct Output {
  int status = -1;  // exit code; 128 + signal number when a signal ended it
  bool timed_out = false;
  std::string out;
  std::string err;

  [[nodiscard]] bool ok() const { return status == 0 && !timed_out; }
  // All of it, for a failed expectation.
  [[nodiscard]] std::string describe() const;
};

struct Spawn {
  std::string netns;             // path of the network namespace; "": this one
  std::vector<std::string> env;  // "NAME=value", added to the environment
  std::string stdin_text;        // what the program reads
};

// A child process. The destructor ends it: SIGTERM, then SIGKILL after a second.
class Process {
 public:
  // Must be called from a thread that outlives the process: the kernel ends it with that thread.
  static Result<Process> start(const Argv& argv, const Spawn& spawn = {});
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  ~Process();

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool running();
  void signal(int number) const;  // to this pid only
  // Waits for the end; the output so far with `timed_out` (and the process running) after that.
  Output wait(milliseconds timeout);
  // SIGTERM, SIGKILL after `grace`; what it said.
  Output stop(milliseconds grace = milliseconds{1000});
  // What it said until now.
  [[nodiscard]] std::string out() const;
  [[nodiscard]] std::string err() const;

 private:
  explicit Process(Scratch files) : files_(std::move(files)) {}
  void reap(int wait_status);

  Scratch files_;  // its stdin, stdout and stderr
  pid_t pid_ = -1;
  std::optional<int> status_;
};

// Runs a program to its end; after `timeout` it is killed and `timed_out` is set.
Output run(const Argv& argv, const Spawn& spawn = {}, milliseconds timeout = milliseconds{10000});

}  // namespace fw::test
