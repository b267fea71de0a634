// SPDX-License-Identifier: GPL-2.0-only
// Addresses, prefixes and port ranges as values. Text in, text out, ordered and hashable.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "loader/base/result.h"
#include "maps/tuple.h"

namespace fw {

enum class Family : std::uint8_t { kIpv4 = FW_IPV4, kIpv6 = FW_IPV6 };

// An IPv4 or IPv6 address: 16 bytes in network order, IPv4 mapped (::ffff:a.b.c.d).
class Address {
 public:
  Address() = default;  // "::"
  static Result<Address> parse(std::string_view text);
  static Address from_abi(const fw_addr& addr);
  static Address from_ipv4(std::uint32_t host_order);
  static Address from_bytes(Family family, const void* bytes);  // 4 or 16 bytes, network order

  [[nodiscard]] Family family() const;
  [[nodiscard]] bool is_ipv4() const { return family() == Family::kIpv4; }
  [[nodiscard]] bool is_loopback() const;     // 127.0.0.0/8 or ::1
  [[nodiscard]] bool is_unspecified() const;  // 0.0.0.0 or ::
  [[nodiscard]] fw_addr to_abi() const;
  [[nodiscard]] std::uint32_t ipv4_be() const;  // network order; only when is_ipv4()
  [[nodiscard]] const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }
  [[nodiscard]] std::string to_string() const;

  auto operator<=>(const Address&) const = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};
};

// A CIDR. The host bits are zero; `length` counts from the family's first bit (0-32 or 0-128).
class Prefix {
 public:
  Prefix() = default;
  Prefix(Address address, unsigned length);  // clears the host bits
  // "10.0.0.0/8", or an address alone (its full length). Host bits that are set are an error
  // whose message names the prefix that was probably meant.
  static Result<Prefix> parse(std::string_view text);

  [[nodiscard]] const Address& address() const { return address_; }
  [[nodiscard]] unsigned length() const { return length_; }
  [[nodiscard]] Family family() const { return address_.family(); }
  [[nodiscard]] bool contains(const Address& address) const;
  [[nodiscard]] bool contains(const Prefix& other) const;
  [[nodiscard]] std::string to_string() const;  // an address alone when the length is full

  auto operator<=>(const Prefix&) const = default;

 private:
  Address address_;
  unsigned length_ = 0;
};

// An inclusive range of ports in host byte order; first == last for one port.
struct PortRange {
  std::uint16_t first = 0;
  std::uint16_t last = 0;

  static Result<PortRange> parse(std::string_view text);  // "80", "30000-30100"
  [[nodiscard]] bool contains(std::uint16_t port) const { return first <= port && port <= last; }
  [[nodiscard]] unsigned size() const { return unsigned{last} - first + 1; }
  [[nodiscard]] std::string to_string() const;

  auto operator<=>(const PortRange&) const = default;
};

enum class Proto : std::uint8_t { kIcmp = 1, kTcp = 6, kUdp = 17 };  // IANA protocol numbers

std::string_view to_string(Proto proto);

}  // namespace fw
