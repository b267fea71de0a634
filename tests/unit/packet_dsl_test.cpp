// SPDX-License-Identifier: GPL-2.0-only
// Are the packets that other tests trust right? Judged by vectors that were not made here.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/checksum.h"
#include "tests/support/dissect.h"
#include "tests/support/packet.h"

namespace fw::test {
namespace {

using testing::HasSubstr;

std::uint16_t field16(const Bytes& frame, std::size_t at) {
  return static_cast<std::uint16_t>(frame[at] << 8 | frame[at + 1]);
}

TEST(Checksum, MatchesTheExampleOfRfc1071) {
  const Bytes example = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
  EXPECT_EQ(fold(sum16(example)), 0xddf2);
  EXPECT_EQ(inet_checksum(example), 0x220d);
}

TEST(Checksum, AnOddLastByteIsTheUpperHalf) {
  EXPECT_EQ(sum16(Bytes{0x01, 0x02, 0x03}), 0x0402U);
}

// The header of Wikipedia's "Internet checksum" article.
TEST(PacketDsl, Ip4HeaderMatchesAKnownVector) {
  const Bytes frame =
      Eth{} / Ip4{.src = "192.168.0.1", .dst = "192.168.0.199", .proto = 17, .length = 115};
  const Bytes header(frame.begin() + 14, frame.end());
  EXPECT_THAT(header,
              testing::ElementsAre(0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0xb8,
                                   0x61, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7));
}

TEST(PacketDsl, EchoRequestMatchesAKnownVector) {
  // `ping -s 0`, identifier 1, sequence 1: 0x0800 + 0x0001 + 0x0001 = 0x0802, inverted 0xf7fd.
  const Bytes frame = Eth{} / Ip4{} / Icmp{.id = 1, .seq = 1};
  EXPECT_EQ(field16(frame, 14 + 20 + 2), 0xf7fd);
}

TEST(PacketDsl, LayersNameTheOneThatFollows) {
  const Bytes frame = Eth{} / Vlan{.id = 5, .tpid = 0x88a8} / Vlan{.id = 7} / Ip6{} /
                      Ip6Ext{.type = 0} / Ip6Fragment{} / Udp{} / "hi";
  EXPECT_EQ(field16(frame, 12), 0x88a8);
  EXPECT_EQ(field16(frame, 16), 0x8100);
  EXPECT_EQ(field16(frame, 20), 0x86dd);
  EXPECT_EQ(frame[22 + 6], 0);        // hop-by-hop
  EXPECT_EQ(frame[22 + 40], 44);      // fragment
  EXPECT_EQ(frame[22 + 40 + 8], 17);  // UDP
  EXPECT_EQ(field16(frame, 22 + 4), 8 + 8 + 8 + 2);
}

TEST(PacketDsl, OptionsArePaddedAndCounted) {
  const Bytes frame =
      Eth{} / Ip4{.options = {7, 3, 4}} / Tcp{.syn = true, .options = {2, 4, 5, 180, 1}};
  EXPECT_EQ(frame[14], 0x46);
  EXPECT_EQ(frame[14 + 24 + 12], 0x70);
  EXPECT_EQ(frame.size(), 14U + 24U + 28U);
  EXPECT_TRUE(verify_checksums(frame));
}

TEST(PacketDsl, AnUnfinishedChecksumIsThePseudoHeaderSum) {
  const Bytes frame =
      Eth{} / Ip4{.src = "10.0.0.1", .dst = "10.0.0.2"} / Udp{.csum = kUnfinished} / "x";
  // 0a00 + 0001 + 0a00 + 0002 + 0011 + 0009
  EXPECT_EQ(field16(frame, 14 + 20 + 6), 0x141d);
  EXPECT_FALSE(verify_checksums(frame));
  EXPECT_THAT(decode(frame), HasSubstr("csum=0x141d unfinished"));
}

TEST(PacketDsl, UdpSendsAComputedZeroAsAllOnes) {
  const Bytes frame = Eth{} / Ip4{} / Udp{} / Bytes{0, 0};
  const auto checksum = field16(frame, 40);
  // A payload equal to the checksum makes the sum 0xffff, whose complement is 0.
  const Bytes zero =
      Eth{} / Ip4{} / Udp{} /
      Bytes{static_cast<std::uint8_t>(checksum >> 8), static_cast<std::uint8_t>(checksum)};
  EXPECT_EQ(field16(zero, 40), 0xffff);
  EXPECT_TRUE(verify_checksums(zero));
  EXPECT_EQ(field16(Eth{} / Ip4{} / Udp{.csum = given(0)}, 40), 0);
  EXPECT_TRUE(verify_checksums(Eth{} / Ip4{} / Udp{.csum = given(0)}));
  EXPECT_FALSE(verify_checksums(Eth{} / Ip6{} / Udp{.csum = given(0)}));
}

TEST(PacketDsl, EveryKindOfPacketVerifies) {
  const Packet payload = filler(33);
  for (const Bytes& frame : {
           (Eth{} / Ip4{} / Tcp{.ack = true} / payload).bytes(),
           (Eth{} / Ip6{} / Tcp{.ack = true} / payload).bytes(),
           (Eth{} / Ip4{} / Udp{} / payload).bytes(),
           (Eth{} / Ip6{} / Udp{} / payload).bytes(),
           (Eth{} / Ip4{} / Icmp{} / payload).bytes(),
           (Eth{} / Ip6{} / Icmp{.type = 128} / payload).bytes(),
           (Eth{} / Ip6{} / Ip6Ext{.type = 0} / Ip6Ext{} / Tcp{} / payload).bytes(),
           (Eth{} / Ip4{} / Icmp{.type = 11} / Ip4{} / Udp{} / payload).bytes(),
           (Eth{} / Ip6{} / Icmp{.type = 3} / Ip6{} / Tcp{} / payload).bytes(),
       })
    EXPECT_TRUE(verify_checksums(frame));
}

TEST(PacketDsl, AWrongChecksumAnywhereIsFound) {
  const Packet quoted = Ip4{} / Udp{.csum = given(0x1234)};
  EXPECT_FALSE(verify_checksums(Eth{} / Ip4{.csum = given(1)} / Tcp{}));
  EXPECT_FALSE(verify_checksums(Eth{} / Ip4{} / Tcp{.csum = given(1)}));
  EXPECT_FALSE(verify_checksums(Eth{} / Ip4{} / Icmp{.type = 3} / quoted));
  const auto result = verify_checksums(Eth{} / Ip4{.csum = given(1)} / Tcp{});
  const Bytes right = Eth{} / Ip4{} / Tcp{};
  EXPECT_EQ(field16(right, 24), 0x4e86);
  EXPECT_THAT(result.message(), HasSubstr("ip4: checksum 0x0001 wrong, right is 0x4e86"));
}

TEST(PacketDsl, AQuoteMayEndAfterEightBytesOfTheL4Header) {
  const Bytes inner = Ip4{.options = {1, 1, 1, 1}} / Tcp{.sport = 4242} / filler(100);
  const Bytes frame =
      Eth{} / Ip4{} / Icmp{.type = 3, .code = 4, .rest = 1400} / truncated(inner, 32);
  EXPECT_TRUE(verify_checksums(frame));
  EXPECT_THAT(decode(frame), HasSubstr("quoted tcp sport=4242"));
}

TEST(PacketDsl, FragmentsCoverTheDatagram) {
  const Bytes whole = Eth{} / Ip4{.dont_fragment = false} / Udp{} / filler(3000);
  const auto parts = fragments(whole, 1480, 77);
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_TRUE(verify_checksums(parts[0]));
  EXPECT_THAT(decode(parts[1]), HasSubstr("id=77 flags=M offset=1480"));
  EXPECT_THAT(decode(parts[2]), HasSubstr("flags= offset=2960"));
  const auto parts6 = fragments(Eth{} / Ip6{} / Udp{} / filler(2000), 1440);
  ASSERT_EQ(parts6.size(), 2U);
  EXPECT_THAT(decode(parts6[1]), HasSubstr("ip6frag next=17 offset=1440 more=false id=1"));
}

TEST(PacketDsl, ADifferenceIsNamedByItsField) {
  const Bytes want = Eth{} / Ip4{.ttl = 63} / Tcp{.dport = 8080};
  const Bytes got = Eth{} / Ip4{.ttl = 64} / Tcp{.dport = 80};
  EXPECT_THAT(difference(want, got), HasSubstr("ip4.ttl: want 63, got 64\n"));
  EXPECT_THAT(difference(want, got), HasSubstr("tcp.dport: want 8080, got 80\n"));
  EXPECT_EQ(difference(want, want), "");
  EXPECT_THAT(want, IsPacket(want));
  EXPECT_THAT(got, testing::Not(IsPacket(want)));
}

TEST(PacketDsl, DissectingATruncatedFrameNeverReadsPastItsEnd) {
  const Bytes deep = Eth{} / Vlan{} / Ip6{} / Ip6Ext{} / Ip6Fragment{} / Icmp{.type = 1} / Ip6{} /
                     Ip6Ext{.type = 51} / Tcp{.options = {1, 1, 1}} / "payload";
  for (std::size_t length = 0; length <= deep.size(); length++) {
    // A copy of exactly that size, so that ASan sees a read past it.
    const Bytes cut = truncated(deep, length);
    EXPECT_FALSE(decode(cut).empty());
  }
}

}  // namespace
}  // namespace fw::test
