// SPDX-License-Identifier: GPL-2.0-only
#include "loader/compile/image.h"

#include <arpa/inet.h>

#include <cstring>

namespace fw::compile {
namespace {

// The types of maps/ have no padding (FW_ASSERT_LAYOUT), so equal bytes are equal values.
template <class T>
bool same_bytes(const T& a, const T& b) {
  static_assert(std::has_unique_object_representations_v<T>);
  return std::memcmp(&a, &b, sizeof(T)) == 0;
}

template <class T>
bool same(const std::vector<T>& a, const std::vector<T>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (!same_bytes(a[i], b[i])) return false;
  return true;
}

template <class Key, class Value>
bool same(const std::vector<std::pair<Key, Value>>& a,
          const std::vector<std::pair<Key, Value>>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (!same_bytes(a[i].first, b[i].first) || !same_bytes(a[i].second, b[i].second)) return false;
  return true;
}

bool same(const std::vector<std::pair<Prefix, fw_ident>>& a,
          const std::vector<std::pair<Prefix, fw_ident>>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i].first != b[i].first || !same_bytes(a[i].second, b[i].second)) return false;
  return true;
}

}  // namespace

bool Image::operator==(const Image& other) const {
  return same_bytes(parameters, other.parameters) && same(identities, other.identities) &&
         same(listed, other.listed) && same(ports, other.ports) && same(policy, other.policy) &&
         same(doors, other.doors) && same(maglev, other.maglev) && same(members, other.members) &&
         same(limits, other.limits) && zones == other.zones &&
         identity_names == other.identity_names;
}

DoorOrder door_order(const fw_door_key& key) {
  return {Address::from_abi(key.addr), ntohs(key.port), key.proto, key.family};
}

fw_ident identify(const Image& image, const Address& address) {
  fw_ident best{};
  unsigned length = 0;
  for (const auto& [prefix, ident] : image.identities)
    if (prefix.contains(address) && prefix.length() >= length) {
      best = ident;
      length = prefix.length();
    }
  return best;
}

bool is_container(const Image& image, const Address& address) {
  return (identify(image, address).flags & FW_IDENT_CONTAINER) != 0;
}

}  // namespace fw::compile
