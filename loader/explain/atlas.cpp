// SPDX-License-Identifier: GPL-2.0-only
// Peers -> representative addresses, by the prefixes of the image.
#include "loader/explain/atlas.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>

namespace fw::explain {
namespace {

using compile::Probe;

// Pleasant to read, where a whole family is asked about.
constexpr std::array kExamples = {"198.51.100.1", "203.0.113.1",   "192.0.2.1",      "1.1.1.1",
                                  "2001:db8::1",  "2001:db8:1::1", "2606:4700::1111"};

// Of no protocol, and above all ports that a policy names for services.
constexpr std::uint16_t kClientPort = 61000;

Prefix whole(const Address& address) {
  return {address, address.is_ipv4() ? 32U : 128U};
}

// One address further; unset after the last.
std::optional<Address> next(const Address& address) {
  auto bytes = address.bytes();
  const std::size_t first = address.is_ipv4() ? 12 : 0;
  for (std::size_t i = bytes.size(); i-- > first;)
    if (++bytes[i] != 0) return Address::from_bytes(Family::kIpv6, bytes.data());
  return std::nullopt;
}

Address last(const Prefix& prefix) {
  auto bytes = prefix.address().bytes();
  const unsigned start = prefix.address().is_ipv4() ? 96 : 0;
  for (unsigned bit = start + prefix.length(); bit < 128; ++bit)
    bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] | (0x80U >> (bit % 8)));
  return Address::from_bytes(Family::kIpv6, bytes.data());
}

bool is_local(const Address& address) {
  const auto& bytes = address.bytes();
  if (address.is_loopback()) return true;
  if (address.is_ipv4())
    return bytes[12] == 0 || bytes[12] == 127 || bytes[12] >= 224 ||
           (bytes[12] == 169 && bytes[13] == 254);
  return bytes[0] == 0xff || (bytes[0] == 0xfe && (bytes[1] & 0xc0U) == 0x80U);
}

// Members that no rule tells apart become one.
void keep_one_of_each(std::vector<Member>& members) {
  std::stable_sort(members.begin(), members.end(),
                   [](const Member& a, const Member& b) { return a.family() < b.family(); });
  using Key = std::tuple<Family, std::uint32_t, std::uint16_t, std::uint8_t, std::uint32_t>;
  std::map<Key, std::size_t> seen;
  std::vector<Member> kept;
  for (Member& member : members) {
    const auto& ident = member.ident;
    const Key key{member.family(), ident.id, ident.zone, ident.flags, ident.ifindex};
    const auto [known, fresh] = seen.try_emplace(key, kept.size());
    if (fresh)
      kept.push_back(std::move(member));
    else if (Member& first = kept[known->second]; !first.other && first.address != member.address)
      first.other = member.address;
  }
  members = std::move(kept);
}

void mark_exceptions(std::vector<Member>& members) {
  for (Member& member : members)
    member.exception = member.service.empty() && bool(Prefix::parse(member.name));
  const bool all = std::all_of(members.begin(), members.end(),
                               [](const Member& member) { return member.exception; });
  if (all)
    for (Member& member : members) member.exception = false;
}

}  // namespace

Probe probe_of(const Member& from, const Member& to, std::uint8_t proto, std::uint16_t port) {
  Probe probe;
  probe.src = from.address;
  probe.dst = to.address == from.address && to.other ? *to.other : to.address;
  probe.proto = proto;
  probe.sport = kClientPort;
  probe.dport = port;
  probe.origin = from.origin;
  probe.interface_zone = from.interface_zone;
  probe.ifindex = from.ifindex;
  return probe;
}

Atlas::Atlas(const World& world) : world_(world) {
  for (const auto& [prefix, ident] : world.image.identities) identities_[prefix] = ident;
  for (const auto& [name, service] : world.policy.services)
    for (const Address& address : service.addresses) services_.try_emplace(address, name);
}

std::string Atlas::service_at(const Address& address) const {
  const auto found = services_.find(address);
  return found == services_.end() ? std::string{} : found->second;
}

Member Atlas::made(const Address& address, const std::string& name) const {
  Member member;
  member.address = address;
  if (const auto* entry = identities_.find(address)) member.ident = entry->second;
  const fw_ident& ident = member.ident;
  member.service = service_at(address);
  member.name = member.service.empty() ? name : member.service;
  if ((ident.flags & FW_IDENT_HOST) != 0) {
    member.origin = FW_FROM_HOST;
    member.ifindex = ifindex_of(member);
    return member;
  }
  if ((ident.flags & FW_IDENT_CONTAINER) != 0) {
    member.origin = FW_FROM_CONTAINER;
    member.ifindex = ifindex_of(member);
    return member;
  }
  const auto zone = world_.policy.zones.find(world_.image.zones.at(ident.zone));
  if (const auto placed = world_.placement.interfaces.find(ident.ifindex);
      placed != world_.placement.interfaces.end() && placed->second.role == FW_ROLE_LAN)
    member.interface_zone = placed->second.zone;
  else if (zone != world_.policy.zones.end() && !zone->second.interfaces.empty())
    member.interface_zone = ident.zone;
  member.ifindex = ifindex_of(member);
  return member;
}

// What the host sends is met at any interface, and at an uplink most often.
std::uint32_t Atlas::ifindex_of(const Member& member) const {
  const auto& placement = world_.placement;
  if (member.ident.ifindex != 0) return member.ident.ifindex;
  if (const auto endpoint = placement.endpoints.find(member.address);
      endpoint != placement.endpoints.end())
    return endpoint->second.ifindex;
  const bool lan = member.origin == FW_FROM_WIRE && member.interface_zone != FW_ZONE_INTERNET;
  const fw_role role = member.origin == FW_FROM_CONTAINER ? FW_ROLE_CONTAINER
                       : lan                              ? FW_ROLE_LAN
                                                          : FW_ROLE_UPLINK;
  for (const auto& [index, placed] : placement.interfaces)
    if (placed.role == role && (!lan || placed.zone == member.interface_zone)) return index;
  return member.origin == FW_FROM_HOST && !placement.interfaces.empty()
             ? placement.interfaces.begin()->first
             : 0;
}

Member Atlas::member(const Address& address) const {
  Member member = made(address, address.to_string());
  if ((member.ident.flags & FW_IDENT_HOST) != 0) member.name = "host";
  return member;
}

std::optional<Address> Atlas::represent(const Prefix& region,
                                        const std::optional<Address>& after) const {
  const auto& table = world_.image.identities;
  const auto begin = std::lower_bound(
      table.begin(), table.end(), region,
      [](const auto& entry, const Prefix& wanted) { return entry.first < wanted; });
  const Address end = last(region);
  const bool single = region.address() == end;
  const auto inside = [&](const Prefix& prefix) {
    return prefix != region && region.contains(prefix);
  };
  if (region.length() == 0 && !after)
    for (const char* text : kExamples) {
      const auto example = Address::parse(text);
      if (!example || !region.contains(*example)) continue;
      const auto* entry = identities_.find(*example);
      if (entry == nullptr || !inside(entry->first)) return *example;
    }
  auto candidate = after ? next(*after) : std::optional{region.address()};
  // The first address of a subnet is nobody's.
  if (!after && !single && candidate) candidate = next(*candidate);
  for (auto entry = begin; candidate && entry != table.end() && entry->first.address() <= end;
       ++entry)
    if (inside(entry->first) && entry->first.contains(*candidate))
      candidate = next(last(entry->first));
  if (!candidate || !region.contains(*candidate)) return std::nullopt;
  return candidate;
}

std::vector<Member> Atlas::of_region(const Prefix& region) const {
  std::vector<Member> members;
  const auto add = [&](const Prefix& prefix, const std::string& name) {
    const auto address = represent(prefix);
    if (!address) return;
    members.push_back(made(*address, name));
    members.back().other = represent(prefix, address);
  };
  add(region, region.to_string());
  for (const auto& [prefix, ident] : world_.image.identities) {
    if (prefix == region || !region.contains(prefix) || is_local(prefix.address())) continue;
    add(prefix, (ident.flags & FW_IDENT_HOST) != 0 ? "host" : prefix.to_string());
  }
  return members;
}

std::vector<Member> Atlas::of_service(const std::string& name) const {
  const auto& service = world_.policy.services.at(name);
  std::vector<Member> members = service.host ? of_hosts() : std::vector<Member>{};
  for (const Address& address : service.addresses) members.push_back(member(address));
  for (Member& member : members) member.name = member.service = name;
  return members;
}

// Those by which other machines know it come first.
std::vector<Member> Atlas::of_hosts() const {
  std::set<Address> faces;
  for (const auto& [index, placed] : world_.placement.interfaces) {
    if (placed.role != FW_ROLE_UPLINK) continue;
    if (placed.addr4 != 0) faces.insert(Address::from_bytes(Family::kIpv4, &placed.addr4));
    faces.insert(Address::from_abi(placed.addr6));
  }
  std::vector<Member> members;
  for (const auto& [prefix, ident] : world_.image.identities)
    if ((ident.flags & FW_IDENT_HOST) != 0 && !is_local(prefix.address()))
      members.push_back(made(prefix.address(), "host"));
  std::stable_partition(members.begin(), members.end(),
                        [&](const Member& member) { return faces.contains(member.address); });
  return members;
}

std::vector<Member> Atlas::of_zone(const std::string& name) const {
  if (name == "host") return of_hosts();
  const std::uint16_t zone = zone_number(world_.image, name);
  std::vector<Member> members;
  for (const auto& [prefix, ident] : world_.image.identities) {
    if (ident.zone != zone || (prefix.length() > 0 && is_local(prefix.address()))) continue;
    const auto address = represent(prefix);
    if (!address) continue;
    members.push_back(made(*address, world_.image.identity_names.at(ident.id)));
    members.back().other = represent(prefix, address);
  }
  const auto declared = world_.policy.zones.find(name);
  if (!members.empty() || declared == world_.policy.zones.end() ||
      declared->second.interfaces.empty())
    return members;
  // Nothing is known of the network behind its interface: whoever is there is in the zone.
  for (Member& member : of_zone("internet")) {
    if (member.exception) continue;
    member.ident.zone = member.interface_zone = zone;
    member.ifindex = ifindex_of(member);
    if (declared->second.masquerade.value_or(false)) member.ident.flags |= FW_IDENT_MASQUERADE;
    member.name = name;
    members.push_back(member);
  }
  return members;
}

std::vector<Member> Atlas::members(const config::Peer& peer) const {
  std::vector<Member> members;
  if (const auto* zone = std::get_if<config::ZoneRef>(&peer)) {
    members = of_zone(zone->name);
  } else if (const auto* service = std::get_if<config::ServiceRef>(&peer)) {
    members = of_service(service->name);
  } else if (const auto* prefix = std::get_if<Prefix>(&peer)) {
    if (*prefix == whole(prefix->address()))
      members = {member(prefix->address())};
    else
      members = of_region(*prefix);
  } else {
    for (const std::string& name : world_.image.zones) {
      const auto more = of_zone(name);
      members.insert(members.end(), more.begin(), more.end());
    }
  }
  keep_one_of_each(members);
  mark_exceptions(members);
  if (const auto* prefix = std::get_if<Prefix>(&peer))
    for (Member& member : members)
      if (member.name == prefix->to_string()) member.exception = false;
  return members;
}

bool Atlas::covers(const config::Peer& peer, const Member& member) const {
  if (const auto* zone = std::get_if<config::ZoneRef>(&peer))
    return world_.image.zones.at(member.ident.zone) == zone->name;
  if (const auto* prefix = std::get_if<Prefix>(&peer)) return prefix->contains(member.address);
  const auto* reference = std::get_if<config::ServiceRef>(&peer);
  if (reference == nullptr) return true;
  const auto& service = world_.policy.services.at(reference->name);
  if (service.host) return (member.ident.flags & FW_IDENT_HOST) != 0;
  return std::find(service.addresses.begin(), service.addresses.end(), member.address) !=
         service.addresses.end();
}

}  // namespace fw::explain
