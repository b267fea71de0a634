// SPDX-License-Identifier: GPL-2.0-only
// Lines of the policy -> entries of the kernel's policy table, each with its account.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "loader/compile/identities.h"
#include "loader/compile/image.h"
#include "loader/compile/ports.h"
#include "loader/compile/zones.h"
#include "loader/config/model.h"
#include "maps/account.h"

namespace fw::compile {

// Entries of one policy table. A rule between two sets of peers takes one for each pair and port
// class, so this bounds memory (about 100 bytes each in the kernel), not the number of rules.
inline constexpr std::size_t kMaxPolicyEntries = 1U << 21U;

// One line of the policy with its peers resolved.
struct Line {
  std::uint8_t verdict = FW_ALLOW;  // enum fw_policy_verdict
  AccountName::Kind kind = AccountName::Kind::kRule;
  std::string subject;              // what its accounts are called after
  std::vector<std::uint32_t> from;  // selectors
  std::vector<std::uint32_t> to;
  std::vector<std::uint32_t> ports;        // classes
  std::optional<std::uint16_t> door_zone;  // of the backends, when `to` is a door
  std::optional<config::Rate> rate{};
  std::uint16_t limit = 0;  // fw_policy_entry.limit: see number_limits()
};

// The policy's rules and each zone's `intra: allow`.
std::vector<Line> lines_of_rules(const config::Policy& policy, const Zones& zones,
                                 const Identities& identities, const PortClasses& ports);

// Ascending by key. Where lines meet on one key, admit beats block beats allow; among equals the
// lowest limit wins, then a rule beats what a door implies, and then the smallest subject wins.
using Entries = std::vector<std::pair<fw_policy_key, fw_policy_entry>>;
Result<Entries> entries_of_lines(std::vector<Line> lines, const Zones& zones,
                                 const Identities& identities, AccountBook& book);

// Sets the *_levels of `parameters`: which shapes of entries exist.
void set_levels(const Entries& entries, fw_generation& parameters);

// AccountBook::block, but fails when the kernel's counters are used up. `max` is for tests.
Result<std::uint32_t> allot(AccountBook& book, const std::vector<AccountName>& names,
                            std::uint32_t max = FW_ACCOUNT_CHUNKS * FW_ACCOUNTS_PER_CHUNK);

}  // namespace fw::compile
