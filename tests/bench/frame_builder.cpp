// SPDX-License-Identifier: GPL-2.0-only
#include "tests/bench/frame_builder.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>

#include <algorithm>
#include <cstring>

namespace fw::bench {
namespace {

// Adds 16-bit words as they lie in memory: the sum of RFC 1071 does not care for byte order as
// long as every word is read alike.
std::uint32_t add_words(std::uint32_t sum, const void* bytes, std::size_t size) {
  for (std::size_t at = 0; at + 1 < size; at += 2) {
    std::uint16_t word = 0;
    std::memcpy(&word, static_cast<const char*>(bytes) + at, sizeof word);
    sum += word;
  }
  return sum;
}

std::uint32_t low_word(const Address& address) {
  std::uint32_t word = 0;
  std::memcpy(&word, address.bytes().data() + 12, sizeof word);
  return ntohl(word);
}

// The sum's part that the addresses have, without the source's last 32 bits, which vary.
std::uint32_t address_sum(const Traffic& traffic) {
  const bool ipv4 = traffic.source.address.is_ipv4();
  const auto& source = traffic.source.address.bytes();
  const auto& destination = traffic.destination.address.bytes();
  const std::uint32_t sum = ipv4 ? 0 : add_words(0, source.data(), 12);
  const std::size_t skip = ipv4 ? 12 : 0;
  return add_words(sum, destination.data() + skip, 16 - skip);
}

iphdr build_ip4(const Traffic& traffic, std::size_t length) {
  iphdr ip{};
  ip.version = 4;
  ip.ihl = 5;
  ip.tot_len = htons(static_cast<std::uint16_t>(length));
  ip.frag_off = htons(0x4000);  // don't fragment
  ip.ttl = 64;
  ip.protocol = IPPROTO_UDP;
  ip.daddr = traffic.destination.address.ipv4_be();
  return ip;
}

ipv6hdr build_ip6(const Traffic& traffic, std::size_t length) {
  ipv6hdr ip{};
  ip.version = 6;
  ip.payload_len = htons(static_cast<std::uint16_t>(length - sizeof ip));
  ip.nexthdr = IPPROTO_UDP;
  ip.hop_limit = 64;
  std::memcpy(&ip.saddr, traffic.source.address.bytes().data(), 16);
  std::memcpy(&ip.daddr, traffic.destination.address.bytes().data(), 16);
  return ip;
}

}  // namespace

Result<void> validate(const Traffic& traffic) {
  if (traffic.source.address.family() != traffic.destination.address.family()) {
    return Error{"--src and --dst are of different families; give two IPv4 or two IPv6 addresses"};
  }
  if (std::uint32_t{traffic.source.port} + traffic.ports > 65536) {
    return Error{"--src's port plus --ports goes past 65535; lower one of them"};
  }
  const std::uint64_t addresses =
      (std::uint64_t{traffic.flows} + traffic.ports - 1) / traffic.ports;
  if (low_word(traffic.source.address) + addresses > UINT32_MAX) {
    return Error{"the flows need more source addresses than follow --src; start lower"};
  }
  const std::uint32_t headers = traffic.source.address.is_ipv4() ? 42 : 62;
  if (traffic.frame_size < headers || traffic.frame_size > 1514) {
    return Error{"--size must be between " + std::to_string(headers) + " and 1514 bytes"};
  }
  return {};
}

fw_bench_frame build_frame(const Traffic& traffic) {
  fw_bench_frame frame{};
  frame.first_port = traffic.source.port;
  frame.first_address = low_word(traffic.source.address);
  frame.flows = traffic.flows;
  frame.ports = std::min(traffic.ports, traffic.flows);

  const bool ipv4 = traffic.source.address.is_ipv4();
  ethhdr eth{};
  std::copy(traffic.destination_mac.begin(), traffic.destination_mac.end(), eth.h_dest);
  std::copy(traffic.source_mac.begin(), traffic.source_mac.end(), eth.h_source);
  eth.h_proto = htons(ipv4 ? ETH_P_IP : ETH_P_IPV6);
  std::memcpy(frame.header, &eth, sizeof eth);

  const std::size_t ip_length = traffic.frame_size - sizeof eth;
  const std::size_t ip_header = ipv4 ? sizeof(iphdr) : sizeof(ipv6hdr);
  if (ipv4) {
    const iphdr ip = build_ip4(traffic, ip_length);
    std::memcpy(frame.header + sizeof eth, &ip, sizeof ip);
    frame.ip_sum = add_words(0, &ip, sizeof ip);
  } else {
    const ipv6hdr ip = build_ip6(traffic, ip_length);
    std::memcpy(frame.header + sizeof eth, &ip, sizeof ip);
  }

  udphdr udp{};
  udp.dest = htons(traffic.destination.port);
  udp.len = htons(static_cast<std::uint16_t>(ip_length - ip_header));
  std::memcpy(frame.header + sizeof eth + ip_header, &udp, sizeof udp);
  frame.udp_sum = address_sum(traffic) + udp.len + htons(IPPROTO_UDP);
  frame.udp_sum = add_words(frame.udp_sum, &udp, sizeof udp);
  return frame;
}

}  // namespace fw::bench
