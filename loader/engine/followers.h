// SPDX-License-Identifier: GPL-2.0-only
// The followers of all engines, as the daemon sees them: one file descriptor to watch, and what the
// engines said last.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "loader/base/fd.h"
#include "loader/engine/snapshot.h"

namespace fw::engine {

struct Source {
  std::string url;        // unix:///run/docker.sock
  bool expected = false;  // an operator named it; a default that is missing is no trouble
};

// What this version follows unless told otherwise.
std::vector<Source> default_sources();

struct State {
  std::string url;
  std::string title;    // "docker 20.10.24"; empty: it never answered
  std::string trouble;  // empty: it answers
};

class Followers {
 public:
  // Starts a process for each source. `self` is the program that becomes one: /proc/self/exe.
  static Result<Followers> start(const std::vector<Source>& sources,
                                 const std::string& self = "/proc/self/exe");
  Followers(Followers&&) noexcept;
  Followers& operator=(Followers&&) noexcept;
  ~Followers();  // ends the processes

  [[nodiscard]] int fd() const { return epoll_.get(); }
  // Reads what came and starts again what ended. True when endpoints() may have changed.
  bool dispatch();
  // Waits until each engine has said something, but no longer than `timeout`.
  void wait_for_all(std::chrono::milliseconds timeout);

  // Of all engines. One that does not answer any more counts with what it said last: its
  // containers run on, and the kernel knows which of them are gone.
  [[nodiscard]] Endpoints endpoints() const;
  // Without the defaults that are not installed.
  [[nodiscard]] std::vector<State> states() const;

 private:
  struct Process;
  Followers(std::string self, Fd epoll, Fd timer);
  Result<void> spawn(Process& process);
  bool read_lines(Process& process);
  void restart_ended();

  std::string self_;
  Fd epoll_;
  Fd timer_;  // runs while a process has ended
  std::vector<std::unique_ptr<Process>> processes_;
};

}  // namespace fw::engine
