// SPDX-License-Identifier: GPL-2.0-only
// How addresses, prefixes and port ranges are read, written and compared.
#include "loader/base/net.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace fw {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

unsigned family_bits(Family family) {
  return family == Family::kIpv4 ? 32 : 128;
}

// Where the family's first bit is in the 16 bytes.
unsigned first_bit(Family family) {
  return 128 - family_bits(family);
}

// Decimal digits only, no sign, no spaces, no leading zero.
std::optional<unsigned> parse_decimal(std::string_view text) {
  unsigned value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end) return std::nullopt;
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  return value;
}

std::string quoted(std::string_view text) {
  return "'" + std::string{text} + "'";
}

bool same_bits(const Address& a, const Address& b, unsigned bits) {
  const unsigned whole = bits / 8;
  if (!std::equal(a.bytes().begin(), a.bytes().begin() + whole, b.bytes().begin())) return false;
  const unsigned rest = bits % 8;
  if (rest == 0) return true;
  const int differ = a.bytes()[whole] ^ b.bytes()[whole];
  return (differ >> (8 - rest)) == 0;
}

Result<std::uint16_t> parse_port(std::string_view text) {
  const auto value = parse_decimal(text);
  if (!value) return Error{quoted(text) + " is not a port number"};
  if (*value < 1 || *value > 65535) {
    return Error{"port " + std::string{text} + " does not exist; ports are 1 to 65535"};
  }
  return static_cast<std::uint16_t>(*value);
}

}  // namespace

Result<Address> Address::parse(std::string_view text) {
  // inet_pton needs a terminator, and a text with a NUL inside is no address.
  const std::string copy{text};
  in_addr ipv4{};
  in6_addr ipv6{};
  if (copy.find('\0') == std::string::npos) {
    if (inet_pton(AF_INET, copy.c_str(), &ipv4) == 1) return from_bytes(Family::kIpv4, &ipv4);
    if (inet_pton(AF_INET6, copy.c_str(), &ipv6) == 1) {
      const Address address = from_bytes(Family::kIpv6, &ipv6);
      if (!address.is_ipv4()) return address;
      return Error{quoted(text) + " is an IPv4 address in IPv6 form; write " + address.to_string()};
    }
  }
  return Error{quoted(text) + " is not an IPv4 or IPv6 address"};
}

Address Address::from_abi(const fw_addr& addr) {
  Address result;
  static_assert(sizeof(addr) == sizeof(result.bytes_));
  std::memcpy(result.bytes_.data(), &addr, sizeof(addr));
  return result;
}

Address Address::from_ipv4(std::uint32_t host_order) {
  const std::uint32_t network_order = htonl(host_order);
  return from_bytes(Family::kIpv4, &network_order);
}

Address Address::from_bytes(Family family, const void* bytes) {
  Address result;
  if (family == Family::kIpv6) {
    std::memcpy(result.bytes_.data(), bytes, result.bytes_.size());
    return result;
  }
  std::copy(kMapped.begin(), kMapped.end(), result.bytes_.begin());
  std::memcpy(result.bytes_.data() + kMapped.size(), bytes, 4);
  return result;
}

Family Address::family() const {
  const bool mapped = std::equal(kMapped.begin(), kMapped.end(), bytes_.begin());
  return mapped ? Family::kIpv4 : Family::kIpv6;
}

bool Address::is_loopback() const {
  if (is_ipv4()) return bytes_[12] == 127;
  return std::all_of(bytes_.begin(), bytes_.end() - 1, [](auto b) { return b == 0; }) &&
         bytes_[15] == 1;
}

bool Address::is_unspecified() const {
  const auto* start = bytes_.begin() + (is_ipv4() ? kMapped.size() : 0);
  return std::all_of(start, bytes_.end(), [](auto b) { return b == 0; });
}

fw_addr Address::to_abi() const {
  fw_addr addr{};
  std::memcpy(&addr, bytes_.data(), sizeof(addr));
  return addr;
}

std::uint32_t Address::ipv4_be() const {
  assert(is_ipv4());
  std::uint32_t value = 0;
  std::memcpy(&value, bytes_.data() + kMapped.size(), sizeof(value));
  return value;
}

std::string Address::to_string() const {
  char text[INET6_ADDRSTRLEN] = {};
  if (is_ipv4()) {
    inet_ntop(AF_INET, bytes_.data() + kMapped.size(), text, sizeof(text));
  } else {
    inet_ntop(AF_INET6, bytes_.data(), text, sizeof(text));
  }
  return text;
}

Prefix::Prefix(Address address, unsigned length) : length_(length) {
  assert(length <= family_bits(address.family()));
  const unsigned keep = first_bit(address.family()) + length;
  auto bytes = address.bytes();
  for (unsigned i = 0; i < bytes.size(); ++i) {
    const unsigned kept = std::clamp(keep, i * 8, i * 8 + 8) - i * 8;
    bytes[i] = static_cast<std::uint8_t>(bytes[i] & (0xff00U >> kept));
  }
  address_ = Address::from_bytes(Family::kIpv6, bytes.data());
}

Result<Prefix> Prefix::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = Address::parse(text.substr(0, slash));
  if (!address) return address.error();
  const unsigned most = family_bits(address->family());
  if (slash == std::string_view::npos) return Prefix{*address, most};

  const auto length = parse_decimal(text.substr(slash + 1));
  if (!length || *length > most) {
    return Error{quoted(text) + " has a bad prefix length; " +
                 (address->is_ipv4() ? "IPv4 has 0 to 32" : "IPv6 has 0 to 128")};
  }
  const Prefix prefix{*address, *length};
  if (prefix.address() != *address) {
    return Error{quoted(text) + " has bits set beyond its prefix; did you mean " +
                 prefix.address().to_string() + "/" + std::to_string(*length) + " or " +
                 address->to_string() + "?"};
  }
  return prefix;
}

bool Prefix::contains(const Address& address) const {
  return family() == address.family() &&
         same_bits(address_, address, first_bit(family()) + length_);
}

bool Prefix::contains(const Prefix& other) const {
  return length_ <= other.length_ && contains(other.address_);
}

std::string Prefix::to_string() const {
  if (length_ == family_bits(family())) return address_.to_string();
  return address_.to_string() + "/" + std::to_string(length_);
}

Result<PortRange> PortRange::parse(std::string_view text) {
  const auto dash = text.find('-');
  const auto first = parse_port(text.substr(0, dash));
  if (!first) {
    if (parse_decimal(text.substr(0, dash))) return first.error();
    return Error{quoted(text) + " is not a port or a range of ports like 8000-8010"};
  }
  if (dash == std::string_view::npos) return PortRange{*first, *first};

  const auto last = parse_port(text.substr(dash + 1));
  if (!last) {
    if (parse_decimal(text.substr(dash + 1))) return last.error();
    return Error{quoted(text) + " is not a port or a range of ports like 8000-8010"};
  }
  if (*last < *first) {
    return Error{"the range " + std::string{text} + " ends before it starts; did you mean " +
                 PortRange{*last, *first}.to_string() + "?"};
  }
  return PortRange{*first, *last};
}

std::string PortRange::to_string() const {
  if (first == last) return std::to_string(first);
  return std::to_string(first) + "-" + std::to_string(last);
}

std::string_view to_string(Proto proto) {
  switch (proto) {
    case Proto::kIcmp:
      return "icmp";
    case Proto::kTcp:
      return "tcp";
    case Proto::kUdp:
      return "udp";
  }
  return "?";
}

}  // namespace fw
