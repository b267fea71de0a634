// SPDX-License-Identifier: GPL-2.0-only
// A real container engine in a namespace of the test's: its networks, rules and proxies stay in
// there. One image, "web:1": busybox with an HTTP server that tells who asks, and an echo server.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "tests/support/netns.h"

namespace fw::test {

enum class EngineKind { kDocker, kPodman };

class Engine {
 public:
  // Why an engine of this kind cannot run here; "" when it can.
  static std::string missing(EngineKind kind);
  // `netns` must outlive the Engine.
  static Result<std::unique_ptr<Engine>> start(const NetNs& netns, EngineKind kind);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  [[nodiscard]] std::string socket() const { return files_ / "engine.sock"; }
  [[nodiscard]] std::string url() const { return "unix://" + socket(); }

  // Words for `docker` or `podman`.
  [[nodiscard]] Output cli(const Argv& words) const;
  [[nodiscard]] Result<void> add_network(const std::string& name, const std::string& subnet4,
                                         const std::string& subnet6) const;
  // `docker run -d` with these flags, and then the image's own command: port 80 answers HTTP
  // ("/cgi-bin/peer": the client's address and the container's name), port 7 echoes TCP.
  [[nodiscard]] Result<void> run(const std::string& name, const Argv& flags) const;
  // A program of this machine in the network of a container.
  [[nodiscard]] Output inside(const std::string& name, const Argv& argv) const;
  [[nodiscard]] Result<void> remove(const std::string& name) const;

  void kill();  // the engine, not its containers
  Result<void> start_again();

 private:
  Engine(const NetNs& netns, EngineKind kind, Scratch files)
      : netns_(netns), kind_(kind), files_(std::move(files)) {}
  [[nodiscard]] Argv podman(const Argv& words) const;
  [[nodiscard]] Spawn environment() const;
  Result<void> import_image() const;

  const NetNs& netns_;
  EngineKind kind_;
  Scratch files_;
  std::optional<Process> process_;
};

}  // namespace fw::test
