// SPDX-License-Identifier: GPL-2.0-only
// Which NAT rules lead from outside to somewhere else, out of `nft -j list ruleset`. Pure.
//
// Rules made by iptables-nft are in there too. nft's JSON names their targets and some of their
// matches only ({"xt": ...}), so that where a packet goes to may be unknown, and a rule whose
// ports are hidden so is told as a sentence instead.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "loader/inventory/inventory.h"

namespace fw::inventory {

struct NatRules {
  std::vector<Redirect> redirects;
  std::vector<std::string> unclear;  // sentences on rules whose ports nft does not tell
  bool filters_input = false;        // some chain judges what comes in
};

// Of rules that say less than they do (another source, a mark), the most that they may mean.
Result<NatRules> read_nat_rules(std::string_view ruleset);

}  // namespace fw::inventory
