// SPDX-License-Identifier: GPL-2.0-only
// One address of each prefix of the image that is in none of the narrower ones.
#include "loader/compile/ends.h"

#include <algorithm>

namespace fw::compile {
namespace {

using config::Peer;

unsigned full_length(const Prefix& prefix) {
  return prefix.family() == Family::kIpv4 ? 32U : 128U;
}

// The address after `address`; of the last one, the first.
Address next(const Address& address) {
  auto bytes = address.bytes();
  for (std::size_t i = bytes.size(); i-- > 0;)
    if (++bytes[i] != 0) break;
  return Address::from_bytes(Family::kIpv6, bytes.data());
}

// Addresses that stand for nobody where a wider prefix is asked about: "no address", loopback and
// groups come from nowhere, and the programs drop them as MARTIAN.
const std::vector<Prefix>& nobodies() {
  static const std::vector<Prefix> kPrefixes = [] {
    std::vector<Prefix> parsed;
    for (const char* text : {"0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3", "::/96", "ff00::/8"})
      if (const auto prefix = Prefix::parse(text)) parsed.push_back(*prefix);
    return parsed;
  }();
  return kPrefixes;
}

Address last(const Prefix& prefix) {
  auto bytes = prefix.address().bytes();
  const unsigned skipped = prefix.family() == Family::kIpv4 ? 96U : 0U;
  for (unsigned bit = prefix.length() + skipped; bit < 128; ++bit)
    bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] | (0x80U >> (bit % 8)));
  return Address::from_bytes(Family::kIpv6, bytes.data());
}

}  // namespace

Ends::Ends(const config::Policy& policy, const Image& image)
    : policy_(policy), image_(image), identities_(image) {
  for (const auto& [prefix, ident] : image.identities)
    if (const auto end = within(prefix)) all_.push_back(*end);
  for (const auto& [prefix, ident] : identities_.examples())
    if (const auto end = within(prefix)) all_.push_back(*end);
  // Where either family would do, a message tells of IPv4.
  std::stable_partition(all_.begin(), all_.end(),
                        [](const End& end) { return end.address.is_ipv4(); });
}

End Ends::at(const Address& address) const {
  End end;
  end.address = address;
  end.ident = identities_.ident(address);
  if ((end.ident.flags & FW_IDENT_HOST) != 0) {
    end.origin = FW_FROM_HOST;
  } else if ((end.ident.flags & FW_IDENT_CONTAINER) != 0) {
    end.origin = FW_FROM_CONTAINER;
  } else {
    const auto zone = policy_.zones.find(image_.zones[end.ident.zone]);
    if (zone != policy_.zones.end() && !zone->second.interfaces.empty())
      end.interface_zone = end.ident.zone;
  }
  return end;
}

std::optional<Prefix> Ends::exception(const Prefix& prefix, const Address& address) const {
  const auto is_part = [&](const Prefix& other) {
    return other != prefix && prefix.contains(other) && other.contains(address);
  };
  const auto covering = identities_.find(address);
  if (covering && is_part(covering->first)) return covering->first;
  const auto nobody = std::ranges::find_if(nobodies(), is_part);
  return nobody == nobodies().end() ? std::nullopt : std::optional{*nobody};
}

std::optional<End> Ends::within(const Prefix& prefix) const {
  // The first address of a network is nobody's: "::" means "any" to a door. On no network is ::1.
  Address candidate = prefix.address();
  if (prefix.length() < full_length(prefix)) candidate = next(candidate);
  if (prefix.length() == 0 && candidate.is_loopback()) candidate = next(candidate);
  while (prefix.contains(candidate) && candidate != Address{}) {
    const auto excepted = exception(prefix, candidate);
    if (!excepted) return at(candidate);
    candidate = next(last(*excepted));
  }
  return std::nullopt;
}

std::vector<End> Ends::inside(const Prefix& prefix) const {
  std::vector<End> ends;
  if (const auto own = within(prefix)) ends.push_back(*own);
  for (const End& end : all_)
    if (prefix.contains(end.address) && (ends.empty() || ends.front().address != end.address))
      ends.push_back(end);
  for (const auto& [listed, ident] : identities_.examples_within(prefix))
    if (const auto end = within(listed)) ends.push_back(*end);
  return ends;
}

std::vector<End> Ends::in_zone(const std::string& name) const {
  std::vector<End> ends;
  for (const End& end : all_)
    if (image_.zones[end.ident.zone] == name) ends.push_back(end);
  return ends;
}

std::vector<End> Ends::destinations(const Peer& peer) const {
  if (const auto* zone = std::get_if<config::ZoneRef>(&peer)) return in_zone(zone->name);
  if (const auto* prefix = std::get_if<Prefix>(&peer)) return inside(*prefix);
  if (const auto* reference = std::get_if<config::ServiceRef>(&peer)) {
    const config::Service& service = policy_.services.at(reference->name);
    if (service.host) return in_zone("host");
    std::vector<End> ends;
    for (const Address& address : service.addresses) ends.push_back(at(address));
    return ends;
  }
  return all_;
}

std::vector<End> Ends::sources(const Peer& peer) const {
  std::vector<End> ends = destinations(peer);
  const auto* zone = std::get_if<config::ZoneRef>(&peer);
  if (zone == nullptr) return ends;
  const auto found = policy_.zones.find(zone->name);
  if (found == policy_.zones.end() || found->second.interfaces.empty()) return ends;
  const auto number = std::find(image_.zones.begin(), image_.zones.end(), zone->name);
  for (const Prefix& everything : {Prefix{Address::from_ipv4(0), 0}, Prefix{Address{}, 0}}) {
    auto stranger = within(everything);
    if (!stranger || stranger->ident.zone != FW_ZONE_INTERNET) continue;
    stranger->interface_zone = static_cast<std::uint16_t>(number - image_.zones.begin());
    ends.push_back(*stranger);
  }
  return ends;
}

}  // namespace fw::compile
