// SPDX-License-Identifier: GPL-2.0-only
#include "loader/engine/follower.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <map>
#include <set>
#include <thread>

#include "loader/engine/api.h"
#include "loader/engine/events.h"
#include "loader/engine/listing.h"
#include "loader/engine/snapshot.h"

namespace fw::engine {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using namespace std::chrono_literals;

// Events come in bursts (create, connect, start). Shorter than the 200 ms between a container's
// veth and its first packet.
constexpr auto kQuiet = 20ms;
constexpr auto kLongestBurst = 100ms;
// What no event told, and an engine that hangs, are found by asking for everything.
constexpr auto kFullInterval = 30s;
constexpr auto kRetry = 1s;
constexpr rlim_t kMemoryBytes = 1U << 30U;

// Events say "exec_start: sh" and "health_status: healthy", many times a second at some engines.
bool matters(const std::string& action) {
  static const std::set<std::string> kActions = {
      "create", "init",   "start",   "restart",    "die",     "died",   "stop", "destroy",
      "remove", "rename", "connect", "disconnect", "cleanup", "update", "sync"};
  return kActions.contains(action);
}

const json& member(const json& object, const char* name) {
  static const json kNothing;
  const auto found = object.is_object() ? object.find(name) : object.end();
  return object.is_object() && found != object.end() ? *found : kNothing;
}

class Follower {
 public:
  Follower(std::string socket, int output) : socket_(std::move(socket)), output_(output) {}

  // Until nobody reads any more.
  void run() {
    while (!deaf_) {
      if (const auto ended = session(); !ended)
        say({.engine = {},
             .trouble = ended.error().message,
             .code = ended.error().code,
             .endpoints = {}});
      std::this_thread::sleep_for(kRetry);
    }
  }

 private:
  Result<void> session() {
    const auto since = std::chrono::system_clock::now() - 1s;
    const auto version = get(socket_, "/version");
    if (!version) return version.error();
    name_ = engine_name(*version);
    title_ = engine_title(*version);
    auto events = EventStream::open(socket_, since);
    if (!events) return events.error();
    while (!deaf_) {
      known_.clear();
      if (auto asked = ask(); !asked) return asked;
      const auto full = steady_clock::now() + kFullInterval;
      while (!deaf_ && steady_clock::now() < full) {
        const auto changed = listen(*events, full);
        if (!changed) return changed.error();
        if (!*changed) continue;
        if (auto asked = ask(); !asked) return asked;
      }
    }
    return {};
  }

  // Waits for events that matter, and for the end of their burst.
  Result<bool> listen(EventStream& events, steady_clock::time_point until) {
    bool changed = false;
    while (steady_clock::now() < until) {
      const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now());
      const auto heard = events.wait(changed ? std::min<milliseconds>(left, kQuiet) : left);
      if (!heard) return heard.error();
      if (heard->empty()) return changed;
      const bool first = !changed;
      for (const json& event : *heard) changed = note(event) || changed;
      if (changed && first) until = std::min(until, steady_clock::now() + kLongestBurst);
    }
    return changed;
  }

  bool note(const json& event) {
    if (!matters(text_of(event, "Action"))) return false;
    const json& actor = member(event, "Actor");
    known_.erase(text_of(actor, "ID"));
    known_.erase(text_of(member(actor, "Attributes"), "container"));
    return true;
  }

  // Everything that is not known, or may have changed since.
  Result<void> ask() {
    auto endpoints = list_endpoints(socket_, name_, known_);
    if (!endpoints) return endpoints.error();
    say({.engine = title_, .trouble = {}, .code = 0, .endpoints = *std::move(endpoints)});
    return {};
  }

  void say(const Snapshot& snapshot) {
    std::string line = to_line(snapshot);
    if (line == last_) return;
    last_ = line;
    line += '\n';
    for (std::size_t written = 0; written < line.size();) {
      const ssize_t wrote = write(output_, line.data() + written, line.size() - written);
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0) {
        deaf_ = true;
        return;
      }
      written += static_cast<std::size_t>(wrote);
    }
  }

  std::string socket_;
  int output_;
  bool deaf_ = false;  // nobody reads
  std::string name_;
  std::string title_;
  std::string last_;                        // line
  std::map<std::string, Container> known_;  // by id; one that may have changed is not in it
};

// The engine's socket is root's, and so is this process; that is all it needs.
bool give_up_rights() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> none{};
  const rlimit memory{.rlim_cur = kMemoryBytes, .rlim_max = kMemoryBytes};
  return syscall(SYS_capset, &header, none.data()) == 0 &&
         prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && setrlimit(RLIMIT_DATA, &memory) == 0;
}

}  // namespace

int follow(const std::string& url, int output) {
  prctl(PR_SET_NAME, "fwd-engine");
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const auto socket = socket_path(url);
  if (!socket) {
    std::fprintf(stderr, "fwd-engine: %s\n", socket.error().message.c_str());
    return 1;
  }
  if (!give_up_rights()) {
    std::perror("fwd-engine: giving up rights");
    return 1;
  }
  std::signal(SIGPIPE, SIG_IGN);  // NOLINT: the write says so, too
  Follower{*socket, output}.run();
  return 0;
}

}  // namespace fw::engine
