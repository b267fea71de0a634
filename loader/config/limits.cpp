// SPDX-License-Identifier: GPL-2.0-only
// `limits` and `deny`: how much one source may have of this machine, and what it hears when it is
// denied.
#include <algorithm>
#include <array>

#include "loader/config/names.h"
#include "loader/config/quantity.h"
#include "loader/config/reader.h"
#include "loader/config/sections.h"

namespace fw::config {
namespace {

using std::chrono::seconds;

const Keys kLimitKeys = {{"syn", "flows", "timeouts"}, {}};
const Keys kSynKeys = {{"rate", "per"}, {}};
const Keys kFlowsKeys = {{"max", "per_source"}, {}};
constexpr std::uint32_t kMaxFlows = 100'000'000;

// `least`: what the RFC asks of a NAT or firewall; 0: nothing.
struct Timeout {
  const char* name;
  fw_flow_state state;
  seconds least;
  const char* rfc;
};
constexpr std::array kTimeouts = {
    Timeout{"tcp_syn", FW_TCP_HALF, seconds{240}, "RFC 5382"},
    Timeout{"tcp_established", FW_TCP_ESTABLISHED, seconds{7440}, "RFC 5382"},
    Timeout{"tcp_closing", FW_TCP_CLOSING, seconds{240}, "RFC 5382"},
    Timeout{"tcp_closed", FW_TCP_CLOSED, seconds{0}, ""},
    Timeout{"udp", FW_UDP_HALF, seconds{0}, ""},
    Timeout{"udp_answered", FW_UDP_ESTABLISHED, seconds{120}, "RFC 4787"},
    Timeout{"icmp", FW_ICMP_HALF, seconds{60}, "RFC 5508"},
    Timeout{"icmp_answered", FW_ICMP_ESTABLISHED, seconds{60}, "RFC 5508"},
    Timeout{"other", FW_OTHER_HALF, seconds{0}, ""},
    Timeout{"other_answered", FW_OTHER_ESTABLISHED, seconds{0}, ""},
};
static_assert(kTimeouts.size() == FW_FLOW_STATES);

Keys timeout_keys() {
  Keys keys;
  for (const Timeout& timeout : kTimeouts) keys.known.emplace_back(timeout.name);
  return keys;
}

void read_timeouts(const Node& node, Scope& scope) {
  static const Keys kKeys = timeout_keys();
  if (!is_map(node, "'timeouts'", scope.report)) return;
  const Fields fields{node, kKeys, "'timeouts'", scope.report};
  for (const Timeout& timeout : kTimeouts) {
    const Node* value = fields[timeout.name];
    if (value == nullptr) continue;
    const auto duration = read_duration(*value, quote(timeout.name), scope.report);
    if (!duration) continue;
    scope.policy.limits.timeouts[timeout.state] = *duration;
    if (*duration < timeout.least)
      scope.report.warning(value->where,
                           quote(timeout.name) + " is less than the " +
                               std::to_string(timeout.least.count()) + "s of " + timeout.rfc,
                           "flows that are silent for longer will be cut");
  }
}

void read_syn(const Node& node, Scope& scope) {
  Report& report = scope.report;
  if (!is_map(node, "'syn'", report)) return;
  const Fields fields{node, kSynKeys, "'syn'", report};
  const Node* rate = fields["rate"];
  if (rate == nullptr) {
    if (!fields.attempted("rate"))
      report.error(node.where, "'syn' has no 'rate'", "write syn: {rate: 1000/s, per: source}");
    return;
  }
  auto limit = read_rate(*rate, "'rate'", report);
  const Node* per = fields["per"];
  if (per != nullptr && is_text(*per, "'per'", report) && per->text != "source")
    report.error(per->where, "'per' must be source, not " + quote(per->text),
                 "leave it out for one limit of all sources together");
  if (limit && per != nullptr) limit->per_source = true;
  scope.policy.limits.syn = limit;
}

void read_flows(const Node& node, Scope& scope) {
  Report& report = scope.report;
  if (!is_map(node, "'flows'", report)) return;
  const Fields fields{node, kFlowsKeys, "'flows'", report};
  Limits& limits = scope.policy.limits;
  if (const Node* max = fields["max"])
    limits.max_flows = read_count(*max, "'max'", kMaxFlows, report).value_or(0);
  if (const Node* most = fields["per_source"])
    limits.max_flows_per_source = read_count(*most, "'per_source'", kMaxFlows, report).value_or(0);
}

}  // namespace

void read_limits(const Node& limits, Scope& scope) {
  const Fields fields{limits, kLimitKeys, "'limits'", scope.report};
  if (const Node* syn = fields["syn"]) read_syn(*syn, scope);
  if (const Node* flows = fields["flows"]) read_flows(*flows, scope);
  if (const Node* timeouts = fields["timeouts"]) read_timeouts(*timeouts, scope);
}

void read_deny(const Node& deny, Scope& scope) {
  if (!is_text(deny, "'deny'", scope.report)) return;
  if (deny.text == "reject") {
    scope.policy.denial = Denial::kReject;
  } else if (deny.text != "drop") {
    scope.report.error(deny.where, "'deny' must be drop or reject, not " + quote(deny.text),
                       did_you_mean(deny.text, {"drop", "reject"}));
  }
}

}  // namespace fw::config
