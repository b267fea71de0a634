// SPDX-License-Identifier: GPL-2.0-only
// Does a packet for a door leave for its backend, and the answer come back from the door?
#include "tests/support/datapath_fixture.h"

namespace fw::test {
namespace {

using Doors = PacketTest;

// Both programs that see what comes from a wire.
constexpr At kUp[] = {At::kXdpUp, At::kTcUp};

TEST_F(Doors, SynLeavesForTheBackendAndTheAnswerComesBack) {
  for (const At at : kUp) {
    forget_flows();
    expect_forward(at,
                   at_up() / Ip4{.src = kClient, .dst = kSelf, .ttl = 61} /
                       Tcp{.sport = 40000, .dport = 8080, .syn = true, .options = {2, 4, 5, 180}},
                   to_web() / Ip4{.src = kClient, .dst = kWeb, .ttl = 60} /
                       Tcp{.sport = 40000, .dport = 80, .syn = true, .options = {2, 4, 5, 180}},
                   "http internet dmz");
    expect_forward(
        At::kFromWeb,
        at_bridge() / Ip4{.src = kWeb, .dst = kClient} /
            Tcp{.sport = 80, .dport = 40000, .syn = true, .ack = true, .ack_seq = 1001},
        to_world() / Ip4{.src = kSelf, .dst = kClient, .ttl = 63} /
            Tcp{.sport = 8080, .dport = 40000, .syn = true, .ack = true, .ack_seq = 1001},
        "http internet dmz");
    expect_forward(at,
                   at_up() / Ip4{.src = kClient, .dst = kSelf} /
                       Tcp{.dport = 8080, .ack = true, .psh = true} / "GET / HTTP/1.1\r\n\r\n",
                   to_web() / Ip4{.src = kClient, .dst = kWeb, .ttl = 63} /
                       Tcp{.dport = 80, .ack = true, .psh = true} / "GET / HTTP/1.1\r\n\r\n",
                   "http internet dmz");
    expect_forward(At::kFromWeb,
                   at_bridge() / Ip4{.src = kWeb, .dst = kClient} /
                       Tcp{.sport = 80, .dport = 40000, .ack = true} / filler(1460),
                   to_world() / Ip4{.src = kSelf, .dst = kClient, .ttl = 63} /
                       Tcp{.sport = 8080, .dport = 40000, .ack = true} / filler(1460),
                   "http internet dmz");
  }
}

TEST_F(Doors, TheSameInIpv6) {
  for (const At at : kUp) {
    forget_flows();
    expect_forward(
        at,
        at_up() /
            Ip6{.src = kClientV6, .dst = kSelfV6, .traffic_class = 0x28, .flow_label = 0x12345} /
            Tcp{.dport = 8080, .syn = true},
        to_web() /
            Ip6{.src = kClientV6,
                .dst = kWebV6,
                .traffic_class = 0x28,
                .flow_label = 0x12345,
                .hop_limit = 63} /
            Tcp{.dport = 80, .syn = true},
        "http internet dmz");
    expect_forward(At::kFromWeb,
                   at_bridge() / Ip6{.src = kWebV6, .dst = kClientV6} /
                       Tcp{.sport = 80, .dport = 40000, .syn = true, .ack = true},
                   to_world() / Ip6{.src = kSelfV6, .dst = kClientV6, .hop_limit = 63} /
                       Tcp{.sport = 8080, .dport = 40000, .syn = true, .ack = true},
                   "http internet dmz");
    expect_forward(
        at,
        at_up() / Ip6{.src = kClientV6, .dst = kSelfV6} / Tcp{.dport = 8080, .ack = true} / "odd",
        to_web() / Ip6{.src = kClientV6, .dst = kWebV6, .hop_limit = 63} /
            Tcp{.dport = 80, .ack = true} / "odd",
        "http internet dmz");
  }
}

TEST_F(Doors, UdpHasItsChecksumRewritten) {
  for (const At at : kUp) {
    forget_flows();
    expect_forward(
        at, at_up() / Ip4{.src = kClient, .dst = kSelf} / Udp{.dport = 5353} / "query",
        to_web() / Ip4{.src = kClient, .dst = kWeb, .ttl = 63} / Udp{.dport = 53} / "query",
        "names internet dmz");
    expect_forward(At::kFromWeb,
                   at_bridge() / Ip4{.src = kWeb, .dst = kClient} /
                       Udp{.sport = 53, .dport = 40000} / "answer",
                   to_world() / Ip4{.src = kSelf, .dst = kClient, .ttl = 63} /
                       Udp{.sport = 5353, .dport = 40000} / "answer",
                   "names internet dmz");
    expect_forward(at,
                   at_up() / Ip6{.src = kClientV6, .dst = kSelfV6} / Udp{.dport = 5353} / "query",
                   to_web() / Ip6{.src = kClientV6, .dst = kWebV6, .hop_limit = 63} /
                       Udp{.dport = 53} / "query",
                   "names internet dmz");
  }
}

TEST_F(Doors, AUdpChecksumOfZeroStaysZero) {
  for (const At at : kUp)
    expect_forward(
        at,
        at_up() / Ip4{.src = kClient, .dst = kSelf} / Udp{.dport = 5353, .csum = given(0)} / "none",
        to_web() / Ip4{.src = kClient, .dst = kWeb, .ttl = 63} /
            Udp{.dport = 53, .csum = given(0)} / "none",
        "names internet dmz");
}

// Of all payloads of one word, one makes the translated checksum compute to zero.
Bytes payload_that_sums_to_zero(const char* src, const char* dst, bool v6) {
  for (unsigned word = 0; word < 0x10000; ++word) {
    const Bytes payload = {static_cast<std::uint8_t>(word >> 8U), static_cast<std::uint8_t>(word)};
    const Bytes frame =
        v6 ? (Eth{} / Ip6{.src = src, .dst = dst} / Udp{.dport = 53} / payload).bytes()
           : (Eth{} / Ip4{.src = src, .dst = dst} / Udp{.dport = 53} / payload).bytes();
    const std::size_t at = 14 + (v6 ? 40 : 20) + 6;
    if (frame[at] == 0xff && frame[at + 1] == 0xff) return payload;
  }
  ADD_FAILURE() << "no payload sums to zero";
  return {};
}

TEST_F(Doors, AUdpChecksumThatComputesToZeroIsAllOnes) {
  const Bytes payload = payload_that_sums_to_zero(kClient, kWeb, false);
  const Bytes payload6 = payload_that_sums_to_zero(kClientV6, kWebV6, true);
  for (const At at : kUp) {
    expect_forward(
        at, at_up() / Ip4{.src = kClient, .dst = kSelf} / Udp{.dport = 5353} / payload,
        to_web() / Ip4{.src = kClient, .dst = kWeb, .ttl = 63} / Udp{.dport = 53} / payload,
        "names internet dmz");
    expect_forward(at,
                   at_up() / Ip6{.src = kClientV6, .dst = kSelfV6} / Udp{.dport = 5353} / payload6,
                   to_web() / Ip6{.src = kClientV6, .dst = kWebV6, .hop_limit = 63} /
                       Udp{.dport = 53} / payload6,
                   "names internet dmz");
  }
}

// The backend behind a veth of its own, and an identity of another kind of zone.
TEST_F(Doors, ABackendOnAVethOfItsOwn) {
  for (const At at : kUp) {
    forget_flows();
    expect_forward(
        at, at_up() / Ip4{.src = kClient, .dst = kSelf} / Tcp{.dport = 5432, .syn = true},
        to_db() / Ip4{.src = kClient, .dst = kDb, .ttl = 63} / Tcp{.dport = 5432, .syn = true},
        "data internet internal");
    expect_forward(At::kFromDb,
                   at_vdb() / Ip4{.src = kDb, .dst = kClient} /
                       Tcp{.sport = 5432, .dport = 40000, .syn = true, .ack = true},
                   to_world() / Ip4{.src = kSelf, .dst = kClient, .ttl = 63} /
                       Tcp{.sport = 5432, .dport = 40000, .syn = true, .ack = true},
                   "data internet internal");
  }
}

TEST_F(Doors, IsOpenOnlyToWhomThePolicySays) {
  for (const At at : kUp) {
    forget_flows();
    expect_forward(
        at, at_up() / Ip4{.src = kLanClient, .dst = kSelf} / Tcp{.dport = 8080, .syn = true},
        to_web() / Ip4{.src = kLanClient, .dst = kWeb, .ttl = 63} / Tcp{.dport = 80, .syn = true},
        "http lan dmz");
    expect_drop(at,
                at_up() / Ip4{.src = kLanClient, .dst = kSelf} / Tcp{.dport = 5432, .syn = true},
                "NO_RULE lan host");
    expect_drop(at, at_up() / Ip4{.src = kClient, .dst = kSelf} / Udp{.dport = 8080},
                "NOT_PUBLISHED internet host");
  }
}

TEST_F(Doors, TheAnswerToALanClientGoesToItDirectly) {
  expect_forward(
      At::kTcUp, at_up() / Ip4{.src = kLanClient, .dst = kSelf} / Tcp{.dport = 8080, .syn = true},
      to_web() / Ip4{.src = kLanClient, .dst = kWeb, .ttl = 63} / Tcp{.dport = 80, .syn = true},
      "http lan dmz");
  expect_forward(At::kFromWeb,
                 at_bridge() / Ip4{.src = kWeb, .dst = kLanClient} /
                     Tcp{.sport = 80, .dport = 40000, .syn = true, .ack = true},
                 Eth{.src = kUpMac, .dst = "02:00:00:00:01:50"} /
                     Ip4{.src = kSelf, .dst = kLanClient, .ttl = 63} /
                     Tcp{.sport = 8080, .dport = 40000, .syn = true, .ack = true},
                 "http lan dmz");
}

}  // namespace
}  // namespace fw::test
