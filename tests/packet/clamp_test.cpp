// SPDX-License-Identifier: GPL-2.0-only
// The MSS of a SYN and of its answer fits the smaller of the two links. The veth of db takes 1400
// bytes, everything else 1500.
#include "tests/support/datapath_fixture.h"

namespace fw::test {
namespace {

using Clamp = PacketTest;

constexpr At kUp[] = {At::kXdpUp, At::kTcUp};
constexpr const char* kCounted = "data internet internal";

Bytes mss(unsigned value) {
  return {2, 4, static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
}

Bytes joined(Bytes first, const Bytes& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

class Syn {
 public:
  explicit Syn(bool ip6) : ip6_(ip6) {}
  [[nodiscard]] Bytes in(const Bytes& options) const {
    const Tcp tcp{.dport = 5432, .syn = true, .options = options};
    if (ip6_) return at_up() / Ip6{.src = kClientV6, .dst = kSelfV6} / tcp;
    return at_up() / Ip4{.src = kClient, .dst = kSelf} / tcp;
  }
  [[nodiscard]] Bytes out(const Bytes& options) const {
    const Tcp tcp{.dport = 5432, .syn = true, .options = options};
    if (ip6_) return to_db() / Ip6{.src = kClientV6, .dst = kDbV6, .hop_limit = 63} / tcp;
    return to_db() / Ip4{.src = kClient, .dst = kDb, .ttl = 63} / tcp;
  }
  [[nodiscard]] unsigned limit() const { return ip6_ ? 1340 : 1360; }

 private:
  bool ip6_;
};

TEST_F(Clamp, ASynTakesNoMoreThanTheNextLink) {
  for (const At at : kUp)
    for (const bool ip6 : {false, true}) {
      forget_flows();
      const Syn syn{ip6};
      const Bytes limit = mss(syn.limit());
      expect_forward(at, syn.in(mss(1460)), syn.out(limit), kCounted);
      expect_forward(at, syn.in(mss(65535)), syn.out(limit), kCounted);
      expect_forward(at, syn.in(mss(syn.limit() + 1)), syn.out(limit), kCounted);
      // At an odd byte, and behind other options.
      for (const Bytes& before :
           {Bytes{1}, Bytes{4, 2, 1}, Bytes{1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 3, 3, 7}})
        expect_forward(at, syn.in(joined(before, mss(1460))), syn.out(joined(before, limit)),
                       kCounted);
    }
}

TEST_F(Clamp, WhatFitsOrIsNoMssStays) {
  const std::vector<Bytes> options = {
      {},
      mss(536),
      mss(1340),
      mss(0),
      {0, 0, 0, 0, 2, 4, 5, 180},         // behind the end of the list
      {2, 3, 5, 180},                     // of another length
      {1, 1, 2, 4},                       // cut off
      {3, 0, 2, 4, 5, 180},               // behind a broken option
      {8, 10, 2, 4, 5, 180, 0, 0, 0, 0},  // inside another one
  };
  for (const At at : kUp)
    for (const bool ip6 : {false, true}) {
      forget_flows();
      for (const Bytes& each : options)
        expect_forward(at, Syn{ip6}.in(each), Syn{ip6}.out(each), kCounted);
    }
}

TEST_F(Clamp, OnlyASynIsTouched) {
  const Bytes data = mss(1460);
  for (const At at : kUp) {
    forget_flows();
    expect_forward(at, Syn{false}.in({}), Syn{false}.out({}), kCounted);
    expect_forward(at,
                   at_up() / Ip4{.src = kClient, .dst = kSelf} /
                       Tcp{.dport = 5432, .ack = true, .options = data},
                   to_db() / Ip4{.src = kClient, .dst = kDb, .ttl = 63} /
                       Tcp{.dport = 5432, .ack = true, .options = data},
                   kCounted);
  }
}

TEST_F(Clamp, TheAnswerTakesNoMoreThanTheLinkItComesFrom) {
  expect_forward(At::kTcUp, Syn{false}.in(mss(1300)), Syn{false}.out(mss(1300)), kCounted);
  expect_forward(
      At::kFromDb,
      at_vdb() / Ip4{.src = kDb, .dst = kClient} /
          Tcp{.sport = 5432, .dport = 40000, .syn = true, .ack = true, .options = mss(1460)},
      to_world() / Ip4{.src = kSelf, .dst = kClient, .ttl = 63} /
          Tcp{.sport = 5432, .dport = 40000, .syn = true, .ack = true, .options = mss(1360)},
      kCounted);
}

TEST_F(Clamp, OnABridgeNothingIsRouted) {
  const Bytes frame = Eth{.src = kWebMac, .dst = kApiMac} / Ip4{.src = kWeb, .dst = kApi} /
                      Tcp{.dport = 8000, .syn = true, .options = mss(9000)};
  expect_forward(At::kFromWeb, frame, frame, "web -> api:8000/tcp dmz dmz");
}

}  // namespace
}  // namespace fw::test
