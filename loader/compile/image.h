// SPDX-License-Identifier: GPL-2.0-only
// What the kernel's maps shall hold for one policy on one machine: plain values, no kernel.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "loader/base/net.h"
#include "loader/base/topology.h"
#include "loader/config/model.h"
#include "maps/active.h"
#include "maps/door.h"
#include "maps/limit.h"
#include "maps/policy.h"
#include "maps/topology.h"

namespace fw::compile {

// What one account counts. A counter that a new policy still has keeps its number.
struct AccountName {
  // Numbers are in state.json.
  enum class Kind { kRule, kDoor, kEgress, kDenied, kBlock, kLimited };
  Kind kind = Kind::kRule;
  std::string subject;  // Rule::text, the door's name, or the reason's name
  std::string from_zone;
  std::string to_zone;

  auto operator<=>(const AccountName&) const = default;
};

// Hands out account numbers and remembers them, so that they survive a policy swap. A block of
// accounts is contiguous, because the kernel computes an account from a base and two zones.
//
// Pure value: copy it, compile with the copy, and keep the copy when the swap succeeded.
class AccountBook {
 public:
  // Finds the block with exactly these names, or numbers a new one. Returns its first account.
  std::uint32_t block(const std::vector<AccountName>& names);
  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(names_.size()); }
  // Index is the account's number. The same name may stand at several numbers; they add up.
  [[nodiscard]] const std::vector<AccountName>& names() const { return names_; }
  // Rebuilds a book from names() of an earlier one (the daemon's state file).
  static AccountBook from_names(std::vector<AccountName> names,
                                const std::vector<std::uint32_t>& block_starts);
  [[nodiscard]] std::vector<std::uint32_t> block_starts() const;

 private:
  std::vector<AccountName> names_;
  std::map<std::vector<AccountName>, std::uint32_t> blocks_;
};

// Everything below has the types of maps/, keys and values exactly as the kernel reads them, in
// ascending order of key, so that two equal policies give equal images.
struct Image {
  fw_generation parameters{};
  std::vector<std::pair<Prefix, fw_ident>> identities;  // both families
  // Prefixes that only block lists name: up to millions, with a handful of identities. The kernel's
  // prefix tables hold them with the others.
  std::vector<std::pair<Prefix, fw_ident>> listed;
  std::vector<fw_port_class> ports;  // 65536 elements, or empty: all 0
  std::vector<std::pair<fw_policy_key, fw_policy_entry>> policy;
  std::vector<std::pair<fw_door_key, fw_door>> doors;
  std::vector<fw_backend> maglev;
  std::vector<fw_member_key> members;
  std::vector<fw_limit> limits;

  std::vector<std::string> zones;  // by number: "none", "host", "internet", ...
  std::vector<std::string>
      identity_names;  // by fw_ident.id: "proxy", "10.0.1.0/24", ...; for people

  bool operator==(const Image& other) const;
};

// The order of Image::doors: as a reader would sort them, not as bytes of this machine. Address,
// port, protocol, family.
using DoorOrder = std::tuple<Address, std::uint16_t, std::uint8_t, std::uint8_t>;
DoorOrder door_order(const fw_door_key& key);

// What the kernel's prefix tables say of an address.
fw_ident identify(const Image& image, const Address& address);

// Is this address behind one of this machine's container interfaces?
bool is_container(const Image& image, const Address& address);

// The role of each interface under a policy, and where each address of a service is.
struct Placement {
  std::map<std::uint32_t, fw_iface> interfaces;  // by ifindex
  std::map<Address, fw_endpoint> endpoints;
  std::map<VlanTag, std::uint32_t> vlans;  // of those interfaces that take tagged frames: ifindex

  // byte-wise
  bool operator==(const Placement& other) const;
};

}  // namespace fw::compile
