// SPDX-License-Identifier: GPL-2.0-only
// What the end-to-end tests ask of a network under fwd: who reaches whom, what was counted, and did
// a conversation that went on meanwhile lose anything?
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "tests/support/lab.h"
#include "tests/support/sockets.h"

namespace fw::test {

// The two policies of the main job with an echo door (7 -> 8007 -> 7, TCP and UDP) and iperf3's,
// ping, and containers that may go out.
std::string router_with_echo(std::string_view datapath);
std::string host_with_echo(std::string_view datapath);

// fwctl VERB... --json; an empty object and a failed test when it is not one object of schema 1.
nlohmann::json ask(const Daemon& daemon, Argv verb);

// Packets dropped for a reason, let through by a rule's text, or through a door.
std::uint64_t dropped(const Daemon& daemon, const std::string& reason);
std::uint64_t counted_by_rule(const Daemon& daemon, const std::string& text);
std::uint64_t counted_at_door(const Daemon& daemon, const std::string& name);
std::string mode_of(const Daemon& daemon, const std::string& interface);  // "" when it has none

// At least one of three echo requests is answered.
bool pings(const NetNs& from, const std::string& address);
// One request, too hasty to tell silence from slowness: for what the counters shall show.
void ping_once(const NetNs& from, const std::string& address);

// A conversation with an EchoServer that goes on until it is ended: each message is checked when it
// comes back, and only then is the next one sent. UDP messages are sent once.
class Conversation {
 public:
  static std::unique_ptr<Conversation> start(const NetNs& from, Transport transport,
                                             const Endpoint& to);
  ~Conversation();
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  [[nodiscard]] std::uint64_t messages() const { return messages_; }
  // `more` messages went there and back since the call.
  [[nodiscard]] bool goes_on(std::uint64_t more = 3) const;
  [[nodiscard]] bool has_failed() const { return failed_; }
  // Ends it without a verdict, for one that was cut.
  void abandon();
  // Ends it. "" when nothing was ever lost or wrong, else what was.
  std::string end();

 private:
  explicit Conversation(Client client) : client_(std::move(client)) {}
  void talk();

  Client client_;
  std::atomic<bool> ending_{false};
  std::atomic<bool> failed_{false};
  std::atomic<std::uint64_t> messages_{0};
  std::string trouble_;
  std::thread thread_;
};

}  // namespace fw::test
