// SPDX-License-Identifier: GPL-2.0-only
// `deny: reject`: what the sender of a denied packet hears, byte by byte, and who hears nothing.
#include "tests/support/datapath_fixture.h"

namespace fw::test {
namespace {

// The RST to a SYN of this fixture (RFC 9293 section 3.10.7.1), from the port that it was sent to.
Tcp refused(std::uint16_t port) {
  return {.sport = port,
          .dport = 40000,
          .ack = true,
          .rst = true,
          .seq = 0,
          .ack_seq = 1001,
          .window = 0};
}

constexpr std::uint32_t kMark = 0x66776401;  // FW_MARK_ANSWER of bpf/stages/refuse.h

// The first `length` bytes of an IP packet, as an ICMP error quotes it.
Bytes quote(const Bytes& frame, std::size_t length) {
  const std::size_t end = std::min(frame.size(), 14 + length);
  return {frame.begin() + 14, frame.begin() + static_cast<std::ptrdiff_t>(end)};
}

class Reject : public PacketTest {
 protected:
  void SetUp() override {
    PacketTest::SetUp();
    if (HasFatalFailure() || IsSkipped()) return;
    enforce(rejecting(kPolicy));
    forget_flows();
  }
  static std::string rejecting(std::string policy) {
    return policy.replace(policy.find("name:"), 0, "deny: reject\n");
  }
  // XDP leaves it to TC, which answers.
  void expect_answer(const Bytes& frame, const Bytes& want, const std::string& counted) {
    expect_untouched(At::kXdpUp, frame);
    expect_forward(At::kTcUp, frame, want, counted);
  }
};

struct Segment {
  const char* name;
  Tcp sent;
  const char* payload;
  Tcp answer;  // ports are filled in
};

class RejectSegment : public Reject, public testing::WithParamInterface<Segment> {};

// RFC 9293 section 3.10.7.1.
TEST_P(RejectSegment, GetsTheResetOfAClosedPort) {
  const auto& [name, sent, payload, answer] = GetParam();
  Tcp out = sent;
  out.dport = 81;
  Tcp back = answer;
  back.sport = 81;
  back.dport = 40000;
  back.window = 0;
  const std::string counted = "NOT_PUBLISHED internet host";
  expect_answer(at_up() / Ip4{.src = kClient, .dst = kSelf} / out / payload,
                to_world() / Ip4{.src = kSelf, .dst = kClient} / back, counted);
  expect_answer(at_up() / Ip6{.src = kClientV6, .dst = kSelfV6} / out / payload,
                to_world() / Ip6{.src = kSelfV6, .dst = kClientV6} / back, counted);
}

INSTANTIATE_TEST_SUITE_P(
    Segments, RejectSegment,
    testing::Values(
        Segment{"Syn",
                {.syn = true, .seq = 1000},
                "",
                {.ack = true, .rst = true, .seq = 0, .ack_seq = 1001}},
        Segment{"SynWithOptionsAndData",
                {.syn = true, .seq = 0xffffffff, .options = {2, 4, 5, 180}},
                "four",
                {.ack = true, .rst = true, .seq = 0, .ack_seq = 4}},
        Segment{"Fin",
                {.fin = true, .seq = 7},
                "odd",
                {.ack = true, .rst = true, .seq = 0, .ack_seq = 11}},
        Segment{"Data", {.seq = 7}, "12345", {.ack = true, .rst = true, .seq = 0, .ack_seq = 12}},
        Segment{"Ack",
                {.ack = true, .seq = 5, .ack_seq = 0xdeadbeef},
                "",
                {.rst = true, .seq = 0xdeadbeef}},
        Segment{"SynAck",
                {.syn = true, .ack = true, .seq = 5, .ack_seq = 77},
                "",
                {.rst = true, .seq = 77}}),
    [](const auto& test) { return std::string{test.param.name}; });

TEST_F(Reject, AResetIsNotAnswered) {
  expect_drop(At::kTcUp,
              at_up() / Ip4{.src = kClient, .dst = kSelf} / Tcp{.dport = 81, .rst = true},
              "NOT_PUBLISHED internet host");
}

TEST_F(Reject, OtherProtocolsGetPortUnreachable) {
  const Bytes udp =
      at_up() / Ip4{.src = kClient, .dst = kSelf} / Udp{.dport = 99} / "a long enough question";
  expect_answer(udp,
                to_world() /
                    Ip4{.src = kSelf, .dst = kClient, .tos = 0xc0, .dont_fragment = false} /
                    Icmp{.type = 3, .code = 3} / quote(udp, 40),
                "NOT_PUBLISHED internet host");
  const Bytes udp6 =
      at_up() / Ip6{.src = kClientV6, .dst = kSelfV6} / Udp{.dport = 99} / "a long enough question";
  expect_answer(udp6,
                to_world() / Ip6{.src = kSelfV6, .dst = kClientV6} / Icmp{.type = 1, .code = 4} /
                    quote(udp6, 60),
                "NOT_PUBLISHED internet host");
  const Bytes ping = at_up() / Ip4{.src = kClient, .dst = kWeb} / Icmp{.id = 1};
  expect_answer(ping,
                to_world() / Ip4{.src = kWeb, .dst = kClient, .tos = 0xc0, .dont_fragment = false} /
                    Icmp{.type = 3, .code = 3} / quote(ping, 28),
                "NOT_PUBLISHED internet dmz");
}

TEST_F(Reject, WhatABlockDeniesIsToldToo) {
  expect_answer(at_up() / Ip4{.src = "203.0.113.5", .dst = kSelf} / Tcp{.dport = 8080, .syn = true},
                to_world() / Ip4{.src = kSelf, .dst = "203.0.113.5"} / refused(8080),
                "203.0.113.0/24 -> * internet host");
}

TEST_F(Reject, AContainerHearsItOnItsOwnLink) {
  expect_forward(
      At::kFromWeb, at_bridge() / Ip4{.src = kWeb, .dst = kKnown} / Tcp{.dport = 80, .syn = true},
      Eth{.src = kBridgeMac, .dst = kWebMac} / Ip4{.src = kKnown, .dst = kWeb} / refused(80),
      "NO_RULE dmz none");
}

// By the ingress of the interface that the packet would have left by.
TEST_F(Reject, TheHostItselfHearsIt) {
  expect_forward(
      At::kOutDb,
      Eth{.src = kVdbMac, .dst = kDbMac} / Ip4{.src = "172.20.2.1", .dst = kDb} /
          Tcp{.dport = 5433, .syn = true},
      Eth{.src = kDbMac, .dst = kVdbMac} / Ip4{.src = kDb, .dst = "172.20.2.1"} / refused(5433),
      "NO_RULE host internal");
}

// On their way the answers meet the hooks again.
TEST_F(Reject, OwnAnswersPassAndNothingElseByTheirMark) {
  const Tcp rst{.sport = 81, .dport = 40000, .ack = true, .rst = true};
  const Bytes out = from_host() / Ip4{.src = kWeb, .dst = kClient} / rst;
  expect_untouched(At::kOutUp, out,
                   {.ingress_ifindex = machine_->ifindex(At::kOutUp), .mark = kMark});
  expect_drop(At::kOutUp, out, "INVALID_STATE dmz internet",
              {.ingress_ifindex = machine_->ifindex(At::kOutUp)});
  expect_untouched(At::kTcUp, at_up() / Ip4{.src = kClient, .dst = kSelf} / rst, {.mark = kMark});
  expect_drop(At::kTcUp,
              at_up() / Ip4{.src = "203.0.113.5", .dst = kSelf} / Tcp{.dport = 81, .rst = true},
              "203.0.113.0/24 -> * internet host");
  const Bytes syn = at_up() / Ip4{.src = kClient, .dst = kSelf} / Tcp{.dport = 81, .syn = true};
  EXPECT_EQ(send(At::kTcUp, syn, {.mark = kMark}).counted, "NOT_PUBLISHED internet host");
}

TEST_F(Reject, NobodyIsToldWhatIsNotThePolicysDenial) {
  expect_drop(At::kTcUp, at_up() / Ip4{.src = kWeb, .dst = kSelf} / Tcp{.dport = 81, .syn = true},
              "MARTIAN dmz host");
  expect_drop(At::kTcUp,
              at_up() / Ip4{.src = kClient, .dst = kSelf} / Icmp{.type = 3, .code = 1} /
                  (Ip4{.src = kSelf, .dst = kClient} / Packet{Tcp{.sport = 9, .dport = 9}}),
              "INVALID_STATE none none");
}

TEST_F(Reject, NorIsASenderToAGroup) {
  const Ip4 group{.src = kClient, .dst = "239.1.2.3"};
  expect_drop(At::kTcUp, at_up() / group / Udp{.dport = 99}, "NOT_PUBLISHED internet host");
  Eth broadcast = at_up();
  broadcast.dst = "ff:ff:ff:ff:ff:ff";
  expect_drop(At::kTcUp, broadcast / Ip4{.src = kClient, .dst = "192.168.1.255"} / Udp{.dport = 99},
              "NO_RULE internet lan");
}

// The other end hears of it at its own next packet.
TEST_F(Reject, BothEndsOfACutFlowGetAReset) {
  for (const At at : {At::kXdpUp, At::kTcUp}) {
    enforce(rejecting(kPolicy));
    forget_flows();
    expect_forward(
        at, at_up() / Ip4{.src = kClient, .dst = kSelf} / Tcp{.dport = 8080, .syn = true},
        to_web() / Ip4{.src = kClient, .dst = kWeb, .ttl = 63} / Tcp{.dport = 80, .syn = true},
        "http internet dmz");
    const Tcp answer{.sport = 80, .dport = 40000, .ack = true, .seq = 50, .ack_seq = 60};
    Tcp translated = answer;
    translated.sport = 8080;
    const Bytes from_web = at_bridge() / Ip4{.src = kWeb, .dst = kClient} / answer;
    expect_forward(At::kFromWeb, from_web,
                   to_world() / Ip4{.src = kSelf, .dst = kClient, .ttl = 63} / translated,
                   "http internet dmz");

    std::string closed = rejecting(kPolicy);
    const std::string door = "from: [internet, lan]}";
    enforce(closed.replace(closed.find(door), door.size(), "from: lan}"));
    const Bytes next = at_up() / Ip4{.src = kClient, .dst = kSelf} /
                       Tcp{.dport = 8080, .ack = true, .seq = 70, .ack_seq = 80};
    if (is_xdp(at)) expect_untouched(at, next);
    expect_forward(At::kTcUp, next,
                   to_world() / Ip4{.src = kSelf, .dst = kClient} /
                       Tcp{.sport = 8080, .dport = 40000, .rst = true, .seq = 80, .window = 0},
                   "NO_RULE internet host");
    expect_forward(At::kFromWeb, from_web,
                   Eth{.src = kBridgeMac, .dst = kWebMac} / Ip4{.src = kClient, .dst = kWeb} /
                       Tcp{.sport = 40000, .dport = 80, .rst = true, .seq = 60, .window = 0},
                   "INVALID_STATE dmz internet");
  }
}

// As many as Linux sends of its own; then silence, which costs XDP less.
TEST_F(Reject, AnswersHaveALimit) {
  const Bytes syn = at_up() / Ip4{.src = kClient, .dst = kSelf} / Tcp{.dport = 81, .syn = true};
  unsigned answered = 0;
  bool silent = false;
  for (int i = 0; i < 200'000 && !silent; ++i) {
    const auto ran = machine_->run(At::kTcUp, syn);
    ASSERT_TRUE(ran);
    silent = ran->action == kTcDrop;
    if (!silent) ++answered;
  }
  EXPECT_TRUE(silent);
  EXPECT_GE(answered, 1000U);
}

TEST_F(Reject, WithoutItADeniedPacketIsDroppedInSilence) {
  enforce(kPolicy);
  for (const At at : {At::kXdpUp, At::kTcUp})
    expect_drop(at, at_up() / Ip4{.src = kClient, .dst = kSelf} / Tcp{.dport = 81, .syn = true},
                "NOT_PUBLISHED internet host");
}

}  // namespace
}  // namespace fw::test
