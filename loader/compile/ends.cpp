// SPDX-License-Identifier: GPL-2.0-only
// One address of each prefix of the image that is in none of the narrower ones.
#include "loader/compile/ends.h"

#include <algorithm>
#include <tuple>

namespace fw::compile {
namespace {

using config::Peer;

bool before(const Prefix& left, const Prefix& right) {
  return std::tuple{left.family(), left} < std::tuple{right.family(), right};
}

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
std::vector<Prefix> nobodies() {
  std::vector<Prefix> prefixes;
  for (const char* text : {"0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3", "::/96", "ff00::/8"})
    if (const auto prefix = Prefix::parse(text)) prefixes.push_back(*prefix);
  return prefixes;
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
    : policy_(policy), image_(image), prefixes_(nobodies()) {
  for (const auto& [prefix, ident] : image.identities) {
    prefixes_.push_back(prefix);
    identities_[prefix] = ident;
  }
  std::sort(prefixes_.begin(), prefixes_.end(), before);
  for (const auto& [prefix, ident] : image.identities)
    if (const auto end = within(prefix)) all_.push_back(*end);
}

End Ends::at(const Address& address) const {
  End end;
  end.address = address;
  if (const auto* entry = identities_.find(address)) end.ident = entry->second;
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

std::optional<End> Ends::within(const Prefix& prefix) const {
  // The first address of a network is nobody's, and "::" means "any" to a door.
  Address candidate = prefix.address();
  if (prefix.length() < full_length(prefix)) candidate = next(candidate);
  auto narrower = std::upper_bound(prefixes_.begin(), prefixes_.end(), prefix, before);
  for (; narrower != prefixes_.end() && prefix.contains(*narrower); ++narrower) {
    if (narrower->contains(candidate)) candidate = next(last(*narrower));
    if (candidate < narrower->address()) break;
  }
  if (!prefix.contains(candidate) || candidate == Address{}) return std::nullopt;
  return at(candidate);
}

std::vector<End> Ends::inside(const Prefix& prefix) const {
  std::vector<End> ends;
  if (const auto own = within(prefix)) ends.push_back(*own);
  for (const End& end : all_)
    if (prefix.contains(end.address) && (ends.empty() || ends.front().address != end.address))
      ends.push_back(end);
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
