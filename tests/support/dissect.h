// SPDX-License-Identifier: GPL-2.0-only
// What a frame says, for people: one line per layer, the fields that differ between two frames,
// and whether every checksum in it holds.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/support/packet.h"

namespace fw::test {

struct DissectedLayer {
  std::string name;  // "eth", "ip4", "tcp"...; "quoted ip4" inside an ICMP error
  std::vector<std::pair<std::string, std::string>> fields;  // in wire order; checksums are judged
};

// Never fails: what cannot be read ends as a "truncated" or "data" layer.
std::vector<DissectedLayer> dissect(const Bytes& frame);

// One line per layer.
std::string decode(const Bytes& frame);

// "ip4.ttl: want 63, got 64", one line per difference; empty when the frames are equal.
std::string difference(const Bytes& want, const Bytes& got);

// IPv4 header, TCP, UDP, ICMP and ICMPv6 checksums, and those of the packet an ICMP error quotes
// as far as it is there. An unfinished checksum does not hold. A UDP checksum of 0 holds in IPv4.
testing::AssertionResult verify_checksums(const Bytes& frame);

MATCHER_P(IsPacket, want, (negation ? "is not the packet\n" : "is the packet\n") + decode(want)) {
  *result_listener << "which differs in\n" << difference(want, arg);
  return arg == want;
}

}  // namespace fw::test
