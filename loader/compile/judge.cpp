// SPDX-License-Identifier: GPL-2.0-only
// The judgement over ordinary values; slow and plain on purpose, it is what the kernel is held to.
#include "loader/compile/judge.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <tuple>

#include "maps/hash.h"

namespace fw::compile {
namespace {

bool has_level(std::uint32_t levels, unsigned from, unsigned to, unsigned ports) {
  return (levels & FW_LEVEL_BIT(from, to, ports)) != 0;
}

// What an identity is called at each level; at level 0 FW_SEL_ANY stands for "has none".
std::array<std::uint32_t, FW_LEVEL_SELECTORS> selectors(const fw_ident& ident) {
  return {ident.id, FW_SEL_ZONE | ident.zone, FW_SEL_ANY};
}

bool is_container(const fw_ident& ident) {
  return (ident.flags & FW_IDENT_CONTAINER) != 0;
}
bool is_host(const fw_ident& ident) {
  return (ident.flags & FW_IDENT_HOST) != 0;
}
bool is_unmanaged(const fw_ident& ident) {
  return (ident.flags & FW_IDENT_UNMANAGED) != 0;
}

fw_ident host_ident() {
  fw_ident host{};
  host.zone = FW_ZONE_HOST;
  host.flags = FW_IDENT_HOST;
  return host;
}

bool is_group(const Address& address) {
  const auto& bytes = address.bytes();
  if (!address.is_ipv4()) return bytes[0] == 0xff;
  return (bytes[12] >> 4U) == 0xe || address == Address::from_ipv4(0xffffffff);
}

bool is_never_a_source(const Address& address) {
  const auto& bytes = address.bytes();
  if (address.is_ipv4()) return bytes[12] == 0 || bytes[12] == 127 || bytes[12] >= 224;
  return bytes[0] == 0xff || address.is_unspecified() || address.is_loopback();
}

std::uint32_t hash_of(const Probe& probe) {
  fw_tuple tuple{};
  tuple.src = probe.src.to_abi();
  tuple.dst = probe.dst.to_abi();
  tuple.sport = htons(probe.sport);
  tuple.dport = htons(probe.dport);
  tuple.proto = probe.proto;
  return fw_hash(&tuple);
}

fw_reason reason_of_denial(const Probe& probe, const Judgement& so_far) {
  if (is_unmanaged(so_far.from) || is_unmanaged(so_far.to)) return FW_REASON_UNMANAGED;
  if (probe.origin == FW_FROM_WIRE && (is_host(so_far.to) || is_container(so_far.to)))
    return FW_REASON_NOT_PUBLISHED;
  return FW_REASON_NO_RULE;
}

}  // namespace

Judge::Judge(const Image& image) : image_(image), identities_(image) {}

Judge::Judge(const Image& image, const Placement& placement) : Judge(image) {
  placement_ = &placement;
}

Judgement Judge::judge(const Probe& probe) const {
  Judgement judgement;
  judgement.from = ident(probe, probe.src);
  judgement.to = is_group(probe.dst) ? host_ident() : ident(probe, probe.dst);
  if (probe.origin == FW_FROM_WIRE && judgement.from.zone == FW_ZONE_INTERNET)
    judgement.from.zone = probe.interface_zone;

  judgement.door = door(probe, judgement.to);
  if (is_martian(probe, judgement.from)) return denied(judgement, FW_REASON_MARTIAN);
  if (judgement.door && judgement.door->pool.size > 0) {
    const fw_pool& pool = judgement.door->pool;
    const std::uint32_t slot = probe.hash.value_or(hash_of(probe)) % pool.size;
    judgement.backend = Address::from_abi(image_.maglev[pool.first + slot].addr);
  }

  const std::uint32_t ports = port_class(probe.proto, probe.dport);
  if (const auto admit = search(FW_ADMIT, judgement.from, judgement.to, ports)) {
    judgement.door.reset();
    judgement.backend.reset();
    judgement.admin = true;
    return decided(judgement, *admit, FW_REASON_NONE);
  }
  if (const auto block = blocked(probe, judgement))
    return decided(judgement, *block, FW_REASON_BLOCKED);
  if (judgement.door) return through_door(judgement);
  return without_door(probe, judgement);
}

std::optional<Judge::Hit> Judge::blocked(const Probe& probe, const Judgement& so_far) const {
  if (auto block = search(FW_BLOCK, so_far.from, so_far.to, port_class(probe.proto, probe.dport)))
    return block;
  if (!so_far.door) return std::nullopt;
  const bool local = (so_far.door->flags & FW_DOOR_LOCAL) != 0;
  if (!so_far.backend && !local) return std::nullopt;
  return search(FW_BLOCK, so_far.from, local ? so_far.to : identities_.ident(*so_far.backend),
                port_class(probe.proto, ntohs(so_far.door->port)));
}

Judgement Judge::through_door(Judgement judgement) const {
  const auto opened = search_door(judgement.from, *judgement.door);
  if (!opened) return denied(judgement, FW_REASON_NO_RULE);
  const bool local = (judgement.door->flags & FW_DOOR_LOCAL) != 0;
  if (!judgement.backend && !local) return denied(judgement, FW_REASON_NO_ROUTE);
  return decided(judgement, *opened, FW_REASON_NONE);
}

Judgement Judge::without_door(const Probe& probe, Judgement judgement) const {
  const std::uint32_t ports = port_class(probe.proto, probe.dport);
  const bool from_uplink = probe.origin == FW_FROM_WIRE && probe.interface_zone == FW_ZONE_INTERNET;
  if (!from_uplink || !is_container(judgement.to))
    if (const auto allow = search(FW_ALLOW, judgement.from, judgement.to, ports))
      return decided(judgement, *allow, FW_REASON_NONE);
  const bool egress = (image_.parameters.flags & FW_HOST_EGRESS) != 0;
  if (egress && probe.origin == FW_FROM_HOST && is_host(judgement.from) &&
      !is_container(judgement.to)) {
    judgement.allowed = true;
    judgement.account = image_.parameters.egress_account + judgement.to.zone;
    return judgement;
  }
  return denied(judgement, reason_of_denial(probe, judgement));
}

fw_ident Judge::ident(const Probe& probe, const Address& address) const {
  const fw_ident ident = identities_.ident(address);
  // 127.0.0.0/8 is the host's, beside the address that netlink tells of.
  const bool own = probe.origin == FW_FROM_HOST && address.is_loopback();
  return own && !is_host(ident) ? host_ident() : ident;
}

bool Judge::is_martian(const Probe& probe, const fw_ident& from) const {
  if (probe.origin == FW_FROM_HOST) return false;
  if (is_never_a_source(probe.src) || probe.dst.is_loopback() || is_host(from)) return true;
  const auto elsewhere = [&](std::uint32_t ifindex) {
    return probe.ifindex != 0 && ifindex != 0 && ifindex != probe.ifindex;
  };
  if (probe.origin == FW_FROM_WIRE) return is_container(from) || elsewhere(from.ifindex);
  if (!is_container(from)) return true;
  if (placement_ == nullptr) return false;
  const auto endpoint = placement_->endpoints.find(probe.src);
  return endpoint != placement_->endpoints.end() && elsewhere(endpoint->second.ifindex);
}

std::optional<fw_door> Judge::door(const Probe& probe, const fw_ident& to) const {
  if (is_group(probe.dst)) return std::nullopt;
  const auto find = [&](const Address& address) -> std::optional<fw_door> {
    const DoorOrder wanted{address, probe.dport, probe.proto,
                           static_cast<std::uint8_t>(probe.dst.family())};
    const auto found = std::lower_bound(
        image_.doors.begin(), image_.doors.end(), wanted,
        [](const auto& keyed, const DoorOrder& order) { return door_order(keyed.first) < order; });
    if (found == image_.doors.end() || door_order(found->first) != wanted) return std::nullopt;
    return found->second;
  };
  if (auto here = find(probe.dst)) return here;
  return is_host(to) ? find(Address{}) : std::nullopt;
}

std::uint32_t Judge::port_class(std::uint8_t proto, std::uint16_t port) const {
  if (proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6) return FW_PORTS_PING;
  if (image_.ports.empty()) return FW_PORTS_ANY;
  if (proto == IPPROTO_TCP) return image_.ports[port].tcp;
  if (proto == IPPROTO_UDP) return image_.ports[port].udp;
  return FW_PORTS_ANY;
}

std::optional<Judge::Hit> Judge::hit(std::uint8_t verdict, const fw_policy_key& key) const {
  const auto order = [](const fw_policy_key& k) { return std::tuple{k.from, k.to, k.ports}; };
  const auto found = std::lower_bound(image_.policy.begin(), image_.policy.end(), key,
                                      [&](const auto& entry, const fw_policy_key& wanted) {
                                        return order(entry.first) < order(wanted);
                                      });
  if (found == image_.policy.end() || order(found->first) != order(key)) return std::nullopt;
  if (found->second.verdict != verdict) return std::nullopt;
  return Hit{found->first, found->second, 0};
}

std::optional<Judge::Hit> Judge::search(std::uint8_t verdict, const fw_ident& from,
                                        const fw_ident& to, std::uint32_t ports) const {
  const std::uint32_t levels = verdict == FW_ADMIT   ? image_.parameters.admit_levels
                               : verdict == FW_BLOCK ? image_.parameters.block_levels
                                                     : image_.parameters.allow_levels;
  const std::array<std::uint32_t, 2> port_keys{ports, FW_PORTS_ANY};
  for (unsigned f = 0; f < FW_LEVEL_SELECTORS; ++f)
    for (unsigned t = 0; t < FW_LEVEL_SELECTORS; ++t)
      for (unsigned p = 0; p < port_keys.size(); ++p) {
        if (!has_level(levels, f, t, p)) continue;
        if ((f == 0 && from.id == FW_SEL_ANY) || (t == 0 && to.id == FW_SEL_ANY)) continue;
        if (p == 0 && ports == FW_PORTS_ANY) continue;
        if (auto found = hit(verdict, {selectors(from)[f], selectors(to)[t], port_keys[p]})) {
          found->to_zone = to.zone;
          return found;
        }
      }
  return std::nullopt;
}

std::optional<Judge::Hit> Judge::search_door(const fw_ident& from, const fw_door& door) const {
  for (unsigned f = 0; f < FW_LEVEL_SELECTORS; ++f) {
    if (!has_level(image_.parameters.door_levels, f, 0, 1)) continue;
    if (f == 0 && from.id == FW_SEL_ANY) continue;
    if (auto found = hit(FW_ALLOW, {selectors(from)[f], door.selector, FW_PORTS_ANY})) return found;
  }
  return std::nullopt;
}

Judgement Judge::decided(Judgement judgement, const Hit& hit, fw_reason reason) {
  judgement.limit = hit.entry.limit;
  judgement.allowed = reason == FW_REASON_NONE;
  judgement.reason = reason;
  judgement.key = hit.key;
  judgement.account = hit.entry.account + judgement.from.zone * hit.entry.from_stride +
                      hit.to_zone * hit.entry.to_stride;
  return judgement;
}

Judgement Judge::denied(Judgement judgement, fw_reason reason) const {
  const std::uint32_t pair = judgement.from.zone * image_.parameters.zones + judgement.to.zone;
  judgement.reason = reason;
  judgement.account =
      image_.parameters.denied + pair * FW_REASON_COUNT + static_cast<std::uint32_t>(reason);
  return judgement;
}

}  // namespace fw::compile
