// SPDX-License-Identifier: GPL-2.0-only
// The named prefixes by hash; the listed ones where they are, by binary search for each length.
#include "loader/compile/identity_index.h"

#include <algorithm>

namespace fw::compile {
namespace {

std::size_t family_index(Family family) {
  return static_cast<std::size_t>(family);
}

bool before(const IdentityIndex::Entry& entry, const Prefix& wanted) {
  return entry.first < wanted;
}

void keep_new(const IdentityIndex::Entry& entry, std::vector<IdentityIndex::Entry>& examples) {
  const bool known = std::ranges::any_of(examples, [&](const auto& example) {
    return example.second.id == entry.second.id && example.first.family() == entry.first.family();
  });
  if (!known) examples.push_back(entry);
}

}  // namespace

IdentityIndex::IdentityIndex(const Image& image) : image_(image) {
  for (const auto& [prefix, ident] : image.identities) named_[prefix] = ident;
  for (const Entry& entry : image.listed) {
    lengths_[family_index(entry.first.family())].set(entry.first.length());
    keep_new(entry, examples_);
  }
}

const IdentityIndex::Entry* IdentityIndex::find_listed(const Address& address) const {
  const auto& lengths = lengths_[family_index(address.family())];
  if (lengths.none()) return nullptr;
  for (unsigned length = address.is_ipv4() ? 32 : 128;; --length) {
    if (lengths.test(length)) {
      const Prefix wanted{address, length};
      const auto found =
          std::lower_bound(image_.listed.begin(), image_.listed.end(), wanted, before);
      if (found != image_.listed.end() && found->first == wanted) return &*found;
    }
    if (length == 0) return nullptr;
  }
}

std::optional<IdentityIndex::Entry> IdentityIndex::find(const Address& address) const {
  const auto* named = named_.find(address);
  const Entry* listed = find_listed(address);
  if (listed != nullptr && (named == nullptr || named->first.length() < listed->first.length()))
    return *listed;
  if (named == nullptr) return std::nullopt;
  return *named;
}

fw_ident IdentityIndex::ident(const Address& address) const {
  const auto found = find(address);
  return found ? found->second : fw_ident{};
}

std::vector<IdentityIndex::Entry> IdentityIndex::examples_within(const Prefix& region) const {
  std::vector<Entry> examples;
  auto entry = std::lower_bound(image_.listed.begin(), image_.listed.end(), region, before);
  for (; entry != image_.listed.end() && region.contains(entry->first.address()); ++entry)
    if (region.contains(entry->first)) keep_new(*entry, examples);
  return examples;
}

bool IdentityIndex::is_listed(const fw_ident& ident) const {
  return std::ranges::any_of(examples_, [&](const Entry& e) { return e.second.id == ident.id; });
}

}  // namespace fw::compile
