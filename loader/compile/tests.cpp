// SPDX-License-Identifier: GPL-2.0-only
#include "loader/compile/tests.h"

#include <netinet/in.h>

#include <optional>

#include "loader/compile/reach.h"
#include "loader/config/canonical.h"

namespace fw::compile {
namespace {

using config::Peer;
using config::Target;

// "db:5432/tcp", "[fd00::1]:ping".
std::string flow_target(const Peer& to, const JudgedFlow& flow) {
  config::PortSet port{Proto::kIcmp, {}};
  if (flow.probe.proto == IPPROTO_TCP || flow.probe.proto == IPPROTO_UDP) {
    port = {static_cast<Proto>(flow.probe.proto), {flow.port, flow.port}};
  } else if (flow.probe.proto != IPPROTO_ICMP && flow.probe.proto != IPPROTO_ICMPV6) {
    return config::target_text({to}, {}) + " by other protocols than tcp, udp and icmp";
  }
  return config::target_text({to}, {port});
}

// A part of a peer is named when perhaps only the part answers so.
std::string part(const Peer& peer, const std::string& name) {
  const bool same = std::holds_alternative<config::ServiceRef>(peer) || name.empty() ||
                    name == config::to_string(peer);
  return same ? "" : " (" + name + ")";
}

class Runner {
 public:
  Runner(const config::Policy& policy, const Offline& offline) : reach_(policy, offline) {}

  TestOutcome run(const config::Test& test) {
    TestOutcome outcome{test.name, test.where, 0, {}};
    for (const Peer& from : test.from) {
      for (const Target& target : test.allow) expect(from, target, true, outcome);
      for (const Target& target : test.deny) expect(from, target, false, outcome);
    }
    return outcome;
  }

 private:
  void expect(const Peer& from, const Target& target, bool allowed, TestOutcome& outcome) const {
    ++outcome.expectations;
    const Reachable got = reach_.ask(from, target.to, target.ports);
    const auto pair = [&] {
      return config::to_string(from) + " -> " + config::target_text({target.to}, target.ports);
    };
    std::optional<std::string> message;
    if (got.too_many) {
      message = pair() + " covers more than " + std::to_string(Reach::kMaxFlows) +
                " kinds of flows; name a narrower end or its ports";
    } else if (!got.allowed && !got.denied && !got.excepted) {
      message = pair() + " asks nothing: its ends have no two addresses of one family";
    } else if (allowed && got.denied) {
      message = denied(from, target.to, *got.denied);
    } else if (allowed && !got.allowed) {
      message = denied(from, target.to, *got.excepted);
    } else if (!allowed && got.allowed) {
      message = sentence(from, target.to, *got.allowed, "may reach") + ", allowed by " +
                reach_.decider(got.allowed->judgement);
    }
    if (message) outcome.failures.push_back({target.where, *std::move(message)});
  }

  [[nodiscard]] std::string denied(const Peer& from, const Peer& to, const JudgedFlow& flow) const {
    const bool blocked = flow.judgement.reason == FW_REASON_BLOCKED;
    return sentence(from, to, flow, "may not reach") + (blocked ? ", blocked by " : ": ") +
           reach_.decider(flow.judgement);
  }

  [[nodiscard]] std::string sentence(const Peer& from, const Peer& to, const JudgedFlow& flow,
                                     const char* verb) const {
    const bool through_door = flow.target != flow.probe.dst;
    std::string text = config::to_string(from) + part(from, reach_.name_of(flow.judgement.from)) +
                       " " + verb + " " + flow_target(to, flow);
    if (!through_door) text += part(to, reach_.name_of(flow.judgement.to));
    if (!flow.target.is_ipv4()) text += " over IPv6";
    return text;
  }

  Reach reach_;
};

}  // namespace

std::vector<TestOutcome> run_tests(const config::Policy& policy, const Offline& offline) {
  std::vector<TestOutcome> outcomes;
  if (policy.tests.empty()) return outcomes;
  Runner runner{policy, offline};
  outcomes.reserve(policy.tests.size());
  for (const config::Test& test : policy.tests) outcomes.push_back(runner.run(test));
  return outcomes;
}

}  // namespace fw::compile
