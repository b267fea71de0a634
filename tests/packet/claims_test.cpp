// SPDX-License-Identifier: GPL-2.0-only
// A container that claims another's address, or the host's, must not get its traffic.
#include "tests/support/datapath_fixture.h"

namespace fw::test {
namespace {

using Claims = PacketTest;

Bytes arp_from_web(const char* sender) {
  return Eth{.src = kWebMac, .dst = "ff:ff:ff:ff:ff:ff"} /
         Arp{.operation = 2, .sender_mac = kWebMac, .sender = sender, .target = kApi};
}

// A neighbour advertisement for `target`.
Bytes advertisement_from_web(const char* target) {
  const auto address = *Address::parse(target);
  const Bytes bytes(address.bytes().begin(), address.bytes().end());
  return Eth{.src = kWebMac, .dst = "33:33:00:00:00:01"} /
         Ip6{.src = "fe80::1", .dst = "ff02::1", .hop_limit = 255} /
         Icmp{.type = 136, .rest = 0x60000000} / bytes;
}

TEST_F(Claims, ArpForItsOwnAddressPasses) {
  expect_untouched(At::kFromWeb, arp_from_web(kWeb));
}

TEST_F(Claims, ArpForAnothersAddressIsDropped) {
  expect_drop(At::kFromWeb, arp_from_web(kApi), "MARTIAN none none");
}

TEST_F(Claims, ArpForTheGatewayIsDropped) {
  expect_drop(At::kFromWeb, arp_from_web("172.20.1.1"), "MARTIAN none none");
}

TEST_F(Claims, AProbeWithoutAnAddressPasses) {
  expect_untouched(At::kFromWeb, arp_from_web("0.0.0.0"));
}

TEST_F(Claims, TruncatedArpIsDropped) {
  auto frame = arp_from_web(kWeb);
  frame.resize(30);
  expect_drop(At::kFromWeb, frame, "MALFORMED none none");
}

TEST_F(Claims, AdvertisementForItsOwnAddressPasses) {
  expect_untouched(At::kFromWeb, advertisement_from_web(kWebV6));
}

TEST_F(Claims, AdvertisementForAnothersAddressIsDropped) {
  expect_drop(At::kFromWeb, advertisement_from_web(kDbV6), "MARTIAN none none");
}

TEST_F(Claims, AdvertisementForTheGatewayIsDropped) {
  expect_drop(At::kFromWeb, advertisement_from_web("fd00:dead:beef:1::1"), "MARTIAN none none");
}

TEST_F(Claims, RouterAdvertisementFromAContainerIsDropped) {
  expect_drop(At::kFromWeb,
              Eth{.src = kWebMac, .dst = "33:33:00:00:00:01"} /
                  Ip6{.src = "fe80::1", .dst = "ff02::1", .hop_limit = 255} / Icmp{.type = 134} /
                  filler(8),
              "MARTIAN none none");
}

}  // namespace
}  // namespace fw::test
