// SPDX-License-Identifier: GPL-2.0-only
// ICMP errors about a translated flow: outside and inside as the receiver knows the flow, and every
// checksum right. All types, both directions, both families, long and short quotations.
#include "tests/support/datapath_fixture.h"

namespace fw::test {
namespace {

using IcmpErrors = PacketTest;

constexpr const char* kRouter = "192.168.1.1";
constexpr const char* kRouterV6 = "fd00:1::1";

// What is quoted: `quoted` without a link header, its first `length` bytes.
Bytes quote(const Packet& quoted, std::size_t length) {
  return truncated(quoted.bytes(), std::min(length, quoted.bytes().size()));
}

struct Kind {
  std::uint8_t type;
  std::uint8_t code;
  std::uint32_t rest;
};
constexpr Kind kErrors4[] = {{3, 0, 0},    {3, 1, 0},  {3, 2, 0},  {3, 3, 0},
                             {3, 4, 1400}, {3, 5, 0},  {3, 9, 0},  {3, 10, 0},
                             {3, 13, 0},   {11, 0, 0}, {11, 1, 0}, {12, 0, 0x14000000}};
constexpr Kind kErrors6[] = {{1, 0, 0}, {1, 1, 0}, {1, 3, 0}, {1, 4, 0},  {2, 0, 1400},
                             {3, 0, 0}, {3, 1, 0}, {4, 0, 6}, {4, 1, 40}, {100, 0, 0}};

Icmp icmp(const Kind& kind) {
  return {.type = kind.type, .code = kind.code, .rest = kind.rest};
}

class Flows : public IcmpErrors {
 protected:
  void open(At at, const Bytes& first) {
    const auto sent = machine_->run(at, first);
    ASSERT_TRUE(sent);
    ASSERT_EQ(sent->action, is_xdp(at) ? kXdpRedirect : kTcRedirect) << decode(first);
    ASSERT_TRUE(machine_->counted());
  }

  void open_doors() {
    open(At::kTcUp, at_up() / Ip4{.src = kClient, .dst = kSelf} / Tcp{.dport = 8080, .syn = true});
    open(At::kTcUp, at_up() / Ip4{.src = kClient, .dst = kSelf} / Udp{.dport = 5353} / "q");
    open(At::kTcUp,
         at_up() / Ip6{.src = kClientV6, .dst = kSelfV6} / Tcp{.dport = 8080, .syn = true});
    open(At::kTcUp, at_up() / Ip6{.src = kClientV6, .dst = kSelfV6} / Udp{.dport = 5353} / "q");
  }

  // An error that the far side of `at` sends, and what the near side gets. XDP leaves it to TC.
  void expect_error(At at, const Bytes& in, const Bytes& out, const char* counted) {
    ASSERT_TRUE(verify_checksums(in)) << decode(in);
    ASSERT_TRUE(verify_checksums(out)) << decode(out);
    if (at == At::kTcUp) expect_untouched(At::kXdpUp, in);
    expect_forward(at, in, out, counted);
  }
};

using IcmpErrorsOfFlows = Flows;

TEST_F(IcmpErrorsOfFlows, FromTheWireAboutWhatABackendAnswered) {
  open_doors();
  for (const Kind& kind : kErrors4)
    for (const std::size_t length : {28U, 40U, 120U}) {
      expect_error(
          At::kTcUp,
          at_up() / Ip4{.src = kRouter, .dst = kSelf} / icmp(kind) /
              quote(Ip4{.src = kSelf, .dst = kClient, .ttl = 60} /
                        Packet{Tcp{.sport = 8080, .dport = 40000, .ack = true}} / filler(80),
                    length),
          to_web() / Ip4{.src = kRouter, .dst = kWeb, .ttl = 63} / icmp(kind) /
              quote(Ip4{.src = kWeb, .dst = kClient, .ttl = 60} /
                        Packet{Tcp{.sport = 80, .dport = 40000, .ack = true}} / filler(80),
                    length),
          "http internet dmz");
      expect_error(At::kTcUp,
                   at_up() / Ip4{.src = kRouter, .dst = kSelf} / icmp(kind) /
                       quote(Ip4{.src = kSelf, .dst = kClient} /
                                 Packet{Udp{.sport = 5353, .dport = 40000}} / filler(60),
                             length),
                   to_web() / Ip4{.src = kRouter, .dst = kWeb, .ttl = 63} / icmp(kind) /
                       quote(Ip4{.src = kWeb, .dst = kClient} /
                                 Packet{Udp{.sport = 53, .dport = 40000}} / filler(60),
                             length),
                   "names internet dmz");
    }
}

TEST_F(IcmpErrorsOfFlows, FromTheBackendAboutWhatAClientSent) {
  open_doors();
  for (const Kind& kind : kErrors4)
    for (const std::size_t length : {28U, 40U, 120U}) {
      expect_error(At::kFromWeb,
                   at_bridge() / Ip4{.src = kWeb, .dst = kClient, .tos = 0xc0} / icmp(kind) /
                       quote(Ip4{.src = kClient, .dst = kWeb, .ttl = 63} /
                                 Packet{Udp{.dport = 53}} / filler(60),
                             length),
                   to_world() / Ip4{.src = kSelf, .dst = kClient, .tos = 0xc0, .ttl = 63} /
                       icmp(kind) /
                       quote(Ip4{.src = kClient, .dst = kSelf, .ttl = 63} /
                                 Packet{Udp{.dport = 5353}} / filler(60),
                             length),
                   "names internet dmz");
      expect_error(
          At::kFromWeb,
          at_bridge() / Ip4{.src = kWeb, .dst = kClient} / icmp(kind) /
              quote(Ip4{.src = kClient, .dst = kWeb} / Packet{Tcp{.dport = 80}} / filler(60),
                    length),
          to_world() / Ip4{.src = kSelf, .dst = kClient, .ttl = 63} / icmp(kind) /
              quote(Ip4{.src = kClient, .dst = kSelf} / Packet{Tcp{.dport = 8080}} / filler(60),
                    length),
          "http internet dmz");
    }
}

TEST_F(IcmpErrorsOfFlows, TheSameInIpv6) {
  open_doors();
  for (const Kind& kind : kErrors6)
    for (const std::size_t length : {48U, 60U, 140U}) {
      expect_error(
          At::kTcUp,
          at_up() / Ip6{.src = kRouterV6, .dst = kSelfV6} / icmp(kind) /
              quote(Ip6{.src = kSelfV6, .dst = kClientV6} /
                        Packet{Tcp{.sport = 8080, .dport = 40000, .ack = true}} / filler(80),
                    length),
          to_web() / Ip6{.src = kRouterV6, .dst = kWebV6, .hop_limit = 63} / icmp(kind) /
              quote(Ip6{.src = kWebV6, .dst = kClientV6} /
                        Packet{Tcp{.sport = 80, .dport = 40000, .ack = true}} / filler(80),
                    length),
          "http internet dmz");
      expect_error(
          At::kFromWeb,
          at_bridge() / Ip6{.src = kWebV6, .dst = kClientV6} / icmp(kind) /
              quote(Ip6{.src = kClientV6, .dst = kWebV6} / Packet{Udp{.dport = 53}} / filler(60),
                    length),
          to_world() / Ip6{.src = kSelfV6, .dst = kClientV6, .hop_limit = 63} / icmp(kind) /
              quote(Ip6{.src = kClientV6, .dst = kSelfV6} / Packet{Udp{.dport = 5353}} / filler(60),
                    length),
          "names internet dmz");
    }
}

TEST_F(IcmpErrorsOfFlows, AQuotedHeaderWithOptions) {
  open_doors();
  for (const std::size_t options : {4U, 20U, 40U}) {
    const Bytes filled = filler(options);
    for (const std::size_t l4 : {8U, 40U})
      expect_error(At::kTcUp,
                   at_up() / Ip4{.src = kRouter, .dst = kSelf} / Icmp{.type = 11, .rest = 0} /
                       quote(Ip4{.src = kSelf, .dst = kClient, .options = filled} /
                                 Packet{Tcp{.sport = 8080, .dport = 40000}} / filler(20),
                             20 + options + l4),
                   to_web() / Ip4{.src = kRouter, .dst = kWeb, .ttl = 63} /
                       Icmp{.type = 11, .rest = 0} /
                       quote(Ip4{.src = kWeb, .dst = kClient, .options = filled} /
                                 Packet{Tcp{.sport = 80, .dport = 40000}} / filler(20),
                             20 + options + l4),
                   "http internet dmz");
  }
}

TEST_F(IcmpErrorsOfFlows, AboutAMasqueradedFlowAndItsPing) {
  open(At::kFromWeb, at_bridge() / Ip4{.src = kWeb, .dst = kClient} / Udp{.dport = 9} / "q");
  open(At::kFromWeb, at_bridge() / Ip4{.src = kWeb, .dst = kClient} / Icmp{.id = 7, .seq = 1});
  open(At::kFromWeb,
       at_bridge() / Ip6{.src = kWebV6, .dst = kClientV6} / Icmp{.type = 128, .id = 7});
  // The far end itself refuses.
  expect_error(At::kTcUp,
               at_up() / Ip4{.src = kClient, .dst = kSelf} / Icmp{.type = 3, .code = 3, .rest = 0} /
                   quote(Ip4{.src = kSelf, .dst = kClient} / Packet{Udp{.dport = 9}} / "q", 99),
               to_web() / Ip4{.src = kClient, .dst = kWeb, .ttl = 63} /
                   Icmp{.type = 3, .code = 3, .rest = 0} /
                   quote(Ip4{.src = kWeb, .dst = kClient} / Packet{Udp{.dport = 9}} / "q", 99),
               "web -> internet dmz internet");
  expect_error(At::kTcUp,
               at_up() / Ip4{.src = kRouter, .dst = kSelf} / Icmp{.type = 11, .rest = 0} /
                   quote(Ip4{.src = kSelf, .dst = kClient} / Packet{Icmp{.id = 7, .seq = 1}}, 99),
               to_web() / Ip4{.src = kRouter, .dst = kWeb, .ttl = 63} /
                   Icmp{.type = 11, .rest = 0} /
                   quote(Ip4{.src = kWeb, .dst = kClient} / Packet{Icmp{.id = 7, .seq = 1}}, 99),
               "web -> internet dmz internet");
  expect_error(
      At::kTcUp,
      at_up() / Ip6{.src = kRouterV6, .dst = kSelfV6} / Icmp{.type = 3, .rest = 0} /
          quote(Ip6{.src = kSelfV6, .dst = kClientV6} / Packet{Icmp{.type = 128, .id = 7}}, 99),
      to_web() / Ip6{.src = kRouterV6, .dst = kWebV6, .hop_limit = 63} /
          Icmp{.type = 3, .rest = 0} /
          quote(Ip6{.src = kWebV6, .dst = kClientV6} / Packet{Icmp{.type = 128, .id = 7}}, 99),
      "web -> internet dmz internet");
}

TEST_F(IcmpErrorsOfFlows, AQuotedUdpChecksumOfZeroStaysZero) {
  open_doors();
  expect_error(At::kTcUp,
               at_up() / Ip4{.src = kRouter, .dst = kSelf} / Icmp{.type = 3, .code = 1, .rest = 0} /
                   quote(Ip4{.src = kSelf, .dst = kClient} /
                             Packet{Udp{.sport = 5353, .dport = 40000, .csum = given(0)}} / "data",
                         28),
               to_web() / Ip4{.src = kRouter, .dst = kWeb, .ttl = 63} /
                   Icmp{.type = 3, .code = 1, .rest = 0} /
                   quote(Ip4{.src = kWeb, .dst = kClient} /
                             Packet{Udp{.sport = 53, .dport = 40000, .csum = given(0)}} / "data",
                         28),
               "names internet dmz");
}

TEST_F(IcmpErrorsOfFlows, AboutTheHostsOwnFlowGoToIt) {
  expect_stack(At::kOutUp, from_host() / Ip4{.src = kSelf, .dst = kClient} / Udp{.dport = 9},
               "host.egress host internet");
  expect_stack(At::kTcUp,
               at_up() / Ip4{.src = kRouter, .dst = kSelf} / Icmp{.type = 3, .code = 1, .rest = 0} /
                   quote(Ip4{.src = kSelf, .dst = kClient} / Packet{Udp{.dport = 9}}, 99),
               "host.egress host internet");
}

TEST_F(IcmpErrorsOfFlows, AboutNothingThatIsKnownAreDropped) {
  open_doors();
  const std::vector<std::pair<At, Bytes>> frames = {
      {At::kTcUp,
       at_up() / Ip4{.src = kRouter, .dst = kSelf} / Icmp{.type = 3, .code = 1} /
           quote(Ip4{.src = kSelf, .dst = kClient} / Packet{Tcp{.sport = 8080, .dport = 40001}},
                 99)},
      {At::kTcUp,
       at_up() / Ip6{.src = kRouterV6, .dst = kSelfV6} / Icmp{.type = 2, .rest = 1280} /
           quote(Ip6{.src = kSelfV6, .dst = kClientV6} / Packet{Tcp{.sport = 8080, .dport = 40001}},
                 99)},
      // Quoting the client's packet: it would have to come from the backend.
      {At::kTcUp, at_up() / Ip4{.src = kRouter, .dst = kSelf} / Icmp{.type = 3, .code = 1} /
                      quote(Ip4{.src = kClient, .dst = kWeb} / Packet{Tcp{.dport = 80}}, 99)},
      // From another side than the flow's packets.
      {At::kFromWeb,
       at_bridge() / Ip4{.src = kWeb, .dst = kSelf} / Icmp{.type = 3, .code = 4} /
           quote(Ip4{.src = kSelf, .dst = kClient} / Packet{Tcp{.sport = 8080, .dport = 40000}},
                 99)},
  };
  for (const auto& [at, frame] : frames) expect_drop(at, frame, "INVALID_STATE none none");
}

TEST_F(IcmpErrorsOfFlows, WithAQuotationThatCannotBeReadAreDropped) {
  open_doors();
  const Bytes inner =
      quote(Ip4{.src = kSelf, .dst = kClient} / Packet{Tcp{.sport = 8080, .dport = 40000}}, 99);
  for (std::size_t length = 0; length < 28; ++length)
    expect_drop(At::kTcUp,
                at_up() / Ip4{.src = kRouter, .dst = kSelf} / Icmp{.type = 3, .code = 1} /
                    truncated(inner, length),
                "MALFORMED none none");
  const std::vector<Bytes> quotations = {
      quote(Ip4{.src = kSelf, .dst = kClient, .ihl = 4} / Packet{Tcp{}}, 99),
      quote(Ip4{.src = kSelf, .dst = kClient, .ihl = 15} / Packet{Tcp{}}, 99),
      quote(Ip4{.src = kSelf, .dst = kClient, .version = 6} / Packet{Tcp{}}, 99),
      quote(Ip4{.src = kSelf, .dst = kClient, .fragment_offset = 8, .proto = 6} / Packet{Tcp{}},
            99),
  };
  for (const Bytes& quotation : quotations)
    expect_drop(
        At::kTcUp,
        at_up() / Ip4{.src = kRouter, .dst = kSelf} / Icmp{.type = 3, .code = 1} / quotation,
        "MALFORMED none none");
}

}  // namespace
}  // namespace fw::test
