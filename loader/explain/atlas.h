// SPDX-License-Identifier: GPL-2.0-only
// Which addresses stand for a peer? One for each identity in it, and where its packets come from.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "loader/compile/judge.h"
#include "loader/compile/prefix_map.h"
#include "loader/explain/world.h"

namespace fw::explain {

// All addresses of one identity within a peer: the policy cannot tell them apart.
struct Member {
  Address address;               // the one that is asked about
  std::optional<Address> other;  // another one, if there is
  fw_ident ident{};              // its zone is that of the interface, where that decides
  fw_origin origin = FW_FROM_WIRE;
  std::uint16_t interface_zone = FW_ZONE_INTERNET;
  std::uint32_t ifindex = 0;  // where its packets are met; 0: the machine has no such interface
  std::string name;           // service, "host", zone, or prefix
  std::string service;        // that has this address; empty: none
  bool exception = false;     // a rule names it as a part of a wider peer that stands for itself

  [[nodiscard]] Family family() const { return address.family(); }
};

// The probe of a flow's first packet.
compile::Probe probe_of(const Member& from, const Member& to, std::uint8_t proto,
                        std::uint16_t port);

class Atlas {
 public:
  explicit Atlas(const World& world);

  // Ascending by family, IPv4 first; each identity once. A real machine's loopback and link-local
  // addresses stand for nobody.
  [[nodiscard]] std::vector<Member> members(const config::Peer& peer) const;
  // Of one address.
  [[nodiscard]] Member member(const Address& address) const;
  // An address of `region` that no entry of the image inside it covers, after `after` if given.
  [[nodiscard]] std::optional<Address> represent(const Prefix& region,
                                                 const std::optional<Address>& after = {}) const;
  // Is `address` one of the peer's?
  [[nodiscard]] bool covers(const config::Peer& peer, const Member& member) const;
  [[nodiscard]] const World& world() const { return world_; }

 private:
  [[nodiscard]] std::vector<Member> of_region(const Prefix& region) const;
  [[nodiscard]] std::vector<Member> of_service(const std::string& name) const;
  [[nodiscard]] std::vector<Member> of_hosts() const;
  [[nodiscard]] std::vector<Member> of_zone(const std::string& name) const;
  [[nodiscard]] Member made(const Address& address, const std::string& name) const;
  [[nodiscard]] std::uint32_t ifindex_of(const Member& member) const;
  [[nodiscard]] std::string service_at(const Address& address) const;

  World world_;
  compile::PrefixMap<fw_ident> identities_;
  std::map<Address, std::string> services_;
};

}  // namespace fw::explain
