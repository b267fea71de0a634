// SPDX-License-Identifier: GPL-2.0-only
// What the three bench tools share: owning a skeleton, stopping on a signal, reading arguments and
// reporting errors the same way.
#pragma once

#include <bpf/libbpf.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <memory>
#include <string>

#include "loader/base/net.h"
#include "loader/base/result.h"

namespace fw::bench {

using Clock = std::chrono::steady_clock;

template <class S>
struct DestroySkeleton {
  void operator()(S* skeleton) const noexcept { S::destroy(skeleton); }
};
template <class S>
using Skeleton = std::unique_ptr<S, DestroySkeleton<S>>;

// Set by SIGINT, SIGTERM and SIGALRM once stop_on_signals() was called; loops look at it.
extern volatile std::sig_atomic_t stop_requested;
void stop_on_signals();

// Sleeps until then, or until a signal asks to stop.
void sleep_until(Clock::time_point then);

struct Endpoint {
  Address address;
  std::uint16_t port = 0;  // host byte order
};
Result<Endpoint> parse_endpoint(const std::string& text);  // "10.0.0.1:80", "[fd00::1]:80"

using Mac = std::array<std::uint8_t, 6>;
Result<Mac> parse_mac(const std::string& text);
Result<Mac> interface_mac(const std::string& name);
Result<unsigned> interface_index(const std::string& name);

// Raises the limit on locked memory (kernels before 5.11 count maps against it) and keeps libbpf
// quiet but for warnings.
void prepare_libbpf();

// Prints "NAME: sentence" to stderr; the exit code of a tool that failed.
int fail(const char* tool, const Error& error);

}  // namespace fw::bench
