// SPDX-License-Identifier: GPL-2.0-only
// The Internet checksum (RFC 1071), written plainly: the reference that the datapath's incremental
// arithmetic is judged by, so it shares no code with it.
#pragma once

#include <cstdint>
#include <span>

namespace fw::test {

// Adds bytes as big-endian 16-bit words; an odd last byte counts as its word's upper half. Sums of
// consecutive parts may be added up if every part but the last has an even length.
std::uint32_t sum16(std::span<const std::uint8_t> bytes, std::uint32_t start = 0);

// Carries folded in, not inverted: what CHECKSUM_PARTIAL leaves in the field for a pseudo-header.
std::uint16_t fold(std::uint32_t sum);

// The value that belongs into a checksum field, in host byte order.
inline std::uint16_t inet_checksum(std::span<const std::uint8_t> bytes, std::uint32_t start = 0) {
  return static_cast<std::uint16_t>(~fold(sum16(bytes, start)));
}

// Sum of the pseudo-header: 4-byte addresses for IPv4 (RFC 9293), 16-byte for IPv6 (RFC 8200).
std::uint32_t pseudo_header(std::span<const std::uint8_t> src, std::span<const std::uint8_t> dst,
                            std::uint8_t proto, std::size_t l4_length);

}  // namespace fw::test
