// SPDX-License-Identifier: GPL-2.0-only
// The addresses that two policies together tell apart, and how to call sets of them.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "loader/explain/atlas.h"

namespace fw::explain {

enum class Side { kOld, kNew };

// Addresses of one family that neither policy tells apart.
struct Unit {
  Member old_member;
  Member new_member;

  [[nodiscard]] const Member& on(Side side) const {
    return side == Side::kOld ? old_member : new_member;
  }
  [[nodiscard]] Family family() const { return old_member.family(); }
  [[nodiscard]] bool is_host() const {
    return ((old_member.ident.flags | new_member.ident.flags) & FW_IDENT_HOST) != 0;
  }
};

using UnitSet = std::set<std::size_t>;

// Some units, and the name that stands for them.
struct Label {
  std::string name;
  UnitSet units;
};

// Both worlds must be of the same machine, and outlive it.
class Units {
 public:
  Units(const World& before, const World& after);

  [[nodiscard]] const std::vector<Unit>& all() const { return units_; }
  // As few names of zones and services as cover the set exactly, as far as the families go that are
  // in it; what no name covers is called by its prefix.
  [[nodiscard]] std::vector<Label> labels(const UnitSet& set, Side side) const;
  // Of a flow that the old policy let through: its address, and the zone that it was counted in.
  [[nodiscard]] const std::size_t* find(const Address& address, const std::string& old_zone) const;

 private:
  void add(const Address& address, const std::optional<Address>& other, const Prefix& prefix,
           const Atlas& before, const Atlas& after);
  void add_listed(const compile::Image& both, const Atlas& atlas, const Atlas& before,
                  const Atlas& after);
  void name_groups();

  World old_;
  World new_;
  std::set<Address> door_addresses_;
  std::vector<Unit> units_;
  std::map<std::vector<std::uint64_t>, std::size_t> known_;
  compile::PrefixMap<std::size_t> by_prefix_;
  // By side: names of zones, then of services, with their units.
  std::vector<Label> groups_[2];
};

}  // namespace fw::explain
