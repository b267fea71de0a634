// SPDX-License-Identifier: GPL-2.0-only
#include "tests/support/dissect.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <netinet/in.h>

#include <algorithm>
#include <span>

#include <spdlog/fmt/fmt.h>

#include "tests/support/checksum.h"

namespace fw::test {
namespace {

using View = std::span<const std::uint8_t>;

constexpr std::size_t kShownBytes = 48;  // of a payload

unsigned u16(View bytes, std::size_t at) {
  return bytes[at] * 256U + bytes[at + 1];
}
std::uint32_t u32(View bytes, std::size_t at) {
  return u16(bytes, at) << 16 | u16(bytes, at + 2);
}

std::string mac(View bytes) {
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", bytes[0], bytes[1], bytes[2],
                     bytes[3], bytes[4], bytes[5]);
}

std::string address(View bytes) {
  char text[INET6_ADDRSTRLEN];
  return inet_ntop(bytes.size() == 4 ? AF_INET : AF_INET6, bytes.data(), text, sizeof(text));
}

// The IP header around what is being read; `complete` when the whole datagram is present, so that
// a checksum over it can be judged.
struct Outer {
  View src;
  View dst;
  bool complete = true;
  bool fragment = false;

  [[nodiscard]] bool ip6() const { return src.size() == 16; }
  [[nodiscard]] bool judgeable() const { return complete && !fragment; }
};

class Dissector {
 public:
  std::vector<DissectedLayer> layers;
  std::vector<std::string> wrong;  // checksums that do not hold

  void ethernet(View rest) {
    if (!enough(rest, ETH_HLEN, "eth")) return;
    begin("eth");
    field("dst", mac(rest.first(6)));
    field("src", mac(rest.subspan(6, 6)));
    ethertype(u16(rest, 12), rest.subspan(ETH_HLEN));
  }

 private:
  void begin(const std::string& name) { layers.push_back({prefix_ + name, {}}); }
  template <class T>
  void field(const char* name, const T& value) {
    layers.back().fields.emplace_back(name, fmt::format("{}", value));
  }
  void hex(const char* name, unsigned value) { field(name, fmt::format("{:#06x}", value)); }

  bool enough(View rest, std::size_t needed, const char* what) {
    if (rest.size() >= needed) return true;
    begin("truncated");
    field("in", what);
    bytes(rest);
    return false;
  }

  void bytes(View rest) {
    field("length", rest.size());
    std::string text;
    for (const auto byte : rest.first(std::min(rest.size(), kShownBytes)))
      text += fmt::format("{:02x}", byte);
    if (rest.size() > kShownBytes) text += fmt::format("... sum {:#06x}", fold(sum16(rest)));
    field("bytes", text);
  }

  void data(View rest) {
    if (rest.empty()) return;
    begin("data");
    bytes(rest);
  }

  // `covered` includes the checksum field itself, so that a right one makes it sum up to 0xffff.
  void checksum(unsigned value, View covered, std::uint32_t pseudo, bool judgeable) {
    if (!judgeable) return hex("csum", value);
    const std::uint16_t sum = fold(sum16(covered, pseudo));
    if (sum == 0xffff) return field("csum", fmt::format("{:#06x} ok", value));
    const bool unfinished = pseudo != 0 && value == fold(pseudo);
    // Take the value out of the sum again (one's complement) to say what it should have been.
    const auto right = static_cast<std::uint16_t>(~fold(sum + (~value & 0xffffU)));
    field("csum", unfinished ? fmt::format("{:#06x} unfinished", value)
                             : fmt::format("{:#06x} wrong, right is {:#06x}", value, right));
    wrong.push_back(
        fmt::format("{}: checksum {}", layers.back().name, layers.back().fields.back().second));
  }

  void ethertype(unsigned type, View rest) {
    hex("type", type);
    if (type == ETHERTYPE_IP) return ip4(rest);
    if (type == ETHERTYPE_IPV6) return ip6(rest);
    if (type == ETHERTYPE_ARP) return arp(rest);
    if (type == ETHERTYPE_VLAN || type == 0x88a8) return vlan(rest);
    data(rest);
  }

  void vlan(View rest) {
    if (!enough(rest, 4, "vlan")) return;
    begin("vlan");
    field("id", u16(rest, 0) & 0xfff);
    field("priority", u16(rest, 0) >> 13);
    ethertype(u16(rest, 2), rest.subspan(4));
  }

  void arp(View rest) {
    if (!enough(rest, 28, "arp")) return;
    begin("arp");
    field("operation", u16(rest, 6));
    field("sender_mac", mac(rest.subspan(8, 6)));
    field("sender", address(rest.subspan(14, 4)));
    field("target_mac", mac(rest.subspan(18, 6)));
    field("target", address(rest.subspan(24, 4)));
    hex("formats", u16(rest, 0) ^ u16(rest, 2) ^ u16(rest, 4));
    data(rest.subspan(28));
  }

  void ip4(View rest) {
    if (!enough(rest, 20, "ip4")) return;
    begin("ip4");
    const std::size_t header = (rest[0] & 0x0fU) * 4U;
    const unsigned length = u16(rest, 2);
    const unsigned fragment = u16(rest, 6);
    field("version", rest[0] >> 4);
    field("ihl", rest[0] & 0x0f);
    field("tos", rest[1]);
    field("length", length);
    field("id", u16(rest, 4));
    field("flags", std::string(fragment & 0x8000 ? "R" : "") + (fragment & 0x4000 ? "D" : "") +
                       (fragment & 0x2000 ? "M" : ""));
    field("offset", (fragment & 0x1fff) * 8);
    field("ttl", rest[8]);
    field("proto", rest[9]);
    field("src", address(rest.subspan(12, 4)));
    field("dst", address(rest.subspan(16, 4)));
    if (header < 20 || rest.size() < header || length < header) return data(rest.subspan(20));
    checksum(u16(rest, 10), rest.first(header), 0, true);
    if (header > 20) options(rest.subspan(20, header - 20));
    const Outer outer{rest.subspan(12, 4), rest.subspan(16, 4), rest.size() >= length,
                      (fragment & 0x3fff) != 0};
    const auto datagram = rest.subspan(header, std::min<std::size_t>(length, rest.size()) - header);
    if ((fragment & 0x1fff) != 0)
      data(datagram);
    else
      transport(rest[9], outer, datagram);
    trailer(rest, length);
  }

  void ip6(View rest) {
    if (!enough(rest, 40, "ip6")) return;
    begin("ip6");
    const std::size_t length = u16(rest, 4);
    field("version", rest[0] >> 4);
    field("class", u32(rest, 0) >> 20 & 0xff);
    field("flow", u32(rest, 0) & 0xfffff);
    field("length", length);
    field("next", rest[6]);
    field("hop_limit", rest[7]);
    field("src", address(rest.subspan(8, 16)));
    field("dst", address(rest.subspan(24, 16)));
    const Outer outer{rest.subspan(8, 16), rest.subspan(24, 16), rest.size() >= 40 + length, false};
    transport(rest[6], outer, rest.subspan(40, std::min(length, rest.size() - 40)));
    trailer(rest, 40 + length);
  }

  void trailer(View rest, std::size_t length) {
    if (rest.size() <= length) return;
    begin("trailer");
    bytes(rest.subspan(length));
  }

  void options(View rest) {
    std::string text;
    for (const auto byte : rest) text += fmt::format("{:02x}", byte);
    field("options", text);
  }

  void transport(std::uint8_t proto, const Outer& outer, View rest) {
    if (proto == IPPROTO_TCP) return tcp(outer, rest);
    if (proto == IPPROTO_UDP) return udp(outer, rest);
    if (proto == (outer.ip6() ? IPPROTO_ICMPV6 + 0 : IPPROTO_ICMP + 0)) return icmp(outer, rest);
    if (outer.ip6() && proto == IPPROTO_FRAGMENT) return fragment6(outer, rest);
    if (outer.ip6() && (proto == IPPROTO_HOPOPTS || proto == IPPROTO_ROUTING ||
                        proto == IPPROTO_DSTOPTS || proto == IPPROTO_AH))
      return extension(proto, outer, rest);
    if (proto == IPPROTO_IPIP) return ip4(rest);
    if (proto == IPPROTO_IPV6) return ip6(rest);
    data(rest);
  }

  void extension(std::uint8_t type, const Outer& outer, View rest) {
    if (!enough(rest, 8, "ip6ext")) return;
    begin("ip6ext");
    const std::size_t length = type == IPPROTO_AH ? (rest[1] + 2U) * 4U : (rest[1] + 1U) * 8U;
    field("next", rest[0]);
    field("bytes_long", length);
    if (rest.size() < length) return data(rest.subspan(2));
    options(rest.subspan(2, length - 2));
    transport(rest[0], outer, rest.subspan(length));
  }

  void fragment6(Outer outer, View rest) {
    if (!enough(rest, 8, "ip6frag")) return;
    begin("ip6frag");
    const unsigned offset = u16(rest, 2) & 0xfff8;
    const bool more = (u16(rest, 2) & 1) != 0;
    field("next", rest[0]);
    field("offset", offset);
    field("more", more);
    field("id", u32(rest, 4));
    if (offset != 0) return data(rest.subspan(8));
    outer.fragment = more;
    transport(rest[0], outer, rest.subspan(8));
  }

  std::uint32_t pseudo(const Outer& outer, std::uint8_t proto, View l4) const {
    return pseudo_header(outer.src, outer.dst, proto, l4.size());
  }

  void ports(View rest) {
    if (rest.size() < 4) return;
    field("sport", u16(rest, 0));
    field("dport", u16(rest, 2));
  }

  // An ICMP error may quote no more than the first 8 bytes, which are worth showing.
  bool short_quote(const char* name, const Outer& outer, View rest, std::size_t needed) {
    if (rest.size() >= needed || rest.size() < 8 || outer.complete) return false;
    begin(name);
    ports(rest);
    data(rest.subspan(4));
    return true;
  }

  void tcp(const Outer& outer, View rest) {
    if (short_quote("tcp", outer, rest, 20) || !enough(rest, 20, "tcp")) return;
    begin("tcp");
    ports(rest);
    field("seq", u32(rest, 4));
    field("ack_seq", u32(rest, 8));
    std::string flags;
    for (unsigned bit = 0; bit < 8; bit++)
      if ((rest[13] >> bit & 1) != 0) flags += "FSRPAUEC"[bit];
    field("flags", flags);
    const std::size_t header = (rest[12] >> 4) * 4U;
    field("header_length", rest[12] >> 4);
    field("window", u16(rest, 14));
    field("urgent", u16(rest, 18));
    checksum(u16(rest, 16), rest, pseudo(outer, IPPROTO_TCP, rest), outer.judgeable());
    if (header < 20 || header > rest.size()) return data(rest.subspan(20));
    if (header > 20) options(rest.subspan(20, header - 20));
    data(rest.subspan(header));
  }

  void udp(const Outer& outer, View rest) {
    if (!enough(rest, 8, "udp")) return;
    begin("udp");
    ports(rest);
    field("length", u16(rest, 4));
    const unsigned value = u16(rest, 6);
    if (value == 0 && !outer.ip6())
      field("csum", "none");
    else
      checksum(value, rest, pseudo(outer, IPPROTO_UDP, rest), outer.judgeable());
    data(rest.subspan(8));
  }

  void icmp(const Outer& outer, View rest) {
    const char* name = outer.ip6() ? "icmp6" : "icmp";
    if (!enough(rest, 8, name)) return;
    begin(name);
    field("type", rest[0]);
    field("code", rest[1]);
    hex("first", u16(rest, 4));
    hex("second", u16(rest, 6));
    checksum(u16(rest, 2), rest, outer.ip6() ? pseudo(outer, IPPROTO_ICMPV6, rest) : 0,
             outer.judgeable());
    const bool error = outer.ip6() ? rest[0] < 128
                                   : rest[0] == 3 || rest[0] == 4 || rest[0] == 5 ||
                                         rest[0] == 11 || rest[0] == 12;
    if (!error || !prefix_.empty()) return data(rest.subspan(8));
    prefix_ = "quoted ";
    outer.ip6() ? ip6(rest.subspan(8)) : ip4(rest.subspan(8));
    prefix_.clear();
  }

  std::string prefix_;
};

std::vector<std::string> lines(const std::vector<DissectedLayer>& layers) {
  std::vector<std::string> lines;
  for (const auto& layer : layers) {
    lines.push_back(fmt::format("{:<6}", layer.name));
    for (const auto& [name, value] : layer.fields) lines.back() += " " + name + "=" + value;
  }
  return lines;
}

bool same_shape(const DissectedLayer& want, const DissectedLayer& got) {
  return want.name == got.name &&
         std::ranges::equal(want.fields, got.fields,
                            [](const auto& a, const auto& b) { return a.first == b.first; });
}

}  // namespace

std::vector<DissectedLayer> dissect(const Bytes& frame) {
  Dissector dissector;
  dissector.ethernet(frame);
  return std::move(dissector.layers);
}

std::string decode(const Bytes& frame) {
  return fmt::format("{}", fmt::join(lines(dissect(frame)), "\n"));
}

std::string difference(const Bytes& want, const Bytes& got) {
  if (want == got) return {};
  const auto left = dissect(want);
  const auto right = dissect(got);
  if (!std::ranges::equal(left, right, same_shape))
    return "want:\n" + decode(want) + "\ngot:\n" + decode(got);
  std::string text;
  for (std::size_t i = 0; i < left.size(); i++)
    for (std::size_t j = 0; j < left[i].fields.size(); j++)
      if (left[i].fields[j] != right[i].fields[j])
        text += fmt::format("{}.{}: want {}, got {}\n", left[i].name, left[i].fields[j].first,
                            left[i].fields[j].second, right[i].fields[j].second);
  if (!text.empty()) return text;
  const auto at = std::ranges::mismatch(want, got).in1 - want.begin();
  return fmt::format("byte {} (a field that is not shown)", at);
}

testing::AssertionResult verify_checksums(const Bytes& frame) {
  Dissector dissector;
  dissector.ethernet(frame);
  if (dissector.wrong.empty()) return testing::AssertionSuccess();
  return testing::AssertionFailure()
         << fmt::format("{}\nin\n{}", fmt::join(dissector.wrong, "\n"), decode(frame));
}

void PrintTo(const Bytes& bytes, std::ostream* out) {
  *out << bytes.size() << " bytes\n" << decode(bytes);
}

}  // namespace fw::test
