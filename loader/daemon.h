// SPDX-License-Identifier: GPL-2.0-only
// fwd's life: start, follow the network, answer fwctl, and leave the datapath enforcing.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "loader/base/fd.h"
#include "loader/control/server.h"
#include "loader/engine/followers.h"
#include "loader/firewall.h"
#include "loader/netlink/watcher.h"

namespace fw {

struct DaemonOptions {
  std::vector<std::string> config = {"/etc/fwd/fwd.yaml"};  // each overlays those before it
  std::string socket = control::kDefaultSocket;
  std::vector<engine::Source> engines = engine::default_sources();
  FirewallOptions firewall;
};

// fwd's exit codes (docs/operating.md).
enum class Exit { kOk = 0, kFailed = 1, kUsage = 2, kNotPermitted = 4 };

// Starts, says READY=1 once it enforces, and runs until SIGTERM, SIGINT or `fwctl teardown`. What
// went wrong is on the log as one sentence.
Exit run_daemon(const DaemonOptions& options);

}  // namespace fw
