// SPDX-License-Identifier: GPL-2.0-only
#include "tests/support/packet.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cassert>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>

#include "tests/support/checksum.h"

namespace fw::test {
namespace {

constexpr std::uint16_t kLocalEthertype = 0x88b5;  // IEEE 802 local experimental
constexpr std::uint8_t kExperimentalProto = 253;   // RFC 3692

// A packet is written in a test's source, so a mistake in it is a bug there, not a failure.
[[noreturn]] void bad_literal(const char* what, const std::string& text) {
  std::fprintf(stderr, "packet.cpp: '%s' is not %s\n", text.c_str(), what);
  std::abort();
}

Bytes parse_ip(int family, const std::string& text) {
  Bytes bytes(family == AF_INET ? 4 : 16);
  if (inet_pton(family, text.c_str(), bytes.data()) != 1)
    bad_literal(family == AF_INET ? "an IPv4 address" : "an IPv6 address", text);
  return bytes;
}

Bytes parse_mac(const std::string& text) {
  Bytes bytes(6);
  if (std::sscanf(text.c_str(), "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx", &bytes[0], &bytes[1],
                  &bytes[2], &bytes[3], &bytes[4], &bytes[5]) != 6)
    bad_literal("a MAC address", text);
  return bytes;
}

// Appends big-endian fields.
class Writer {
 public:
  Writer& u8(unsigned value) {
    bytes_.push_back(static_cast<std::uint8_t>(value));
    return *this;
  }
  Writer& u16(unsigned value) { return u8(value >> 8).u8(value & 0xff); }
  Writer& u32(std::uint32_t value) { return u16(value >> 16).u16(value & 0xffff); }
  Writer& raw(std::span<const std::uint8_t> bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return *this;
  }
  Writer& pad_to(std::size_t multiple) {
    while (bytes_.size() % multiple != 0) u8(0);
    return *this;
  }
  void set_u16(std::size_t at, std::uint16_t value) {
    bytes_[at] = static_cast<std::uint8_t>(value >> 8);
    bytes_[at + 1] = static_cast<std::uint8_t>(value);
  }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  Bytes& bytes() { return bytes_; }

 private:
  Bytes bytes_;
};

// One layer with what it needs to know of the others.
struct Place {
  std::span<const Layer> layers;
  std::size_t index;
  const Bytes& payload;  // everything behind it, already in bytes

  [[nodiscard]] const Layer* next() const {
    return index + 1 < layers.size() ? &layers[index + 1] : nullptr;
  }
  // The IP header that this layer's checksum covers; null without one.
  [[nodiscard]] const Layer* enclosing_ip() const {
    for (std::size_t i = index; i-- > 0;)
      if (std::holds_alternative<Ip4>(layers[i]) || std::holds_alternative<Ip6>(layers[i]))
        return &layers[i];
    return nullptr;
  }
  [[nodiscard]] bool in_ip6() const {
    const Layer* outer = enclosing_ip();
    return outer != nullptr && std::holds_alternative<Ip6>(*outer);
  }
};

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};

std::uint16_t ethertype_of(const Layer* layer) {
  if (layer == nullptr) return kLocalEthertype;
  return std::visit(Overloaded{[](const Vlan& tag) { return tag.tpid; },
                               [](const Arp&) -> std::uint16_t { return ETHERTYPE_ARP; },
                               [](const Ip4&) -> std::uint16_t { return ETHERTYPE_IP; },
                               [](const Ip6&) -> std::uint16_t { return ETHERTYPE_IPV6; },
                               [](const auto&) { return kLocalEthertype; }},
                    *layer);
}

std::uint8_t protocol_of(const Layer* layer, bool ip6) {
  if (layer == nullptr) return ip6 ? std::uint8_t{IPPROTO_NONE} : kExperimentalProto;
  return std::visit(Overloaded{[](const Tcp&) -> std::uint8_t { return IPPROTO_TCP; },
                               [](const Udp&) -> std::uint8_t { return IPPROTO_UDP; },
                               [&](const Icmp&) {
                                 return ip6 ? std::uint8_t{IPPROTO_ICMPV6}
                                            : std::uint8_t{IPPROTO_ICMP};
                               },
                               [](const Ip6Ext& extension) { return extension.type; },
                               [](const Ip6Fragment&) -> std::uint8_t { return IPPROTO_FRAGMENT; },
                               [](const Ip4&) -> std::uint8_t { return IPPROTO_IPIP; },
                               [](const Ip6&) -> std::uint8_t { return IPPROTO_IPV6; },
                               [](const auto&) { return kExperimentalProto; }},
                    *layer);
}

std::uint32_t pseudo_sum(const Place& place, std::uint8_t proto, std::size_t l4_length) {
  const Layer* outer = place.enclosing_ip();
  if (outer == nullptr) return 0;
  if (const auto* ip = std::get_if<Ip4>(outer))
    return pseudo_header(parse_ip(AF_INET, ip->src), parse_ip(AF_INET, ip->dst), proto, l4_length);
  const auto& ip = std::get<Ip6>(*outer);
  return pseudo_header(parse_ip(AF_INET6, ip.src), parse_ip(AF_INET6, ip.dst), proto, l4_length);
}

// `header` is complete but for a zero checksum field.
std::uint16_t resolve(Checksum wanted, Writer& header, const Bytes& payload, std::uint32_t pseudo) {
  switch (wanted.kind) {
    case Checksum::Kind::kGiven:
      return wanted.value;
    case Checksum::Kind::kUnfinished:
      return fold(pseudo);
    case Checksum::Kind::kFull:
      break;
  }
  return inet_checksum(payload, sum16(header.bytes(), pseudo));
}

void write(const Eth& eth, const Place& place, Writer& out) {
  out.raw(parse_mac(eth.dst)).raw(parse_mac(eth.src));
  out.u16(eth.type.value_or(ethertype_of(place.next())));
}

void write(const Vlan& tag, const Place& place, Writer& out) {
  out.u16(static_cast<unsigned>(tag.priority << 13) | tag.id);
  out.u16(tag.type.value_or(ethertype_of(place.next())));
}

void write(const Arp& arp, const Place& /*place*/, Writer& out) {
  out.u16(1).u16(ETHERTYPE_IP).u8(6).u8(4).u16(arp.operation);
  out.raw(parse_mac(arp.sender_mac)).raw(parse_ip(AF_INET, arp.sender));
  out.raw(parse_mac(arp.target_mac)).raw(parse_ip(AF_INET, arp.target));
}

void write(const Ip4& ip, const Place& place, Writer& out) {
  const std::size_t header = 20 + (ip.options.size() + 3) / 4 * 4;
  out.u8(static_cast<unsigned>(ip.version << 4) | ip.ihl.value_or(header / 4));
  out.u8(ip.tos);
  out.u16(ip.length.value_or(static_cast<std::uint16_t>(header + place.payload.size())));
  out.u16(ip.id);
  out.u16((ip.dont_fragment ? 0x4000U : 0U) | (ip.more_fragments ? 0x2000U : 0U) |
          ip.fragment_offset / 8U);
  out.u8(ip.ttl).u8(ip.proto.value_or(protocol_of(place.next(), false)));
  out.u16(0);
  out.raw(parse_ip(AF_INET, ip.src)).raw(parse_ip(AF_INET, ip.dst));
  out.raw(ip.options).pad_to(4);
  out.set_u16(10, resolve(ip.csum, out, {}, 0));
}

void write(const Ip6& ip, const Place& place, Writer& out) {
  out.u32(std::uint32_t{ip.version} << 28 | std::uint32_t{ip.traffic_class} << 20 | ip.flow_label);
  out.u16(ip.length.value_or(static_cast<std::uint16_t>(place.payload.size())));
  out.u8(ip.next.value_or(protocol_of(place.next(), true))).u8(ip.hop_limit);
  out.raw(parse_ip(AF_INET6, ip.src)).raw(parse_ip(AF_INET6, ip.dst));
}

void write(const Ip6Ext& extension, const Place& place, Writer& out) {
  // RFC 8200 counts 8-byte units after the first; RFC 4302 4-byte units, minus 2.
  const bool authentication = extension.type == IPPROTO_AH;
  const std::size_t unit = authentication ? 4 : 8;
  out.u8(extension.next.value_or(protocol_of(place.next(), true))).u8(0);
  out.raw(extension.body).pad_to(unit);
  const std::size_t units = out.size() / unit - (authentication ? 2 : 1);
  out.bytes()[1] = extension.length.value_or(static_cast<std::uint8_t>(units));
}

void write(const Ip6Fragment& fragment, const Place& place, Writer& out) {
  out.u8(fragment.next.value_or(protocol_of(place.next(), true))).u8(0);
  out.u16(fragment.offset | (fragment.more ? 1U : 0U)).u32(fragment.id);
}

void write(const Tcp& tcp, const Place& place, Writer& out) {
  const std::size_t header = 20 + (tcp.options.size() + 3) / 4 * 4;
  out.u16(tcp.sport).u16(tcp.dport).u32(tcp.seq).u32(tcp.ack_seq);
  out.u8(tcp.header_length.value_or(static_cast<std::uint8_t>(header / 4)) * 16U);
  out.u8((tcp.fin ? 1U : 0U) | (tcp.syn ? 2U : 0U) | (tcp.rst ? 4U : 0U) | (tcp.psh ? 8U : 0U) |
         (tcp.ack ? 16U : 0U) | (tcp.urg ? 32U : 0U));
  out.u16(tcp.window).u16(0).u16(tcp.urgent);
  out.raw(tcp.options).pad_to(4);
  const auto pseudo = pseudo_sum(place, IPPROTO_TCP, out.size() + place.payload.size());
  out.set_u16(16, resolve(tcp.csum, out, place.payload, pseudo));
}

void write(const Udp& udp, const Place& place, Writer& out) {
  const std::size_t length = 8 + place.payload.size();
  out.u16(udp.sport).u16(udp.dport);
  out.u16(udp.length.value_or(static_cast<std::uint16_t>(length))).u16(0);
  const auto pseudo = pseudo_sum(place, IPPROTO_UDP, length);
  const auto checksum = resolve(udp.csum, out, place.payload, pseudo);
  // RFC 768: zero means "none", so a computed zero is sent as its other form.
  const bool computed_zero = udp.csum.kind == Checksum::Kind::kFull && checksum == 0;
  out.set_u16(6, computed_zero ? 0xffff : checksum);
}

void write(const Icmp& icmp, const Place& place, Writer& out) {
  out.u8(icmp.type).u8(icmp.code).u16(0);
  out.u32(icmp.rest.value_or(std::uint32_t{icmp.id} << 16 | icmp.seq));
  const std::size_t length = out.size() + place.payload.size();
  const auto pseudo = place.in_ip6() ? pseudo_sum(place, IPPROTO_ICMPV6, length) : 0;
  out.set_u16(2, resolve(icmp.csum, out, place.payload, pseudo));
}

void write(const Raw& raw, const Place& /*place*/, Writer& out) {
  out.raw(raw.bytes);
}

// Cuts one fragment's bytes out of `frame`; offsets are relative to the end of the IP header.
Bytes cut(const Bytes& frame, std::size_t header_end, std::size_t from, std::size_t to) {
  Bytes part(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(header_end));
  part.insert(part.end(), frame.begin() + static_cast<std::ptrdiff_t>(header_end + from),
              frame.begin() + static_cast<std::ptrdiff_t>(header_end + to));
  return part;
}

void put16(Bytes& bytes, std::size_t at, std::size_t value) {
  bytes[at] = static_cast<std::uint8_t>(value >> 8);
  bytes[at + 1] = static_cast<std::uint8_t>(value);
}

Bytes fragment4(const Bytes& frame, std::size_t from, std::size_t to, bool more, std::uint32_t id) {
  const std::size_t ip = ETH_HLEN;
  const std::size_t header = (frame[ip] & 0x0fU) * 4U;
  Bytes part = cut(frame, ip + header, from, to);
  put16(part, ip + 2, header + to - from);
  put16(part, ip + 4, id & 0xffff);
  put16(part, ip + 6, from / 8 | (more ? 0x2000U : 0U));
  put16(part, ip + 10, 0);
  put16(part, ip + 10, inet_checksum(std::span{part}.subspan(ip, header)));
  return part;
}

Bytes fragment6(const Bytes& frame, std::size_t from, std::size_t to, bool more, std::uint32_t id) {
  const std::size_t ip = ETH_HLEN;
  const std::size_t header_end = ip + 40;
  Bytes part = cut(frame, header_end, from, to);
  Writer header;
  header.u8(part[ip + 6]).u8(0).u16(static_cast<unsigned>(from) | (more ? 1U : 0U)).u32(id);
  part.insert(part.begin() + static_cast<std::ptrdiff_t>(header_end), header.bytes().begin(),
              header.bytes().end());
  part[ip + 6] = IPPROTO_FRAGMENT;
  put16(part, ip + 4, 8 + to - from);
  return part;
}

}  // namespace

Packet::Packet(const char* payload)
    : layers_{Raw{Bytes(payload, payload + std::strlen(payload))}} {}

Packet::operator Bytes() const {
  Bytes tail;
  for (std::size_t i = layers_.size(); i-- > 0;) {
    Writer header;
    const Place place{layers_, i, tail};
    std::visit([&](const auto& layer) { write(layer, place, header); }, layers_[i]);
    header.raw(tail);
    tail = std::move(header.bytes());
  }
  return tail;
}

Packet operator/(Packet outer, const Packet& inner) {
  outer.layers_.insert(outer.layers_.end(), inner.layers_.begin(), inner.layers_.end());
  return outer;
}

Bytes truncated(const Bytes& bytes, std::size_t length) {
  return {bytes.begin(),
          bytes.begin() + static_cast<std::ptrdiff_t>(std::min(length, bytes.size()))};
}

Bytes filler(std::size_t length) {
  Bytes bytes(length);
  for (std::size_t i = 0; i < length; i++) bytes[i] = static_cast<std::uint8_t>(i * 7 + i / 256);
  return bytes;
}

std::vector<Bytes> fragments(const Bytes& frame, std::size_t payload, std::uint32_t id) {
  assert(payload % 8 == 0 && payload > 0);
  const bool ip6 = frame[12] == 0x86;
  const std::size_t header_end = ETH_HLEN + (ip6 ? 40U : (frame[ETH_HLEN] & 0x0fU) * 4U);
  const std::size_t total = frame.size() - header_end;
  std::vector<Bytes> parts;
  for (std::size_t from = 0; from < total; from += payload) {
    const std::size_t to = std::min(from + payload, total);
    parts.push_back((ip6 ? fragment6 : fragment4)(frame, from, to, to < total, id));
  }
  return parts;
}

}  // namespace fw::test
