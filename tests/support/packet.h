// SPDX-License-Identifier: GPL-2.0-only
// Packets as a reader writes them down: `Eth{} / Ip4{.ttl = 1} / Tcp{.syn = true} / "GET /"`.
//
// Only what a test is about has to be said. Lengths, next-protocol fields and checksums are filled
// in when the packet becomes bytes, each from the layers around it, unless the layer states its
// own. Numbers are in host byte order, addresses are text.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace fw::test {

// The bytes of a frame. A type of its own so that GoogleTest prints it layer by layer.
struct Bytes : std::vector<std::uint8_t> {
  using vector::vector;
};
void PrintTo(const Bytes& bytes, std::ostream* out);  // GoogleTest finds it by this name

// What stands in a checksum field: the right value, what a sender with checksum offload leaves
// there (the folded pseudo-header sum), or a value of the test's choice.
struct Checksum {
  enum class Kind { kFull, kUnfinished, kGiven };
  Kind kind = Kind::kFull;
  std::uint16_t value = 0;
};
inline constexpr Checksum kFull{};
inline constexpr Checksum kUnfinished{Checksum::Kind::kUnfinished, 0};
constexpr Checksum given(std::uint16_t value) {
  return {Checksum::Kind::kGiven, value};
}

struct Eth {
  std::string src = "02:00:00:00:00:01";
  std::string dst = "02:00:00:00:00:02";
  std::optional<std::uint16_t> type{};
};

struct Vlan {
  std::uint16_t id = 1;
  std::uint8_t priority = 0;
  std::uint16_t tpid = 0x8100;  // of this tag: goes into the type field of the layer before
  std::optional<std::uint16_t> type{};
};

struct Arp {
  std::uint16_t operation = 1;  // 1 request, 2 reply
  std::string sender_mac = "02:00:00:00:00:01";
  std::string sender = "198.51.100.10";
  std::string target_mac = "00:00:00:00:00:00";
  std::string target = "198.51.100.1";
};

struct Ip4 {
  std::string src = "198.51.100.10";
  std::string dst = "192.168.1.100";
  std::uint8_t tos = 0;
  std::uint16_t id = 0;
  bool dont_fragment = true;
  bool more_fragments = false;
  std::uint16_t fragment_offset = 0;  // bytes; a multiple of 8
  std::uint8_t ttl = 64;
  std::optional<std::uint8_t> proto{};
  Bytes options{};                    // padded with zeroes to 4 bytes
  std::optional<std::uint8_t> ihl{};  // 32-bit words
  std::optional<std::uint16_t> length{};
  std::uint8_t version = 4;
  Checksum csum{};
};

struct Ip6 {
  std::string src = "2001:db8:1::10";
  std::string dst = "fd00:1::100";
  std::uint8_t traffic_class = 0;
  std::uint32_t flow_label = 0;
  std::uint8_t hop_limit = 64;
  std::optional<std::uint8_t> next{};
  std::optional<std::uint16_t> length{};  // of what follows the fixed header
  std::uint8_t version = 6;
};

// Hop-by-hop (0), routing (43), authentication (51) or destination options (60).
struct Ip6Ext {
  std::uint8_t type = 60;
  Bytes body = {1, 4, 0, 0, 0, 0};       // after next and length; default: one PadN option
  std::optional<std::uint8_t> length{};  // in the unit of its type; a body is padded to it
  std::optional<std::uint8_t> next{};
};

struct Ip6Fragment {
  std::uint16_t offset = 0;  // bytes; a multiple of 8
  bool more = false;
  std::uint32_t id = 1;
  std::optional<std::uint8_t> next{};
};

struct Tcp {
  std::uint16_t sport = 40000;
  std::uint16_t dport = 80;
  bool syn = false;
  bool ack = false;
  bool fin = false;
  bool rst = false;
  bool psh = false;
  bool urg = false;
  std::uint32_t seq = 1000;
  std::uint32_t ack_seq = 0;
  std::uint16_t window = 64240;
  std::uint16_t urgent = 0;
  Bytes options{};                              // padded with zeroes to 4 bytes
  std::optional<std::uint8_t> header_length{};  // 32-bit words
  Checksum csum{};
};

struct Udp {
  std::uint16_t sport = 40000;
  std::uint16_t dport = 53;
  std::optional<std::uint16_t> length{};
  Checksum csum{};
};

// ICMP after Ip4, ICMPv6 after Ip6. What follows an error is the packet it quotes:
// `Eth{} / Ip4{} / Icmp{.type = 3, .code = 4, .rest = 1400} / Ip4{} / Udp{}`.
struct Icmp {
  std::uint8_t type = 8;
  std::uint8_t code = 0;
  std::uint16_t id = 0;                 // echo
  std::uint16_t seq = 0;                // echo
  std::optional<std::uint32_t> rest{};  // the second word as a whole, instead of id and seq
  Checksum csum{};
};

struct Raw {
  Bytes bytes;
};

using Layer = std::variant<Eth, Vlan, Arp, Ip4, Ip6, Ip6Ext, Ip6Fragment, Tcp, Udp, Icmp, Raw>;

class Packet {
 public:
  // Implicit, so that `/` takes layers, text and bytes alike.
  template <class L>
  requires(!std::same_as<L, Bytes> && std::constructible_from<Layer, L>) Packet(L layer)
      : layers_{Layer{std::move(layer)}} {}                           // NOLINT: implicit
  Packet(Bytes payload) : layers_{Layer{Raw{std::move(payload)}}} {}  // NOLINT: implicit
  Packet(const char* payload);                                        // NOLINT: implicit

  operator Bytes() const;  // NOLINT: implicit
  [[nodiscard]] Bytes bytes() const { return *this; }

  friend Packet operator/(Packet outer, const Packet& inner);

 private:
  std::vector<Layer> layers_;
};

// Puts `inner` behind `outer`. Declared here too, so that it is found for two plain layers.
Packet operator/(Packet outer, const Packet& inner);

// The first `length` bytes.
Bytes truncated(const Bytes& bytes, std::size_t length);

// `length` bytes of a recognisable pattern.
Bytes filler(std::size_t length);

// The frame cut into IPv4 or IPv6 fragments with at most `payload` bytes (a multiple of 8) after
// the IP header, as a router or sender would. The frame has no tag and no extension header.
std::vector<Bytes> fragments(const Bytes& frame, std::size_t payload, std::uint32_t id = 1);

}  // namespace fw::test
