// SPDX-License-Identifier: GPL-2.0-only
#include "loader/explain/verdict.h"
#include "loader/compile/limits.h"

#include <spdlog/fmt/fmt.h>

#include <arpa/inet.h>

#include <array>

namespace fw::explain {
namespace {

using compile::AccountName;
using compile::Judgement;
using control::RuleRef;
using control::Translation;

struct ReasonText {
  const char* name;
  const char* help;
};
#define FW_REASON_TEXT(name, help) {#name, help},
constexpr std::array<ReasonText, FW_REASON_COUNT> kReasons{{FW_REASONS(FW_REASON_TEXT)}};
#undef FW_REASON_TEXT

}  // namespace

std::string Verdict::reason_name() const {
  return allowed ? "" : kReasons.at(static_cast<std::size_t>(reason)).name;
}

std::string Verdict::reason_help() const {
  return allowed ? "" : kReasons.at(static_cast<std::size_t>(reason)).help;
}

std::string endpoint(const std::string& address, std::uint16_t port) {
  if (port == 0) return address;
  const bool ipv6 = address.find(':') != std::string::npos;
  return (ipv6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

Jury::Jury(const World& world)
    : world_(world), atlas_(world), judge_(world.image, world.placement) {
  for (const auto& door : world.policy.doors) doors_.push_back(&door);
}

Verdict Jury::judge(const Member& from, const Member& to, std::uint8_t proto,
                    std::uint16_t port) const {
  Verdict result = verdict(judge_.judge(probe_of(from, to, proto, port)));
  if (result.allowed && is_masqueraded(from, result.backend.value_or(to.address)))
    result.masquerade = uplink_address(from.family());
  return result;
}

Verdict Jury::verdict(const Judgement& judgement) const {
  Verdict verdict;
  verdict.allowed = judgement.allowed;
  verdict.reason = judgement.reason;
  verdict.rule = rule_of(judgement);
  verdict.limit = limit_of(judgement);
  const auto& account = world_.accounts.names().at(judgement.account);
  verdict.from_zone = account.from_zone;
  verdict.to_zone = account.to_zone;
  if (judgement.masqueraded_as) verdict.masquerade = judgement.masqueraded_as->to_string();
  if (!judgement.door) return verdict;
  const auto& [name, door] = *doors_.at((judgement.door->selector & ~FW_SEL_DOOR) - 1);
  verdict.door = &door;
  verdict.door_name = name;
  verdict.backend = judgement.backend;
  verdict.backend_port = ntohs(judgement.door->port);
  return verdict;
}

std::optional<RuleRef> Jury::rule_of(const Judgement& judgement) const {
  if (!judgement.allowed && judgement.reason != FW_REASON_BLOCKED) return std::nullopt;
  const auto& account = world_.accounts.names().at(judgement.account);
  switch (account.kind) {
    case AccountName::Kind::kEgress:
      return RuleRef{"host -> * (egress)", {}, 0};
    case AccountName::Kind::kDoor: {
      const auto& door = world_.policy.doors.at(account.subject);
      return RuleRef{door.text, door.where.file, door.where.line};
    }
    case AccountName::Kind::kRule:
    case AccountName::Kind::kBlock:
      return written(account, judgement);
    case AccountName::Kind::kDenied:
    case AccountName::Kind::kLimited:
      break;
  }
  return std::nullopt;
}

std::optional<RuleRef> Jury::written(const AccountName& account, const Judgement& judgement) const {
  const auto kind = account.kind == AccountName::Kind::kBlock ? config::RuleKind::kBlock
                    : judgement.admin                         ? config::RuleKind::kAdmin
                                                              : config::RuleKind::kAllow;
  for (const auto& rule : world_.policy.rules)
    if (rule.kind == kind && rule.text == account.subject)
      return RuleRef{rule.text, rule.where.file, rule.where.line};
  for (const auto& [name, zone] : world_.policy.zones)
    if (zone.intra_allowed && account.subject == fmt::format("{0} -> {0} (intra)", name))
      return RuleRef{account.subject, zone.where.file, zone.where.line};
  return RuleRef{account.subject, {}, 0};
}

std::optional<config::Rate> Jury::limit_of(const Judgement& judgement) const {
  if (judgement.limit == 0) return std::nullopt;
  const fw_limit& limit = world_.image.limits.at(judgement.limit - 1U);
  const auto& subject = world_.accounts.names().at(limit.account).subject;
  const auto is_it = [&](const std::optional<config::Rate>& rate) {
    return rate && compile::cost_of(rate) == limit.cost_ns &&
           limit.cost_ns * rate->count == limit.burst_ns &&
           rate->per_source == (limit.per_source != 0);
  };
  if (judgement.door) return world_.policy.doors.at(subject).limit;
  for (const auto& rule : world_.policy.rules)
    if (rule.text == subject && is_it(rule.limit)) return rule.limit;
  return std::nullopt;
}

bool Jury::is_masqueraded(const Member& from, const Address& target) const {
  return (from.ident.flags & FW_IDENT_MASQUERADE) != 0 && from.origin != FW_FROM_HOST &&
         leaves_by_uplink(target);
}

bool Jury::leaves_by_uplink(const Address& address) const {
  const Member member = atlas_.member(address);
  return member.origin == FW_FROM_WIRE && member.interface_zone == FW_ZONE_INTERNET;
}

std::string Jury::uplink_address(Family family) const {
  if (world_.assumed) return "host";
  for (const auto& [index, placed] : world_.placement.interfaces) {
    if (placed.role != FW_ROLE_UPLINK) continue;
    if (family == Family::kIpv4 && placed.addr4 != 0)
      return Address::from_bytes(Family::kIpv4, &placed.addr4).to_string();
    const Address ipv6 = Address::from_abi(placed.addr6);
    if (family == Family::kIpv6 && !ipv6.is_unspecified()) return ipv6.to_string();
  }
  return "host";
}

std::vector<Translation> Jury::translations(const Member& from, const Member& to,
                                            std::uint16_t port, const Verdict& verdict) const {
  std::vector<Translation> steps;
  if (!verdict.allowed) return steps;
  if (verdict.door != nullptr) {
    const bool unknown = world_.assumed && !verdict.door->address;
    const std::string here = unknown ? "host" : to.address.to_string();
    const std::string there = verdict.backend ? verdict.backend->to_string() : here;
    if (verdict.backend || port != verdict.backend_port)
      steps.push_back({endpoint(here, port), endpoint(there, verdict.backend_port)});
  }
  if (verdict.masquerade)
    steps.push_back({from.service.empty() && world_.assumed ? from.name : from.address.to_string(),
                     *verdict.masquerade});
  return steps;
}

std::string Jury::router_port(const config::Door& door, const config::PortSet& port) {
  for (const auto& mapping : door.mappings)
    if (mapping.proto == port.proto && mapping.host.contains(port.range.first))
      return "router:" +
             std::to_string(door.router_port->first + port.range.first - mapping.host.first);
  return {};
}

}  // namespace fw::explain
