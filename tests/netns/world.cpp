// SPDX-License-Identifier: GPL-2.0-only
#include "tests/netns/world.h"

#include <gtest/gtest.h>
#include <spdlog/fmt/fmt.h>

namespace fw::test {
namespace {

using nlohmann::json;

// Longer than any pause that a loaded machine makes, for a message that is sent once.
constexpr milliseconds kPatience{8000};
// A conversation that never pauses starves the grace periods that a policy swap waits for.
constexpr milliseconds kPause{1};
constexpr std::size_t kMessageBytes = 1200;  // fits one datagram on every link here

std::uint64_t packets_of(const json& report, const char* list, const char* key,
                         const std::string& wanted) {
  std::uint64_t sum = 0;
  for (const auto& row : report.value(list, json::array()))
    if (row.value(key, "") == wanted) sum += row.value("packets", std::uint64_t{0});
  return sum;
}

}  // namespace

std::string router_with_echo(std::string_view datapath) {
  return fmt::format(R"(version: 1
name: router
host:
  uplinks: [wan0]
  datapath: {{wan0: {0}, lan0: {0}}}
zones:
  lan: {{subnets: [192.168.1.0/24, "fd00:1::/64"], interfaces: [lan0], masquerade: true}}
services:
  shop: {{addresses: [192.168.1.100, "fd00:1::100"], ports: {{http: 8080, echo: 8007/tcp+udp, perf: 5201}}}}
publish:
  http: {{host: 80, to: shop:http, from: internet}}
  echo: {{host: 7, to: shop:echo, from: internet}}
  perf: {{host: 5201, to: shop:perf, from: internet}}
allow:
  - lan -> internet
  - lan -> host:9/tcp+udp
  - "* -> host:ping"
  - internet -> shop:ping
)",
                     datapath);
}

std::string host_with_echo(std::string_view datapath) {
  return fmt::format(R"(version: 1
name: host
host:
  uplinks: [eth0]
  datapath: {{eth0: {0}}}
zones:
  lan: {{subnets: [192.168.1.0/24, "fd00:1::/64"]}}
  dmz: {{subnets: [172.20.1.0/24, "fd00:dead:beef:1::/64"]}}
services:
  web:
    addresses: [172.20.1.10, "fd00:dead:beef:1::10"]
    ports: {{http: 80, echo: 7/tcp+udp, perf: 5201}}
publish:
  http: {{router: 80, host: 8080, to: web:http, from: [internet, lan]}}
  echo: {{router: 7, host: 8007, to: web:echo, from: [internet, lan]}}
  perf: {{host: 5201, to: web:perf, from: internet}}
allow:
  - dmz -> internet
  - dmz -> lan
  - "* -> host:ping"
)",
                     datapath);
}

json ask(const Daemon& daemon, Argv verb) {
  verb.emplace_back("--json");
  const auto output = daemon.ctl(verb);
  auto parsed = json::parse(output.out, nullptr, false);
  EXPECT_TRUE(output.ok()) << "fwctl " << verb.front() << ": " << output.describe();
  if (!parsed.is_object() || parsed.value("schema", 0) != 1) {
    ADD_FAILURE() << "fwctl " << verb.front() << " said: " << output.out;
    return json::object();
  }
  return parsed;
}

std::uint64_t dropped(const Daemon& daemon, const std::string& reason) {
  return packets_of(ask(daemon, {"counters"}), "drops", "reason", reason);
}
std::uint64_t counted_by_rule(const Daemon& daemon, const std::string& text) {
  return packets_of(ask(daemon, {"counters"}), "rules", "text", text);
}
std::uint64_t counted_at_door(const Daemon& daemon, const std::string& name) {
  return packets_of(ask(daemon, {"counters"}), "publish", "name", name);
}

std::string mode_of(const Daemon& daemon, const std::string& interface) {
  for (const auto& row : ask(daemon, {"status"}).value("interfaces", json::array()))
    if (row.value("name", "") == interface) return row.value("mode", "");
  return "";
}

bool pings(const NetNs& from, const std::string& address) {
  return from.run({"ping", "-c3", "-i0.2", "-W3", address}).ok();
}

void ping_once(const NetNs& from, const std::string& address) {
  (void)from.run({"ping", "-c1", "-W0.1", address});
}

std::unique_ptr<Conversation> Conversation::start(const NetNs& from, Transport transport,
                                                  const Endpoint& to) {
  auto client = Client::connect(from, transport, to, kPatience);
  if (!client) {
    ADD_FAILURE() << client.error().message;
    return nullptr;
  }
  std::unique_ptr<Conversation> talk{new Conversation{*std::move(client)}};
  talk->thread_ = std::thread{[it = talk.get()] { it->talk(); }};
  if (talk->goes_on()) return talk;
  ADD_FAILURE() << "with " << to.address << ": " << talk->end();
  return nullptr;
}

Conversation::~Conversation() {
  (void)end();
}

void Conversation::abandon() {
  ending_ = true;
  client_.hang_up();
  (void)end();
}

std::string Conversation::end() {
  ending_ = true;
  if (thread_.joinable()) thread_.join();
  return trouble_;
}

bool Conversation::goes_on(std::uint64_t more) const {
  const std::uint64_t goal = messages_ + more;
  return eventually(kPatience, [&] { return messages_ >= goal || failed_; }) && !failed_;
}

void Conversation::talk() {
  while (!ending_ && !failed_) {
    std::string message = std::to_string(messages_) + ".";
    message.resize(kMessageBytes, static_cast<char>('a' + messages_ % 26));
    const auto back = client_.echo(message, kPatience, Resend::kNo);
    if (back && *back == message) {
      ++messages_;
      std::this_thread::sleep_for(kPause);
      continue;
    }
    trouble_ = "message " + std::to_string(messages_) + ": " +
               (back ? "another text came back" : back.error().message);
    failed_ = true;
  }
}

}  // namespace fw::test
