// SPDX-License-Identifier: GPL-2.0-only
// A real web server in a namespace: the far end of the product's main job.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/netns.h"

namespace fw::test {

// Debian's nginx with a configuration and a folder of its own, on IPv4 and IPv6. "/" answers with
// the client's address as nginx sees it, "/big" is a file of `kBigBytes`.
class Nginx {
 public:
  static constexpr std::size_t kBigBytes = 32U << 20U;

  static Result<Nginx> start(const NetNs& netns, std::uint16_t port = 80);

  // "ADDRESS STATUS REQUEST" of each finished request, oldest first.
  [[nodiscard]] std::vector<std::string> access_log() const;
  // Where files to serve can be put.
  [[nodiscard]] std::string root() const { return prefix_ / "html"; }

 private:
  Nginx(Scratch prefix, Process process)
      : prefix_(std::move(prefix)), process_(std::move(process)) {}

  Scratch prefix_;
  Process process_;
};

}  // namespace fw::test
