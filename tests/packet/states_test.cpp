// SPDX-License-Identifier: GPL-2.0-only
// What becomes of a flow: how it starts, who may speak on it, how it ends, and what a change of
// policy does to it.
#include "tests/support/datapath_fixture.h"

namespace fw::test {
namespace {

constexpr At kUp[] = {At::kXdpUp, At::kTcUp};

// The door http, as both of its ends see it.
class States : public PacketTest {
 protected:
  void client_sends(At at, const Tcp& tcp) {
    Tcp out = tcp;
    out.dport = 80;
    expect_forward(at, from_client(tcp),
                   to_web() / Ip4{.src = kClient, .dst = kWeb, .ttl = 63} / out, kDoor);
  }
  void web_sends(const Tcp& tcp) {
    Tcp out = tcp;
    out.sport = 8080;
    expect_forward(At::kFromWeb, from_web(tcp),
                   to_world() / Ip4{.src = kSelf, .dst = kClient, .ttl = 63} / out, kDoor);
  }
  static Bytes from_client(const Tcp& tcp) {
    return at_up() / Ip4{.src = kClient, .dst = kSelf} / tcp;
  }
  static Bytes from_web(const Tcp& tcp) {
    return at_bridge() / Ip4{.src = kWeb, .dst = kClient} / tcp;
  }
  void handshake(At at) {
    client_sends(at, {.dport = 8080, .syn = true});
    web_sends({.sport = 80, .dport = 40000, .syn = true, .ack = true});
    client_sends(at, {.dport = 8080, .ack = true});
  }
  [[nodiscard]] std::vector<fw_flow_state> states() const {
    std::vector<fw_flow_state> states;
    const auto flows = machine_->datapath().flows(100);
    if (!flows) return states;
    for (const auto& flow : *flows) states.push_back(static_cast<fw_flow_state>(flow.flow.state));
    return states;
  }
  void expect_all(fw_flow_state state) {
    EXPECT_THAT(states(), testing::ElementsAre(state, state));
  }

  static constexpr const char* kDoor = "http internet dmz";
};

TEST_F(States, OnlyASynStartsATcpFlow) {
  const Tcp others[] = {
      {.dport = 8080},
      {.dport = 8080, .ack = true},
      {.dport = 8080, .syn = true, .ack = true},
      {.dport = 8080, .fin = true},
      {.dport = 8080, .ack = true, .fin = true},
      {.dport = 8080, .rst = true},
      {.dport = 8080, .syn = true, .fin = true},
      {.dport = 8080, .syn = true, .rst = true},
      {.dport = 8080, .syn = true, .ack = true, .fin = true, .rst = true, .psh = true, .urg = true},
  };
  for (const At at : kUp)
    for (const Tcp& tcp : others) expect_drop(at, from_client(tcp), "INVALID_STATE internet host");
  EXPECT_THAT(states(), testing::IsEmpty());
}

TEST_F(States, AHandshakeEstablishesBothDirections) {
  for (const At at : kUp) {
    forget_flows();
    client_sends(at, {.dport = 8080, .syn = true});
    expect_all(FW_TCP_HALF);
    client_sends(at, {.dport = 8080, .syn = true});  // sent again: the same flow
    expect_all(FW_TCP_HALF);
    web_sends({.sport = 80, .dport = 40000, .syn = true, .ack = true});
    expect_all(FW_TCP_ESTABLISHED);
    client_sends(at, {.dport = 8080, .ack = true});
    expect_all(FW_TCP_ESTABLISHED);
  }
}

TEST_F(States, TwoFinsClose) {
  for (const At at : kUp) {
    forget_flows();
    handshake(at);
    client_sends(at, {.dport = 8080, .ack = true, .fin = true});
    expect_all(FW_TCP_CLOSING);
    web_sends({.sport = 80, .dport = 40000, .ack = true});
    expect_all(FW_TCP_CLOSING);
    web_sends({.sport = 80, .dport = 40000, .ack = true, .fin = true});
    expect_all(FW_TCP_CLOSED);
    client_sends(at, {.dport = 8080, .ack = true});  // the last acknowledgement still passes
    expect_all(FW_TCP_CLOSED);
  }
}

TEST_F(States, AResetClosesFromEitherSide) {
  for (const At at : kUp) {
    forget_flows();
    handshake(at);
    client_sends(at, {.dport = 8080, .rst = true});
    expect_all(FW_TCP_CLOSED);
    forget_flows();
    handshake(at);
    web_sends({.sport = 80, .dport = 40000, .ack = true, .rst = true});
    expect_all(FW_TCP_CLOSED);
    forget_flows();
    client_sends(at, {.dport = 8080, .syn = true});
    web_sends({.sport = 80, .dport = 40000, .ack = true, .rst = true});
    expect_all(FW_TCP_CLOSED);
  }
}

TEST_F(States, ANewSynOnAClosedFlowOpensAnew) {
  for (const At at : kUp) {
    forget_flows();
    handshake(at);
    web_sends({.sport = 80, .dport = 40000, .rst = true});
    client_sends(at, {.dport = 8080, .syn = true, .seq = 99});
    expect_all(FW_TCP_HALF);
    web_sends({.sport = 80, .dport = 40000, .syn = true, .ack = true});
    expect_all(FW_TCP_ESTABLISHED);
  }
}

TEST_F(States, ASynOnALiveFlowBelongsToIt) {
  handshake(At::kTcUp);
  client_sends(At::kTcUp, {.dport = 8080, .syn = true, .seq = 99});
  expect_all(FW_TCP_ESTABLISHED);
}

TEST_F(States, UdpAndPingAreEstablishedByTheirAnswer) {
  expect_forward(At::kXdpUp, at_up() / Ip4{.src = kClient, .dst = kSelf} / Udp{.dport = 5353} / "q",
                 to_web() / Ip4{.src = kClient, .dst = kWeb, .ttl = 63} / Udp{.dport = 53} / "q",
                 "names internet dmz");
  expect_all(FW_UDP_HALF);
  expect_forward(At::kFromWeb,
                 at_bridge() / Ip4{.src = kWeb, .dst = kClient} / Udp{.sport = 53, .dport = 40000},
                 to_world() / Ip4{.src = kSelf, .dst = kClient, .ttl = 63} /
                     Udp{.sport = 5353, .dport = 40000},
                 "names internet dmz");
  expect_all(FW_UDP_ESTABLISHED);
}

// Tuples of a flow, from the side where its packets cannot come from.
TEST_F(States, AFlowIsNotAcceptedFromTheWrongSide) {
  handshake(At::kTcUp);
  const Bytes forged_answer = at_up() / Ip4{.src = kWeb, .dst = kClient} /
                              Tcp{.sport = 80, .dport = 40000, .ack = true} / "forged";
  for (const At at : kUp) expect_drop(at, forged_answer, "MARTIAN dmz internet");
  expect_drop(At::kFromApi,
              at_bridge(kApiMac) / Ip4{.src = kWeb, .dst = kClient} /
                  Tcp{.sport = 80, .dport = 40000, .ack = true} / "forged",
              "MARTIAN none none");
  expect_drop(
      At::kFromWeb,
      at_bridge() / Ip4{.src = kClient, .dst = kSelf} / Tcp{.dport = 8080, .ack = true} / "forged",
      "MARTIAN internet host");
  for (const At at : {At::kXdpLan, At::kTcLan})
    expect_drop(at,
                at_lan() / Ip4{.src = kSelf, .dst = kClient} /
                    Tcp{.sport = 8080, .dport = 40000, .ack = true},
                "MARTIAN host internet");
  // And the flow goes on.
  client_sends(At::kXdpUp, {.dport = 8080, .ack = true});
  web_sends({.sport = 80, .dport = 40000, .ack = true});
}

// The answer to what the host or a container asked, from a wire, for another flow.
TEST_F(States, AnAnswerMustMatchItsFlowExactly) {
  expect_forward(At::kFromWeb, at_bridge() / Ip4{.src = kWeb, .dst = kClient} / Udp{.dport = 53},
                 to_world() / Ip4{.src = kSelf, .dst = kClient, .ttl = 63} / Udp{.dport = 53},
                 "web -> internet dmz internet");
  for (const At at : kUp) {
    expect_drop(at, at_up() / Ip4{.src = kClient, .dst = kSelf} / Udp{.sport = 54, .dport = 40000},
                "NOT_PUBLISHED internet host");
    expect_drop(
        at, at_up() / Ip4{.src = "198.51.100.11", .dst = kSelf} / Udp{.sport = 53, .dport = 40000},
        "NOT_PUBLISHED internet host");
  }
}

class Generations : public States {
 protected:
  // kPolicy with one text in place of another.
  static std::string changed(const std::string& from, const std::string& to) {
    std::string policy = kPolicy;
    const auto at = policy.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return policy.replace(at, from.size(), to);
  }
  static std::string closed() {
    return changed("  http: {host: 8080, to: web:http, from: [internet, lan]}",
                   "  http: {host: 8080, to: web:http, from: lan}");
  }
};

TEST_F(Generations, AFlowThatIsStillAllowedGoesOn) {
  for (const At at : kUp) {
    enforce(kPolicy);
    forget_flows();
    handshake(at);
    enforce(changed("  - web -> api:8000", "  - web -> api:8001"));
    client_sends(at, {.dport = 8080, .ack = true});
    web_sends({.sport = 80, .dport = 40000, .ack = true});
    expect_all(FW_TCP_ESTABLISHED);
  }
}

TEST_F(Generations, TheAnswersGoOnFirst) {
  handshake(At::kTcUp);
  enforce(changed("  - web -> api:8000", "  - web -> api:8001"));
  web_sends({.sport = 80, .dport = 40000, .ack = true});
  client_sends(At::kXdpUp, {.dport = 8080, .ack = true});
}

TEST_F(Generations, AFlowThatIsNoLongerAllowedIsCutAtItsNextPacket) {
  for (const At at : kUp) {
    enforce(kPolicy);
    forget_flows();
    handshake(at);
    enforce(closed());
    expect_drop(at, from_client({.dport = 8080, .ack = true}), "NO_RULE internet host");
    EXPECT_THAT(states(), testing::IsEmpty());
    // Without its flow the answer is a packet of nowhere.
    expect_drop(At::kFromWeb, from_web({.sport = 80, .dport = 40000, .ack = true}),
                "INVALID_STATE dmz internet");
  }
}

TEST_F(Generations, AndInTheOtherDirectionFirst) {
  handshake(At::kTcUp);
  enforce(closed());
  expect_drop(At::kFromWeb, from_web({.sport = 80, .dport = 40000, .ack = true}),
              "NO_RULE internet host");
  EXPECT_THAT(states(), testing::IsEmpty());
  for (const At at : kUp)
    expect_drop(at, from_client({.dport = 8080, .ack = true}), "NO_RULE internet host");
}

TEST_F(Generations, ADoorThatMovedCutsItsFlows) {
  handshake(At::kTcUp);
  enforce(changed("to: web:http, from", "to: api:http, from"));
  expect_drop(At::kXdpUp, from_client({.dport = 8080, .ack = true}), "NO_RULE internet host");
  EXPECT_THAT(states(), testing::IsEmpty());
}

TEST_F(Generations, ABlockCutsAndCountsForItself) {
  handshake(At::kTcUp);
  enforce(std::string{kPolicy} + "  - 198.51.100.0/24 -> host\n");
  expect_drop(At::kXdpUp, from_client({.dport = 8080, .ack = true}),
              "198.51.100.0/24 -> host internet host");
  EXPECT_THAT(states(), testing::IsEmpty());
}

TEST_F(Generations, MasqueradedAndHostFlowsAreJudgedAgainToo) {
  expect_forward(At::kFromWeb, at_bridge() / Ip4{.src = kWeb, .dst = kClient} / Udp{.dport = 53},
                 to_world() / Ip4{.src = kSelf, .dst = kClient, .ttl = 63} / Udp{.dport = 53},
                 "web -> internet dmz internet");
  expect_stack(At::kOutUp, from_host() / Ip4{.src = kSelf, .dst = kClient} / Udp{.dport = 123},
               "host.egress host internet");
  std::string policy = changed("  - web -> internet\n", "");
  policy.replace(policy.find("  admin:"), 0, "  egress: deny\n");
  enforce(policy);
  expect_drop(At::kXdpUp,
              at_up() / Ip4{.src = kClient, .dst = kSelf} / Udp{.sport = 53, .dport = 40000},
              "NO_RULE dmz internet");
  expect_drop(At::kTcUp,
              at_up() / Ip4{.src = kClient, .dst = kSelf} / Udp{.sport = 123, .dport = 40000},
              "NO_RULE host internet");
}

}  // namespace
}  // namespace fw::test
