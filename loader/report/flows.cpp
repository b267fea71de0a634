// SPDX-License-Identifier: GPL-2.0-only
#include "loader/report/flows.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "loader/base/net.h"

namespace fw::report {
namespace {

struct TupleLess {
  bool operator()(const fw_tuple& a, const fw_tuple& b) const {
    return std::memcmp(&a, &b, sizeof(a)) < 0;
  }
};

using Answers = std::map<fw_tuple, const fw_flow*, TupleLess>;

// The other direction's key: the answer to what the flow sends (bpf/lib/tuple.h).
fw_tuple partner_key(const FlowEntry& entry) {
  fw_tuple key{};
  key.src = entry.flow.dst;
  key.dst = entry.flow.src;
  key.sport = entry.flow.dport;
  key.dport = entry.flow.sport;
  key.proto = entry.tuple.proto;
  key.family = entry.tuple.family;
  return key;
}

std::string proto_name(std::uint8_t proto) {
  switch (proto) {
    case IPPROTO_TCP:
      return "tcp";
    case IPPROTO_UDP:
      return "udp";
    case IPPROTO_ICMP:
      return "icmp";
    default:
      return "proto-" + std::to_string(proto);
  }
}

std::string state_name(std::uint8_t state) {
  switch (state) {
    case FW_TCP_HALF:
    case FW_UDP_HALF:
    case FW_ICMP_HALF:
    case FW_OTHER_HALF:
      return "half-open";
    case FW_TCP_CLOSING:
      return "closing";
    case FW_TCP_CLOSED:
      return "closed";
    default:
      return "established";
  }
}

control::FlowTuple to_report(const fw_addr& src, const fw_addr& dst, __be16 sport, __be16 dport) {
  return {.src = Address::from_abi(src).to_string(),
          .dst = Address::from_abi(dst).to_string(),
          .sport = ntohs(sport),
          .dport = ntohs(dport)};
}

control::FlowReport to_report(const FlowEntry& entry, const Answers& answers,
                              const compile::AccountBook& book, std::uint64_t now_ns) {
  const auto& flow = entry.flow;
  control::FlowReport report;
  report.proto = proto_name(entry.tuple.proto);
  report.original =
      to_report(entry.tuple.src, entry.tuple.dst, entry.tuple.sport, entry.tuple.dport);
  report.translated = to_report(flow.src, flow.dst, flow.sport, flow.dport);
  report.state = state_name(flow.state);
  report.sent = {flow.packets, flow.bytes};
  auto expires = flow.expires_ns;
  if (const auto answer = answers.find(partner_key(entry)); answer != answers.end()) {
    report.replies = {answer->second->packets, answer->second->bytes};
    expires = std::max<std::uint64_t>(expires, answer->second->expires_ns);
  }
  report.generation = flow.generation;
  report.expires_s = expires > now_ns ? (expires - now_ns) / 1'000'000'000 : 0;
  if (flow.account < book.names().size()) {
    const auto& name = book.names()[flow.account];
    report.rule = name.kind == compile::AccountName::Kind::kEgress ? "host.egress" : name.subject;
    report.from_zone = name.from_zone;
    report.to_zone = name.to_zone;
  }
  return report;
}

}  // namespace

std::vector<control::FlowReport> flows(const std::vector<FlowEntry>& entries,
                                       const compile::AccountBook& book, std::uint64_t now_ns) {
  Answers answers;
  for (const auto& entry : entries)
    if ((entry.flow.flags & FW_FLOW_ORIGINAL) == 0) answers.emplace(entry.tuple, &entry.flow);
  std::vector<control::FlowReport> reports;
  for (const auto& entry : entries) {
    if ((entry.flow.flags & FW_FLOW_ORIGINAL) == 0) continue;
    auto report = to_report(entry, answers, book, now_ns);
    if (report.expires_s > 0) reports.push_back(std::move(report));
  }
  return reports;
}

}  // namespace fw::report
