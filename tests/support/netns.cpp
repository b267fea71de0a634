// SPDX-License-Identifier: GPL-2.0-only
#include "tests/support/netns.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace fw::test {
namespace {

Result<void> succeed(const std::string& doing, const Output& output) {
  if (output.ok()) return {};
  return Error{doing + ": " + output.describe()};
}

}  // namespace

Result<NetNs> NetNs::create(std::string_view name) {
  static const bool swept = (sweep_leftovers(), true);
  (void)swept;
  NetNs netns{unique_name(name)};
  auto added =
      succeed("making a network namespace", test::run({"ip", "netns", "add", netns.name_}));
  if (!added) return added.error();
  for (const char* scope : {"all", "default"})
    if (auto set = netns.sysctl("net/ipv6/conf/" + std::string{scope} + "/accept_dad", "0"); !set)
      return set.error();
  if (auto up = netns.ip("link set lo up"); !up) return up.error();
  return netns;
}

NetNs::NetNs(NetNs&& other) noexcept : name_(std::exchange(other.name_, {})) {}

NetNs& NetNs::operator=(NetNs&& other) noexcept {
  std::swap(name_, other.name_);
  return *this;
}

NetNs::~NetNs() {
  if (name_.empty()) return;
  umount2(path().c_str(), MNT_DETACH);
  unlink(path().c_str());
}

Result<void> NetNs::ip(std::string_view lines) const {
  const Argv argv = {"ip", "-n", name_, "-batch", "-"};
  return succeed(
      "ip -n " + name_ + " -batch\n" + std::string{lines},
      test::run(argv, {.netns = {}, .env = {}, .stdin_text = std::string{lines} + "\n"}));
}

Result<void> NetNs::sysctl(std::string_view key, std::string_view value) const {
  // /proc/sys/net shows the namespace of the thread that opens it.
  return enter([&] { return write_file("/proc/sys/" + std::string{key}, value); });
}

Result<void> NetNs::offload(std::string_view link, std::string_view feature, bool on) const {
  const Argv argv = {"ethtool", "-K", std::string{link}, std::string{feature}, on ? "on" : "off"};
  return succeed("changing the offload " + argv[3] + " of " + argv[2], run(argv));
}

unsigned NetNs::ifindex(std::string_view link) const {
  return enter([&] { return if_nametoindex(std::string{link}.c_str()); });
}

Output NetNs::run(const Argv& argv, milliseconds timeout) const {
  return test::run(argv, {.netns = path(), .env = {}, .stdin_text = {}}, timeout);
}

Result<Process> NetNs::start(const Argv& argv, Spawn spawn) const {
  spawn.netns = path();
  return Process::start(argv, spawn);
}

void NetNs::enter_thread(const std::function<void()>& work) const {
  std::thread{[&] {
    const int fd = open(path().c_str(), O_RDONLY | O_CLOEXEC);
    // Going on in the wrong namespace would change the machine's own network.
    if (fd < 0 || setns(fd, CLONE_NEWNET) != 0) {
      std::perror(("entering " + path()).c_str());
      std::abort();
    }
    close(fd);
    work();
  }}.join();
}

Result<void> connect(const NetNs& left, std::string_view left_link, const NetNs& right,
                     std::string_view right_link) {
  const std::string near{left_link};
  const std::string far{right_link};
  if (auto made = left.ip("link add " + near + " type veth peer name " + far + " netns " +
                          right.name() + "\nlink set " + near + " up");
      !made)
    return made;
  return right.ip("link set " + far + " up");
}

}  // namespace fw::test
