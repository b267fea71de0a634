// SPDX-License-Identifier: GPL-2.0-only
// Which addresses does the policy tell apart? Prefixes, and the identity each one has.
//
// Every prefix that the policy or the machine names is an atom. Two atoms that no rule can tell
// apart share one identity, so the policy table stays as small as the policy; a block list of a
// million addresses has a handful.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "loader/base/topology.h"
#include "loader/compile/image.h"
#include "loader/compile/listed.h"
#include "loader/compile/zones.h"
#include "loader/config/model.h"

namespace fw::compile {

class Identities {
 public:
  Identities(const config::Policy& policy, const Zones& zones, const Topology& topology,
             const Placement& placement);

  // What the kernel's prefix tables hold: ascending, without prefixes that would answer the same as
  // the next wider one.
  [[nodiscard]] std::vector<std::pair<Prefix, fw_ident>> table() const;
  // The same of what only lists name.
  [[nodiscard]] std::vector<std::pair<Prefix, fw_ident>> take_listed();
  [[nodiscard]] std::vector<std::string> names() const;  // by identity

  // The selectors (maps/policy.h) that stand for these peers: ascending, each once.
  [[nodiscard]] std::vector<std::uint32_t> selectors(const std::vector<config::Peer>& peers) const;
  // Those for which `list` counts: the part of `peers` that is in it.
  [[nodiscard]] std::vector<std::uint32_t> selectors(const std::vector<config::Peer>& peers,
                                                     const config::AddressList& list) const;
  // Likewise of the containers that the policy knows.
  [[nodiscard]] std::vector<std::uint32_t> containers() const;
  // Of an identity or a zone; not of FW_SEL_ANY or a door.
  [[nodiscard]] std::uint16_t zone_of(std::uint32_t selector) const;
  // Where a service's backends are.
  [[nodiscard]] std::uint16_t zone_of_service(const std::string& name) const;

  // What the addresses of an identity have in common.
  struct Common {
    std::string name;
    std::uint16_t zone = FW_ZONE_NONE;
    std::optional<Prefix> cidr;  // the innermost CIDR of a rule around them
    std::uint64_t lists = 0;     // a bit for each list that they are in
  };

 private:
  struct Atom {
    Prefix prefix;
    fw_ident ident{};
    bool redundant = false;  // the next wider atom has the same identity
  };

  void mark_masqueraded();
  void append(const config::Peer& peer, std::vector<std::uint32_t>& selectors) const;
  void append_inside(const Prefix& prefix, std::vector<std::uint32_t>& selectors) const;
  [[nodiscard]] const Atom* atom(const Prefix& prefix) const;

  const config::Policy& policy_;
  const Zones& zones_;
  Listed lists_;
  std::vector<Atom> atoms_;  // by family, address, length: a prefix precedes what it holds
  std::vector<std::pair<Prefix, fw_ident>> listed_;    // atoms that only lists name, none redundant
  std::set<std::uint32_t> listed_ids_;                 // the identities in it
  std::vector<Common> commons_;                        // by identity; 0 is no identity
  std::map<std::string, std::uint16_t> service_zone_;  // of services that a zone lists
};

}  // namespace fw::compile
