// SPDX-License-Identifier: GPL-2.0-only
// A judgement in the words of the policy: which rule or door decided, between which zones, and
// what is translated.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "loader/compile/judge.h"
#include "loader/control/reports.h"
#include "loader/explain/atlas.h"

namespace fw::explain {

struct Verdict {
  bool allowed = false;
  fw_reason reason = FW_REASON_NONE;
  std::optional<control::RuleRef> rule;  // that decides; unset: none does
  std::string from_zone;                 // as the packet is counted
  std::string to_zone;
  const config::Door* door = nullptr;  // that the packet met
  std::string door_name;
  std::optional<Address> backend;
  std::uint16_t backend_port = 0;         // host byte order; only with a door
  std::optional<std::string> masquerade;  // what the source becomes

  [[nodiscard]] std::string reason_name() const;  // "" when allowed
  [[nodiscard]] std::string reason_help() const;
};

// "172.20.1.10:80", "[fd00::1]:80".
std::string endpoint(const std::string& address, std::uint16_t port);

class Jury {
 public:
  explicit Jury(const World& world);

  // What the image says, and where masquerading depends on a route, what is likely.
  [[nodiscard]] Verdict judge(const Member& from, const Member& to, std::uint8_t proto,
                              std::uint16_t port) const;
  // In words what somebody else has judged.
  [[nodiscard]] Verdict verdict(const compile::Judgement& judgement) const;
  // Of what FROM sends, in the order in which they happen.
  [[nodiscard]] std::vector<control::Translation> translations(const Member& from, const Member& to,
                                                               std::uint16_t port,
                                                               const Verdict& verdict) const;
  // "router:80" for the port of the host that maps to it.
  [[nodiscard]] static std::string router_port(const config::Door& door,
                                               const config::PortSet& port);

 private:
  [[nodiscard]] std::optional<control::RuleRef> rule_of(const compile::Judgement& judgement) const;
  [[nodiscard]] std::optional<control::RuleRef> written(const compile::AccountName& account,
                                                        const compile::Judgement& judgement) const;
  [[nodiscard]] bool is_masqueraded(const Member& from, const Address& target) const;
  [[nodiscard]] bool leaves_by_uplink(const Address& address) const;
  [[nodiscard]] std::string uplink_address(Family family) const;

  World world_;
  Atlas atlas_;
  compile::Judge judge_;
  std::vector<const std::pair<const std::string, config::Door>*> doors_;  // by number, from 0
};

}  // namespace fw::explain
