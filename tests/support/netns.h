// SPDX-License-Identifier: GPL-2.0-only
// Network namespaces as values: made, wired up, entered, and gone at the end.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>

#include "loader/base/result.h"
#include "tests/support/process.h"

namespace fw::test {

// A namespace at /run/netns/fwt-PID-NAME-N. Loopback is up, duplicate address detection is off, so
// an IPv6 address is usable as soon as it is set.
class NetNs {
 public:
  static Result<NetNs> create(std::string_view name);
  NetNs(NetNs&& other) noexcept;
  NetNs& operator=(NetNs&& other) noexcept;
  ~NetNs();

  [[nodiscard]] const std::string& name() const { return name_; }  // as `ip -n` takes it
  [[nodiscard]] std::string path() const { return "/run/netns/" + name_; }

  // Lines for `ip -batch`: "addr add 10.0.0.1/24 dev eth0". Stops at the first that fails.
  [[nodiscard]] Result<void> ip(std::string_view lines) const;
  // "net/ipv4/ip_forward", "1".
  [[nodiscard]] Result<void> sysctl(std::string_view key, std::string_view value) const;
  // `ethtool -K`: offload("eth0", "tx", false) makes the kernel finish checksums itself, as a NIC
  // would have before the frame is on the wire.
  [[nodiscard]] Result<void> offload(std::string_view link, std::string_view feature,
                                     bool on) const;
  // 0 when there is no such link.
  [[nodiscard]] unsigned ifindex(std::string_view link) const;

  [[nodiscard]] Output run(const Argv& argv, milliseconds timeout = milliseconds{10000}) const;
  [[nodiscard]] Result<Process> start(const Argv& argv, Spawn spawn = {}) const;

  // Calls `work` in a thread that lives in this namespace, and returns what it returns. What it
  // opens (sockets, netlink, /proc/net) stays in the namespace; the caller's thread never moves.
  template <class F>
  auto enter(F&& work) const {
    using R = std::invoke_result_t<F&>;
    if constexpr (std::is_void_v<R>) {
      enter_thread([&] { work(); });
    } else {
      std::unique_ptr<R> result;
      enter_thread([&] { result = std::make_unique<R>(work()); });
      return std::move(*result);
    }
  }

 private:
  explicit NetNs(std::string name) : name_(std::move(name)) {}
  void enter_thread(const std::function<void()>& work) const;

  std::string name_;
};

// A pair of virtual cables: `left_link` in one namespace, `right_link` in the other; both up.
[[nodiscard]] Result<void> connect(const NetNs& left, std::string_view left_link,
                                   const NetNs& right, std::string_view right_link);

}  // namespace fw::test
