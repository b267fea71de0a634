// SPDX-License-Identifier: GPL-2.0-only
// The process that follows one container engine: asks, listens to events, asks again, and writes a
// Snapshot as a line for each change. It has no right but to open the engine's socket.
#pragma once

#include <string>

namespace fw::engine {

// Where a follower writes its lines; set up by the daemon before it becomes one.
inline constexpr int kFollowerOutput = 3;

// Gives up all rights and follows until the reader of `output` is gone. Returns the exit code.
int follow(const std::string& url, int output);

}  // namespace fw::engine
