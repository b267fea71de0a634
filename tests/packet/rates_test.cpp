// SPDX-License-Identifier: GPL-2.0-only
// Limits: how many flows a source may start, and how many it may hold. Rates are so low that no
// test waits for, or is overtaken by, the next token.
#include "tests/support/datapath_fixture.h"

#include <chrono>

namespace fw::test {
namespace {

constexpr const char* kOther = "198.51.100.11";
constexpr At kUp[] = {At::kXdpUp, At::kTcUp};

std::string with(std::string policy, const std::string& from, const std::string& to) {
  const auto at = policy.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return policy.replace(at, from.size(), to);
}

class Rates : public PacketTest {
 protected:
  // The door http, by SYN number `number`.
  static Bytes syn(int number, const char* from = kClient) {
    return at_up() / Ip4{.src = from, .dst = kSelf} / tcp(number, 8080);
  }
  static Tcp tcp(int number, std::uint16_t port) {
    return {.sport = static_cast<std::uint16_t>(40000 + number), .dport = port, .syn = true};
  }
  void expect_pass(At at, int number, const char* from = kClient) {
    expect_forward(at, syn(number, from),
                   to_web() / Ip4{.src = from, .dst = kWeb, .ttl = 63} / tcp(number, 80),
                   "http internet dmz");
  }
  void expect_limited(At at, int number, const char* from = kClient) {
    expect_drop(at, syn(number, from), kOverDoor);
  }
  static std::string limited_door(const std::string& limit) {
    return with(kPolicy, "from: [internet, lan]}", "from: [internet, lan], limit: " + limit + "}");
  }
  static std::string limits(const std::string& text) {
    return with(kPolicy, "zones:\n", "limits: {" + text + "}\nzones:\n");
  }

  static constexpr const char* kOverDoor = "RATE_LIMITED internet host, http * *";
};

TEST_F(Rates, ADoorTakesItsNumberOfEachSource) {
  enforce(limited_door("3/h per source"));
  for (const At at : kUp) {
    forget_flows();
    for (int i = 0; i < 3; ++i) expect_pass(at, i);
    expect_limited(at, 3);
    expect_limited(at, 4);
    expect_pass(at, 3, kOther);
  }
}

TEST_F(Rates, OrOfAllTogether) {
  enforce(limited_door("2/h"));
  for (const At at : kUp) {
    forget_flows();
    expect_pass(at, 0);
    expect_pass(at, 1, kOther);
    expect_limited(at, 2);
    expect_limited(at, 2, kOther);
  }
}

TEST_F(Rates, TheHooksShareOneBucket) {
  enforce(limited_door("2/h per source"));
  expect_pass(At::kXdpUp, 0);
  expect_pass(At::kTcUp, 1);
  expect_limited(At::kXdpUp, 2);
  expect_limited(At::kTcUp, 2);
}

TEST_F(Rates, OnlyNewFlowsCount) {
  enforce(limited_door("1/h per source"));
  for (const At at : kUp) {
    forget_flows();
    for (int i = 0; i < 3; ++i) expect_pass(at, 0);  // one SYN, sent again
    const Tcp answer{.sport = 80, .dport = 40000, .syn = true, .ack = true};
    Tcp translated = answer;
    translated.sport = 8080;
    expect_forward(At::kFromWeb, at_bridge() / Ip4{.src = kWeb, .dst = kClient} / answer,
                   to_world() / Ip4{.src = kSelf, .dst = kClient, .ttl = 63} / translated,
                   "http internet dmz");
    expect_limited(at, 1);
    // A new policy judges the flow again; that starts none.
    enforce(limited_door("1/h per source") + "  - 203.0.114.0/24 -> *\n");
    Tcp more{.sport = 40000, .dport = 8080, .ack = true};
    Tcp through = more;
    through.dport = 80;
    expect_forward(at, at_up() / Ip4{.src = kClient, .dst = kSelf} / more,
                   to_web() / Ip4{.src = kClient, .dst = kWeb, .ttl = 63} / through,
                   "http internet dmz");
    expect_limited(at, 1);
    enforce(limited_door("1/h per source"));
  }
}

// XDP hands up what it cannot finish, after or before its flow was opened.
TEST_F(Rates, APacketThatGoesThroughBothHooksCountsOnce) {
  enforce(limited_door("1/h per source"));
  Tcp unfinished = tcp(0, 8080);
  unfinished.csum = kUnfinished;
  expect_untouched(At::kXdpUp, at_up() / Ip4{.src = kClient, .dst = kSelf} / unfinished);
  expect_pass(At::kTcUp, 0);
  expect_limited(At::kTcUp, 1);

  enforce(with(kPolicy, "  - \"* -> host:ping\"",
               "  - {from: \"*\", to: \"host:ping\", limit: 1/h per source}"));
  const Bytes ping = at_up() / Ip4{.src = kClient, .dst = kSelf} / Icmp{.id = 1};
  expect_stack(At::kXdpUp, ping, "");
  expect_stack(At::kTcUp, ping, "* -> host:ping internet host");
  const Bytes second = at_up() / Ip4{.src = kClient, .dst = kSelf} / Icmp{.id = 2};
  expect_untouched(At::kXdpUp, second);
  expect_drop(At::kTcUp, second, "RATE_LIMITED internet host, * -> host:ping * *");
}

TEST_F(Rates, AnIpv6SourceIsItsNetwork) {
  enforce(limited_door("1/h per source"));
  const auto from = [](const char* source) {
    return Bytes{at_up() / Ip6{.src = source, .dst = kSelfV6} / tcp(0, 8080)};
  };
  expect_forward(At::kXdpUp, from("2001:db8:1::10"),
                 to_web() / Ip6{.src = kClientV6, .dst = kWebV6, .hop_limit = 63} / tcp(0, 80),
                 "http internet dmz");
  expect_drop(At::kXdpUp, from("2001:db8:1::11"), kOverDoor);
  expect_drop(At::kTcUp, from("2001:db8:1:0:ffff::1"), kOverDoor);
  expect_forward(
      At::kXdpUp, from("2001:db8:1:1::10"),
      to_web() / Ip6{.src = "2001:db8:1:1::10", .dst = kWebV6, .hop_limit = 63} / tcp(0, 80),
      "http internet dmz");
}

TEST_F(Rates, ARuleCountsWhatIsOverItsLimit) {
  enforce(with(kPolicy, "  - web -> api:8000", "  - {from: web, to: api:8000, limit: 1/h}"));
  const auto to_api = [](std::uint16_t sport) {
    return Bytes{Eth{.src = kWebMac, .dst = kApiMac} / Ip4{.src = kWeb, .dst = kApi} /
                 Tcp{.sport = sport, .dport = 8000, .syn = true}};
  };
  expect_forward(At::kFromWeb, to_api(1), to_api(1), "web -> api:8000/tcp dmz dmz");
  expect_drop(At::kFromWeb, to_api(2), "RATE_LIMITED dmz dmz, web -> api:8000/tcp * *");
}

TEST_F(Rates, SynsAreLimitedOverAllDoors) {
  enforce(limits("syn: {rate: 2/h, per: source}"));
  for (const At at : kUp) {
    forget_flows();
    expect_pass(at, 0);
    expect_forward(at, at_up() / Ip4{.src = kClient, .dst = kSelf} / tcp(1, 5432),
                   to_db() / Ip4{.src = kClient, .dst = kDb, .ttl = 63} / tcp(1, 5432),
                   "data internet internal");
    expect_drop(at, syn(2), "RATE_LIMITED internet host");
    expect_pass(at, 2, kOther);
    // Neither datagrams nor what is no door.
    expect_forward(at, at_up() / Ip4{.src = kClient, .dst = kSelf} / Udp{.dport = 5353},
                   to_web() / Ip4{.src = kClient, .dst = kWeb, .ttl = 63} / Udp{.dport = 53},
                   "names internet dmz");
  }
}

TEST_F(Rates, WhatIsOverALimitIsNotAnswered) {
  enforce(with(limited_door("1/h per source"), "name:", "deny: reject\nname:"));
  expect_pass(At::kXdpUp, 0);
  for (const At at : kUp) expect_limited(at, 1);
}

TEST_F(Rates, HostAdminHasNone) {
  enforce(limits("flows: {max: 1, per_source: 1}"));
  for (int i = 0; i < 5; ++i)
    expect_stack(At::kTcUp, at_up() / Ip4{.src = kLanClient, .dst = kSelf} / tcp(i, 22),
                 "lan -> host:22/tcp lan host");
}

TEST_F(Rates, ASourceHoldsSoManyFlows) {
  enforce(limits("flows: {per_source: 2}"));
  for (const At at : kUp) {
    forget_flows();
    expect_pass(at, 0);
    expect_pass(at, 1);
    expect_drop(at, syn(2), "FLOW_LIMIT internet host");
    expect_pass(at, 1);
    expect_pass(at, 2, kOther);
    // Counting anew changes nothing.
    FW_ASSERT_OK(machine_->datapath().sweep());
    expect_drop(at, syn(2), "FLOW_LIMIT internet host");
    expect_pass(at, 3, kOther);
    expect_drop(at, syn(4, kOther), "FLOW_LIMIT internet host");
  }
}

TEST_F(Rates, AllTogetherHoldSoMany) {
  enforce(limits("flows: {max: 2}"));
  for (const At at : kUp) {
    forget_flows();
    expect_pass(at, 0);
    expect_pass(at, 1, kOther);
    expect_drop(at, syn(2), "FLOW_LIMIT internet host");
    FW_ASSERT_OK(machine_->datapath().sweep());
    expect_drop(at, syn(3, "198.51.100.12"), "FLOW_LIMIT internet host");
  }
}

// Flows of a time without the limit are found when it comes.
TEST_F(Rates, ALimitCountsTheFlowsThatAreThere) {
  for (int i = 0; i < 3; ++i) expect_pass(At::kXdpUp, i);
  enforce(limits("flows: {per_source: 3}"));
  expect_drop(At::kXdpUp, syn(3), "FLOW_LIMIT internet host");
  enforce(limits("flows: {per_source: 4}"));
  expect_pass(At::kXdpUp, 3);
  expect_drop(At::kXdpUp, syn(4), "FLOW_LIMIT internet host");
}

// Half-open ones in place, answered ones freed: the sweep says how many.
TEST_F(Rates, AnEndedFlowMakesRoom) {
  enforce(limits("flows: {per_source: 1}, timeouts: {udp: 1s, udp_answered: 1s}"));
  const auto question = [](std::uint16_t sport) {
    return Bytes{at_up() / Ip4{.src = kClient, .dst = kSelf} / Udp{.sport = sport, .dport = 5353}};
  };
  EXPECT_EQ(send(At::kXdpUp, question(1)).counted, "names internet dmz");
  EXPECT_EQ(send(At::kFromWeb,
                 at_bridge() / Ip4{.src = kWeb, .dst = kClient} / Udp{.sport = 53, .dport = 1})
                .counted,
            "names internet dmz");
  EXPECT_EQ(send(At::kXdpUp, question(2)).counted, "FLOW_LIMIT internet host");
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds{30};
  std::uint64_t freed = 0;
  std::string counted;
  while (counted != "names internet dmz" && std::chrono::steady_clock::now() < give_up) {
    FW_ASSIGN(const std::uint64_t now_freed, machine_->datapath().sweep());
    freed += now_freed;
    counted = send(At::kXdpUp, question(2)).counted;
  }
  EXPECT_EQ(counted, "names internet dmz");
  EXPECT_EQ(freed, 2U) << "both directions of the answered flow";
}

}  // namespace
}  // namespace fw::test
