// SPDX-License-Identifier: GPL-2.0-only
#include "tests/support/checksum.h"

namespace fw::test {

std::uint32_t sum16(std::span<const std::uint8_t> bytes, std::uint32_t start) {
  std::uint64_t sum = start;
  for (std::size_t i = 0; i < bytes.size(); i++)
    sum += i % 2 == 0 ? std::uint64_t{bytes[i]} << 8 : bytes[i];
  while (sum >> 32 != 0) sum = (sum & 0xffffffff) + (sum >> 32);
  return static_cast<std::uint32_t>(sum);
}

std::uint16_t fold(std::uint32_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

std::uint32_t pseudo_header(std::span<const std::uint8_t> src, std::span<const std::uint8_t> dst,
                            std::uint8_t proto, std::size_t l4_length) {
  const auto length = static_cast<std::uint32_t>(l4_length);
  return sum16(dst, sum16(src)) + proto + (length >> 16) + (length & 0xffff);
}

}  // namespace fw::test
