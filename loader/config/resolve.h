// SPDX-License-Identifier: GPL-2.0-only
// What the names in a policy stand for.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "loader/config/flow.h"
#include "loader/config/model.h"

namespace fw::config {

// The policy under construction. Zones and services are in it, by name, before anything is read
// that uses them; those with mistakes stay in it so that one mistake is reported once.
struct Scope {
  Report& report;
  Policy policy;
  std::set<std::string> incomplete;  // services whose ports could not all be read
  std::span<const Attachment> attachments{};
  std::map<std::string, std::shared_ptr<const AddressList>> lists{};  // by name
};

// All return nothing after reporting what is wrong.
std::optional<Peer> resolve_peer(const Word& word, Scope& scope);
// A peer that must have no port: what stands before '->' and in publish.from.
std::optional<Peer> resolve_source(const Word& word, Scope& scope);
std::optional<std::vector<PortSet>> resolve_ports(const Word& peer_word, const Peer& peer,
                                                  const std::vector<PortWord>& words, Scope& scope);

// The ports that `service` declares as `name`; reports when it declares none.
std::optional<std::vector<PortSet>> named_port(const std::string& service, const Word& name,
                                               Scope& scope);

// Is this a number or a range, and not a name?
bool is_numeric(std::string_view port);

}  // namespace fw::config
