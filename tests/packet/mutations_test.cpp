// SPDX-License-Identifier: GPL-2.0-only
// Random damage to good frames: whatever arrives, a program answers with one of its actions, writes
// only where translation writes, and makes no checksum wrong that was right.
#include <algorithm>
#include <cstdlib>
#include <random>

#include "tests/support/datapath_fixture.h"

namespace fw::test {
namespace {

constexpr unsigned kPackets = 20000;

using Random = std::mt19937;

unsigned pick(Random& random, std::size_t count) {
  return std::uniform_int_distribution<unsigned>(0, static_cast<unsigned>(count - 1))(random);
}

std::vector<Bytes> seeds() {
  const Ip4 in4{.src = kClient, .dst = kSelf}, back4{.src = kWeb, .dst = kClient};
  const Ip6 in6{.src = kClientV6, .dst = kSelfV6}, back6{.src = kWebV6, .dst = kClientV6};
  return {
      at_up() / in4 / Tcp{.dport = 8080, .syn = true, .options = {2, 4, 5, 180}},
      at_up() / in4 / Tcp{.dport = 8080, .ack = true, .psh = true} / filler(100),
      at_up() / in4 / Udp{.dport = 5353} / filler(30),
      at_up() / in4 / Udp{.dport = 5353, .csum = given(0)} / filler(31),
      at_up() / in4 / Icmp{.id = 5, .seq = 1} / filler(8),
      at_up() / in4 / Icmp{.type = 3, .code = 4, .rest = 1300} / Ip4{.src = kSelf, .dst = kClient} /
          Tcp{.sport = 8080, .dport = 40000},
      at_up() / in4 / Icmp{.type = 11} /
          Ip4{.src = kSelf, .dst = kClient, .options = {1, 1, 1, 1}} /
          Udp{.sport = 5353, .dport = 40000} / filler(20),
      at_up() / in6 / Tcp{.dport = 8080, .syn = true},
      at_up() / in6 / Udp{.dport = 5353} / filler(30),
      at_up() / in6 / Ip6Ext{.type = 0} / Ip6Ext{} / Udp{.dport = 5353} / filler(10),
      at_up() / in6 / Icmp{.type = 2, .rest = 1280} / Ip6{.src = kSelfV6, .dst = kClientV6} /
          Tcp{.sport = 8080, .dport = 40000},
      at_bridge() / back4 / Tcp{.sport = 80, .dport = 40000, .syn = true, .ack = true},
      at_bridge() / back4 / Udp{.sport = 53, .dport = 40000} / filler(20),
      at_bridge() / back4 / Icmp{.id = 9},
      at_bridge() / back6 / Tcp{.sport = 80, .dport = 40000, .ack = true} / filler(64),
      at_bridge() / back6 / Icmp{.type = 1, .code = 4} / Ip6{.src = kClientV6, .dst = kWebV6} /
          Udp{.dport = 53},
      fragments(at_up() / in4 / Udp{.dport = 5353} / filler(100), 64, 1)[0],
      fragments(at_up() / in4 / Udp{.dport = 5353} / filler(100), 64, 2)[1],
      fragments(at_up() / in6 / Udp{.dport = 5353} / filler(100), 64, 1)[0],
      fragments(at_up() / in6 / Udp{.dport = 5353} / filler(100), 64, 2)[1],
      at_up() / in6 / Ip6Fragment{.id = 3} / Udp{.dport = 5353} / filler(10),
      at_up() / Arp{},
      at_up() / Vlan{} / in4 / Tcp{.dport = 8080, .syn = true},
  };
}

Bytes mutate(Bytes frame, Random& random) {
  const unsigned changes = pick(random, 5);
  for (unsigned i = 0; i < changes; ++i) {
    // Mostly headers: that is where a byte decides.
    const std::size_t reach =
        pick(random, 4) == 0 ? frame.size() : std::min<std::size_t>(66, frame.size());
    frame[pick(random, reach)] = static_cast<std::uint8_t>(pick(random, 256));
  }
  if (pick(random, 8) == 0) frame.resize(15 + pick(random, frame.size() - 14));
  if (pick(random, 8) == 0) frame.resize(frame.size() + pick(random, 40), 0xee);
  return frame;
}

bool is_ipv4(const Bytes& frame) {
  return frame.size() >= 34 && frame[12] == 8 && frame[13] == 0;
}

bool is_fragment(const Bytes& frame) {
  if (is_ipv4(frame)) return (frame[20] & 0x3f) != 0 || frame[21] != 0;
  return std::find(frame.begin(), frame.end(), 44) != frame.end();
}

// Where the transport header of a forwarded frame begins, and its protocol.
std::pair<std::size_t, std::uint8_t> transport(const Bytes& frame) {
  if (is_ipv4(frame)) return {14 + (frame[14] & 0xfU) * 4U, frame[23]};
  std::size_t at = 54;
  std::uint8_t next = frame[20];
  while ((next == 0 || next == 43 || next == 44 || next == 60) && at + 8 <= frame.size()) {
    const bool fragment = next == 44;
    next = frame[at];
    at += std::size_t{8} * (fragment ? 1U : frame[at + 1] + 1U);
  }
  return {at, next};
}

bool is_error(const Bytes& frame) {
  const auto [at, proto] = transport(frame);
  if (at >= frame.size()) return false;
  if (proto == 58) return frame[at] < 128;
  return proto == 1 && (frame[at] == 3 || frame[at] == 11 || frame[at] == 12);
}

// May translation write this byte of a forwarded packet that is no ICMP error?
bool may_change(const Bytes& frame, std::size_t at) {
  if (at < 12) return true;  // MAC addresses
  const bool v4 = is_ipv4(frame);
  if (v4 && (at == 22 || at == 24 || at == 25 || (at >= 26 && at < 34))) return true;
  if (!v4 && (at == 21 || (at >= 22 && at < 54))) return true;
  const auto [l4, proto] = transport(frame);
  if (at < l4) return false;
  const std::size_t in = at - l4;
  switch (proto) {
    case 6:
      // Ports, checksum, and the options of a SYN, one of which is the MSS.
      return in < 4 || in == 16 || in == 17 ||
             (in >= 20 && (frame[l4 + 13] & 2) != 0 && in < (frame[l4 + 12] >> 4) * 4U);
    case 17:
      return in < 4 || in == 6 || in == 7;
    case 1:
    case 58:
      return in >= 2 && in < 6;
    default:
      return false;
  }
}

void check_forwarded(const Bytes& in, const Bytes& out) {
  const bool was_right{verify_checksums(in)};
  if (is_error(out)) {  // translated in many places, or our own answer, which quotes what it likes
    if (was_right && is_error(in)) {
      EXPECT_TRUE(verify_checksums(out));
    }
    return;
  }
  ASSERT_EQ(in.size(), out.size());
  for (std::size_t at = 0; at < in.size(); ++at) {
    if (in[at] == out[at]) continue;
    EXPECT_TRUE(may_change(in, at)) << "byte " << at << " has changed";
  }
  if (was_right) {
    EXPECT_TRUE(verify_checksums(out));
  }
}

void check(At at, const Bytes& in, const RunResult& result) {
  const bool forwarded = result.action == (is_xdp(at) ? kXdpRedirect : kTcRedirect);
  const bool dropped = result.action == (is_xdp(at) ? kXdpDrop : kTcDrop);
  const bool passed = result.action == (is_xdp(at) ? kXdpPass : kTcNext);
  ASSERT_TRUE(forwarded || dropped || passed) << "action " << result.action;
  if (forwarded) return check_forwarded(in, result.packet);
  // A first fragment turns into those that waited for it.
  if (!(dropped && is_fragment(in))) {
    EXPECT_THAT(result.packet, IsPacket(in));
  }
}

class Mutations : public PacketTest {};

TEST_F(Mutations, NothingUnexpectedLeaves) {
  const char* given_seed = std::getenv("FW_SEED");
  const unsigned seed = given_seed != nullptr ? static_cast<unsigned>(std::atol(given_seed)) : 1U;
  RecordProperty("seed", static_cast<int>(seed));
  Random random{seed};
  const std::vector<Bytes> frames = seeds();
  const At hooks[] = {At::kXdpUp, At::kTcUp, At::kFromWeb, At::kOutUp, At::kXdpLan, At::kFromKnown};
  unsigned forwarded = 0;
  for (unsigned i = 0; i < kPackets && !HasFailure(); ++i) {
    const Bytes frame = mutate(frames[pick(random, frames.size())], random);
    const At at = hooks[pick(random, 3) == 0 ? pick(random, std::size(hooks)) : i % 3];
    const auto result = machine_->run(at, frame);
    if (!result) {
      // The kernel refuses a frame that is not a whole IP header before the program sees it.
      ASSERT_TRUE(!is_xdp(at) && frame.size() <= 54) << result.error().message;
      continue;
    }
    SCOPED_TRACE("FW_SEED=" + std::to_string(seed) + ", packet " + std::to_string(i) + ", " +
                 to_string(at) + "\nin:\n" + decode(frame) + "out:\n" + decode(result->packet));
    check(at, frame, *result);
    if (result->action == (is_xdp(at) ? kXdpRedirect : kTcRedirect)) ++forwarded;
  }
  EXPECT_GT(forwarded, kPackets / 20) << "too few packets were good enough to test translation";
}

}  // namespace
}  // namespace fw::test
