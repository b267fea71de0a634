// SPDX-License-Identifier: GPL-2.0-only
#include "loader/datapath/explain.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>

#include <algorithm>
#include <cstring>

namespace fw::datapath {
namespace {

using compile::Probe;

constexpr std::uint8_t kHops = 64;
// Of a protocol whose header nobody reads.
constexpr std::size_t kOtherHeader = 8;

using Frame = std::vector<std::uint8_t>;

template <class Header>
void append(Frame& frame, const Header& header) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&header);
  frame.insert(frame.end(), bytes, bytes + sizeof(header));
}

bool is_ping(const Probe& probe) {
  return probe.proto == IPPROTO_ICMP || probe.proto == IPPROTO_ICMPV6;
}

Frame transport(const Probe& probe) {
  Frame bytes;
  if (probe.proto == IPPROTO_TCP) {
    tcphdr tcp{};
    tcp.source = htons(probe.sport);
    tcp.dest = htons(probe.dport);
    tcp.doff = sizeof(tcp) / 4;
    tcp.syn = 1;
    append(bytes, tcp);
  } else if (probe.proto == IPPROTO_UDP) {
    udphdr udp{};
    udp.source = htons(probe.sport);
    udp.dest = htons(probe.dport);
    udp.len = htons(sizeof(udp));
    append(bytes, udp);
  } else if (is_ping(probe)) {
    icmphdr echo{};  // ICMPv6's has the same form
    echo.type = probe.src.is_ipv4() ? ICMP_ECHO : ICMP6_ECHO_REQUEST;
    echo.un.echo.id = htons(probe.sport);
    append(bytes, echo);
  } else {
    bytes.resize(kOtherHeader);
  }
  return bytes;
}

void append_ipv4(Frame& frame, const Probe& probe, std::size_t payload) {
  iphdr ip{};
  ip.version = 4;
  ip.ihl = sizeof(ip) / 4;
  ip.tot_len = htons(static_cast<std::uint16_t>(sizeof(ip) + payload));
  ip.ttl = kHops;
  ip.protocol = is_ping(probe) ? std::uint8_t{IPPROTO_ICMP} : probe.proto;
  ip.saddr = probe.src.ipv4_be();
  ip.daddr = probe.dst.ipv4_be();
  append(frame, ip);
}

void append_ipv6(Frame& frame, const Probe& probe, std::size_t payload) {
  ip6_hdr ip{};
  ip.ip6_vfc = 6U << 4U;
  ip.ip6_plen = htons(static_cast<std::uint16_t>(payload));
  ip.ip6_hops = kHops;
  ip.ip6_nxt = is_ping(probe) ? std::uint8_t{IPPROTO_ICMPV6} : probe.proto;
  std::memcpy(&ip.ip6_src, probe.src.bytes().data(), sizeof(ip.ip6_src));
  std::memcpy(&ip.ip6_dst, probe.dst.bytes().data(), sizeof(ip.ip6_dst));
  append(frame, ip);
}

// To this machine as a router, without checksums: the programs only ever change those.
Frame first_packet(const Probe& probe, const fw_iface& iface) {
  const bool ipv4 = probe.src.is_ipv4();
  ethhdr eth{};
  std::copy(std::begin(iface.mac), std::end(iface.mac), std::begin(eth.h_dest));
  eth.h_proto = htons(ipv4 ? ETH_P_IP : ETH_P_IPV6);
  const Frame payload = transport(probe);
  Frame frame;
  append(frame, eth);
  if (ipv4)
    append_ipv4(frame, probe, payload.size());
  else
    append_ipv6(frame, probe, payload.size());
  frame.insert(frame.end(), payload.begin(), payload.end());
  return frame;
}

std::string question(const Probe& probe) {
  return "asking the programs in the kernel about a packet from " + probe.src.to_string() + " to " +
         probe.dst.to_string();
}

}  // namespace

Result<fw_explanation> ask(const Programs& programs, const compile::Placement& placement,
                           const Probe& probe) {
  const auto iface = placement.interfaces.find(probe.ifindex);
  if (iface == placement.interfaces.end())
    return Error{question(probe) +
                 ": no interface that it could come in by exists; see `fwctl status`"};
  const Frame frame = first_packet(probe, iface->second);
  __sk_buff context{};
  context.ifindex = probe.ifindex;
  context.cb[FW_EXPLAIN_ORIGIN] = probe.origin;
  LIBBPF_OPTS(bpf_test_run_opts, options);
  options.data_in = frame.data();
  options.data_size_in = static_cast<std::uint32_t>(frame.size());
  options.ctx_in = &context;
  options.ctx_size_in = sizeof(context);
  if (bpf_prog_test_run_opts(programs.explain(), &options) != 0)
    return Error::from_errno(question(probe));
  return programs.explanation();
}

Result<compile::Judgement> to_judgement(const fw_explanation& told, const Probe& probe) {
  if (told.verdict == FW_LEFT_ALONE)
    return Error{question(probe) +
                 ": they leave it to the stack unjudged; try again, and please "
                 "report it if this stays"};
  compile::Judgement judgement;
  judgement.allowed = told.verdict == FW_ALLOWED;
  judgement.reason = judgement.allowed ? FW_REASON_NONE : static_cast<fw_reason>(told.reason);
  judgement.account = told.account;
  judgement.from = told.src;
  judgement.to = told.dst;
  judgement.admin = told.admin != 0;
  if (told.door.selector != 0) judgement.door = told.door;
  const Address source = Address::from_abi(told.translated.src);
  const Address target = Address::from_abi(told.translated.dst);
  const bool chosen = told.translated.proto != 0;
  if (judgement.door && judgement.door->pool.size > 0 && chosen) judgement.backend = target;
  if (judgement.allowed && told.action == FW_FORWARD && source != probe.src)
    judgement.masqueraded_as = source;
  return judgement;
}

}  // namespace fw::datapath
