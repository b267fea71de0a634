// SPDX-License-Identifier: GPL-2.0-only
// Packets that one hook cannot finish: the time to live, the next link's MTU, unfinished checksums,
// GSO. XDP passes them up as they came; TC finishes them, or tells the sender.
#include "tests/support/datapath_fixture.h"

namespace fw::test {
namespace {

using Limits = PacketTest;

// The first `length` bytes of an IP packet, as an ICMP error quotes it.
Bytes quote(const Bytes& frame, std::size_t length) {
  const std::size_t end = std::min(frame.size(), 14 + length);
  return {frame.begin() + 14, frame.begin() + static_cast<std::ptrdiff_t>(end)};
}

TEST_F(Limits, TimeExceededComesFromTc) {
  const Bytes frame = at_up() / Ip4{.src = kClient, .dst = kSelf, .ttl = 1} /
                      Tcp{.dport = 8080, .syn = true, .options = {2, 4, 5, 180}};
  expect_untouched(At::kXdpUp, frame);
  expect_forward(At::kTcUp, frame,
                 to_world() /
                     Ip4{.src = kSelf, .dst = kClient, .tos = 0xc0, .dont_fragment = false} /
                     Icmp{.type = 11} / quote(frame, 40),
                 "TTL_EXPIRED internet host");
  const Bytes frame6 = at_up() / Ip6{.src = kClientV6, .dst = kSelfV6, .hop_limit = 1} /
                       Tcp{.dport = 8080, .syn = true, .options = {2, 4, 5, 180}};
  expect_untouched(At::kXdpUp, frame6);
  expect_forward(
      At::kTcUp, frame6,
      to_world() / Ip6{.src = kSelfV6, .dst = kClientV6} / Icmp{.type = 3} / quote(frame6, 60),
      "TTL_EXPIRED internet host");
}

TEST_F(Limits, TimeExceededQuotesAShortPacketToo) {
  const Bytes frame =
      at_up() / Ip4{.src = kClient, .dst = kSelf, .ttl = 1} / Udp{.dport = 5353} / "odd";
  expect_untouched(At::kXdpUp, frame);
  expect_forward(At::kTcUp, frame,
                 to_world() /
                     Ip4{.src = kSelf, .dst = kClient, .tos = 0xc0, .dont_fragment = false} /
                     Icmp{.type = 11} / quote(frame, 28),
                 "TTL_EXPIRED internet host");
}

TEST_F(Limits, TheHostsOwnPacketsMayArriveWithATtlOfOne) {
  expect_stack(At::kTcUp, at_up() / Ip4{.src = kClient, .dst = kSelf, .ttl = 1} / Icmp{.id = 1},
               "* -> host:ping internet host");
}

TEST_F(Limits, OnABridgeTheTtlDoesNotMatter) {
  const Bytes frame = Eth{.src = kWebMac, .dst = kApiMac} /
                      Ip4{.src = kWeb, .dst = kApi, .ttl = 1} / Tcp{.dport = 8000, .syn = true};
  expect_forward(At::kFromWeb, frame, frame, "web -> api:8000/tcp dmz dmz");
}

TEST_F(Limits, AnExpiredPacketOfAnEstablishedFlow) {
  expect_forward(
      At::kTcUp, at_up() / Ip4{.src = kClient, .dst = kSelf} / Tcp{.dport = 8080, .syn = true},
      to_web() / Ip4{.src = kClient, .dst = kWeb, .ttl = 63} / Tcp{.dport = 80, .syn = true},
      "http internet dmz");
  const Bytes answer = at_bridge() / Ip4{.src = kWeb, .dst = kClient, .ttl = 1} /
                       Tcp{.sport = 80, .dport = 40000, .syn = true, .ack = true};
  // From the router that the container sees, about the packet that the container sent.
  expect_forward(At::kFromWeb, answer,
                 to_web() /
                     Ip4{.src = "172.20.1.1", .dst = kWeb, .tos = 0xc0, .dont_fragment = false} /
                     Icmp{.type = 11} / quote(answer, 40),
                 "TTL_EXPIRED internet host");
}

// The veth of db takes 1400 bytes.
TEST_F(Limits, FragmentationNeededTellsTheMtu) {
  const Bytes frame =
      at_up() / Ip4{.src = kClient, .dst = kSelf} / Tcp{.dport = 5432, .syn = true} / filler(1361);
  expect_untouched(At::kXdpUp, frame);
  expect_forward(At::kTcUp, frame,
                 to_world() /
                     Ip4{.src = kSelf, .dst = kClient, .tos = 0xc0, .dont_fragment = false} /
                     Icmp{.type = 3, .code = 4, .rest = 1400} / quote(frame, 40),
                 "MTU_EXCEEDED internet host");
  const Bytes frame6 = at_up() / Ip6{.src = kClientV6, .dst = kSelfV6} /
                       Tcp{.dport = 5432, .syn = true} / filler(1341);
  expect_untouched(At::kXdpUp, frame6);
  expect_forward(At::kTcUp, frame6,
                 to_world() / Ip6{.src = kSelfV6, .dst = kClientV6} /
                     Icmp{.type = 2, .rest = 1400} / quote(frame6, 60),
                 "MTU_EXCEEDED internet host");
}

// Nothing is left of a flow whose first packet went nowhere.
TEST_F(Limits, APacketThatDoesNotFitOpensNoFlow) {
  const Bytes frame =
      at_up() / Ip4{.src = kClient, .dst = kSelf} / Tcp{.dport = 5432, .syn = true} / filler(1361);
  for (const bool by_xdp : {true, false}) {
    if (by_xdp) send(At::kXdpUp, frame);
    send(At::kTcUp, frame);
    const auto flows = machine_->datapath().flow_count();
    ASSERT_TRUE(flows);
    EXPECT_EQ(flows->half + flows->established, 0U);
  }
}

TEST_F(Limits, APacketOfExactlyTheMtuFits) {
  for (const At at : {At::kXdpUp, At::kTcUp}) {
    forget_flows();
    expect_forward(at,
                   at_up() / Ip4{.src = kClient, .dst = kSelf} / Tcp{.dport = 5432, .syn = true} /
                       filler(1360),
                   to_db() / Ip4{.src = kClient, .dst = kDb, .ttl = 63} /
                       Tcp{.dport = 5432, .syn = true} / filler(1360),
                   "data internet internal");
    expect_forward(at,
                   at_up() / Ip6{.src = kClientV6, .dst = kSelfV6} /
                       Tcp{.dport = 5432, .syn = true} / filler(1340),
                   to_db() / Ip6{.src = kClientV6, .dst = kDbV6, .hop_limit = 63} /
                       Tcp{.dport = 5432, .syn = true} / filler(1340),
                   "data internet internal");
  }
}

// RFC 1191 section 3: the sender asked for no error. fwd does not fragment yet.
TEST_F(Limits, WithoutDontFragmentATooLongPacketIsDropped) {
  expect_drop(At::kTcUp,
              at_up() / Ip4{.src = kClient, .dst = kSelf, .dont_fragment = false} /
                  Tcp{.dport = 5432, .syn = true} / filler(1361),
              "MTU_EXCEEDED internet host");
}

TEST_F(Limits, AnErrorIsNeverAnsweredWithAnError) {
  expect_forward(
      At::kTcUp, at_up() / Ip4{.src = kClient, .dst = kSelf} / Tcp{.dport = 8080, .syn = true},
      to_web() / Ip4{.src = kClient, .dst = kWeb, .ttl = 63} / Tcp{.dport = 80, .syn = true},
      "http internet dmz");
  const Bytes quoted =
      Ip4{.src = kSelf, .dst = kClient} / Packet{Tcp{.sport = 8080, .dport = 40000}};
  expect_drop(
      At::kTcUp,
      at_up() / Ip4{.src = kClient, .dst = kSelf, .ttl = 1} / Icmp{.type = 3, .code = 1} / quoted,
      "INVALID_STATE none none");
}

TEST_F(Limits, AGsoPacketPassesWholeAndCountsItsSegments) {
  expect_forward(
      At::kTcUp, at_up() / Ip4{.src = kClient, .dst = kSelf} / Tcp{.dport = 5432, .syn = true},
      to_db() / Ip4{.src = kClient, .dst = kDb, .ttl = 63} / Tcp{.dport = 5432, .syn = true},
      "data internet internal");
  const TcRun gso{.gso_size = 1360, .gso_segs = 2};
  expect_forward(
      At::kTcUp,
      at_up() / Ip4{.src = kClient, .dst = kSelf} / Tcp{.dport = 5432, .ack = true} / filler(2720),
      to_db() / Ip4{.src = kClient, .dst = kDb, .ttl = 63} / Tcp{.dport = 5432, .ack = true} /
          filler(2720),
      "data internet internal x2", gso);
}

// What a sender with checksum offload leaves in the field looks wrong, and only TC can tell.
TEST_F(Limits, XdpLeavesUnfinishedChecksumsToTc) {
  const std::vector<Bytes> frames = {
      at_up() / Ip4{.src = kClient, .dst = kSelf} /
          Tcp{.dport = 8080, .syn = true, .csum = kUnfinished},
      at_up() / Ip4{.src = kClient, .dst = kSelf} / Udp{.dport = 5353, .csum = kUnfinished} / "q",
      at_up() / Ip6{.src = kClientV6, .dst = kSelfV6} /
          Tcp{.dport = 8080, .syn = true, .csum = kUnfinished},
      at_up() / Ip6{.src = kClientV6, .dst = kSelfV6} / Udp{.dport = 5353, .csum = kUnfinished} /
          "q",
      at_up() / Ip4{.src = kClient, .dst = kSelf, .options = {1, 1, 1, 1}} /
          Udp{.dport = 5353, .csum = kUnfinished} / "odd",
  };
  for (const Bytes& frame : frames) {
    expect_untouched(At::kXdpUp, frame);
    expect_untouched(At::kXdpUp, frame);  // and once its flow exists
  }
}

TEST_F(Limits, AJumboFrameInSeveralBuffersGoesUp) {
  expect_untouched(At::kXdpUp, at_up() / Ip4{.src = kClient, .dst = kSelf} /
                                   Tcp{.dport = 8080, .syn = true} / filler(20000));
}

}  // namespace
}  // namespace fw::test
