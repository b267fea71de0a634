// SPDX-License-Identifier: GPL-2.0-only
#include "loader/compile/limits.h"

#include <limits>
#include <map>

namespace fw::compile {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr std::size_t kMaxLimits = std::numeric_limits<decltype(fw_policy_entry::limit)>::max();

fw_limit to_limit(const config::Rate& rate, std::uint32_t account) {
  const std::uint64_t cost = cost_of(rate);
  return {.cost_ns = cost,
          .burst_ns = cost * rate.count,
          .account = account,
          .per_source = rate.per_source ? 1U : 0U};
}

seconds default_timeout(fw_flow_state state) {
  switch (state) {
    case FW_TCP_HALF:
    case FW_TCP_CLOSING:
      return seconds{240};  // RFC 5382, REQ-5: transitory, at least 4 min
    case FW_TCP_ESTABLISHED:
      return seconds{7440};  // RFC 5382, REQ-5: at least 2 h 4 min
    case FW_TCP_CLOSED:
      return seconds{10};
    case FW_UDP_HALF:
    case FW_OTHER_HALF:
      return seconds{30};
    case FW_UDP_ESTABLISHED:
      return seconds{300};  // RFC 4787, REQ-5: 5 min recommended
    case FW_ICMP_HALF:
    case FW_ICMP_ESTABLISHED:
      return seconds{60};  // RFC 5508, REQ-2: at least 60 s
    case FW_OTHER_ESTABLISHED:
    case FW_FLOW_STATES:
      break;
  }
  return seconds{600};
}

void set_timeouts(const config::Limits& limits, fw_generation& parameters) {
  for (int i = 0; i < FW_FLOW_STATES; ++i) {
    const auto state = static_cast<fw_flow_state>(i);
    const auto chosen = limits.timeouts.find(state);
    const seconds timeout =
        chosen == limits.timeouts.end() ? default_timeout(state) : chosen->second;
    parameters.timeout_ns[i] = static_cast<std::uint64_t>(nanoseconds{timeout}.count());
  }
}

}  // namespace

std::uint64_t cost_of(const std::optional<config::Rate>& rate) {
  return rate ? static_cast<std::uint64_t>(nanoseconds{rate->unit}.count()) / rate->count : 0;
}

Result<std::vector<fw_limit>> number_limits(std::vector<Line>& lines, AccountBook& book) {
  // Ordered, so that the order of the file cannot matter.
  std::map<std::pair<std::string, config::Rate>, std::uint16_t> numbers;
  for (const Line& line : lines)
    if (line.rate) numbers.try_emplace({line.subject, *line.rate});
  if (numbers.size() > kMaxLimits)
    return Error{"compiling the policy: it has " + std::to_string(numbers.size()) +
                 " limits, more than the " + std::to_string(kMaxLimits) + " there can be"};
  std::vector<fw_limit> limits;
  for (auto& [key, number] : numbers) {
    const auto& [subject, rate] = key;
    const auto account = allot(book, {{AccountName::Kind::kLimited, subject, "*", "*"}});
    if (!account) return account.error();
    limits.push_back(to_limit(rate, *account));
    number = static_cast<std::uint16_t>(limits.size());
  }
  for (Line& line : lines)
    if (line.rate) line.limit = numbers.at({line.subject, *line.rate});
  return limits;
}

void set_limits(const config::Policy& policy, fw_generation& parameters) {
  set_timeouts(policy.limits, parameters);
  parameters.max_flows = policy.limits.max_flows;
  parameters.max_per_source = policy.limits.max_flows_per_source;
  if (policy.limits.syn) parameters.syn = to_limit(*policy.limits.syn, 0);
}

}  // namespace fw::compile
