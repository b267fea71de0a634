// SPDX-License-Identifier: GPL-2.0-only
#include "loader/explain/lockout.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <sstream>
#include <string>

#include "loader/compile/bind.h"
#include "loader/compile/offline.h"
#include "loader/config/names.h"
#include "loader/explain/atlas.h"
#include "loader/explain/verdict.h"

namespace fw::explain {
namespace {

// "fe80::1%eth0": the interface is not part of the address.
std::optional<Address> read_address(const std::string& word) {
  const auto address = Address::parse(word.substr(0, word.find('%')));
  return address ? std::optional{*address} : std::nullopt;
}

bool is_own(const Topology& topology, const Address& address) {
  return std::any_of(
      topology.interfaces.begin(), topology.interfaces.end(), [&](const auto& interface) {
        const auto& addresses = interface.second.addresses;
        return std::find(addresses.begin(), addresses.end(), address) != addresses.end();
      });
}

// By which the machine would answer: that of the longest connected prefix; null: by a gateway.
const Interface* link_to(const Topology& topology, const Address& address) {
  const Interface* best = nullptr;
  unsigned longest = 0;
  for (const auto& [index, interface] : topology.interfaces)
    for (const Prefix& prefix : interface.connected)
      if (prefix.length() > 0 && prefix.contains(address) && prefix.length() >= longest) {
        best = &interface;
        longest = prefix.length();
      }
  return best;
}

// The role of the interface by which packets from `address` come in; null when fwd has no part on
// it. A gateway is taken to be behind an uplink.
const fw_iface* entrance(const World& world, const Address& address) {
  const auto& placed = world.placement.interfaces;
  const Interface* link = link_to(world.topology, address);
  for (const auto& [index, iface] : placed) {
    if (link == nullptr && iface.role == FW_ROLE_UPLINK) return &iface;
    if (link == nullptr) continue;
    const auto found = world.topology.interfaces.find(index);
    const bool port = found != world.topology.interfaces.end() &&
                      found->second.master == link->index;  // of the bridge that has the address
    if (index == link->index || port) return &iface;
  }
  return nullptr;
}

// Directly, or by a door of the host itself: sshd sees the port behind it.
Verdict judge(const World& world, const Member& from, const Member& to, std::uint16_t port) {
  const Jury jury{world};
  Verdict direct = jury.judge(from, to, IPPROTO_TCP, port);
  if (direct.allowed) return direct;
  for (const auto& [key, door] : world.image.doors) {
    if (key.proto != IPPROTO_TCP || (door.flags & FW_DOOR_LOCAL) == 0 || ntohs(door.port) != port)
      continue;
    if (auto by_door = jury.judge(from, to, IPPROTO_TCP, ntohs(key.port)); by_door.allowed)
      return by_door;
  }
  return direct;
}

std::string cause(const Verdict& verdict) {
  if (!verdict.rule) return verdict.reason_name() + ", " + verdict.reason_help();
  return "blocked by " + config::quote(verdict.rule->text) + " (" + verdict.rule->file + ":" +
         std::to_string(verdict.rule->line) + ")";
}

}  // namespace

std::optional<Session> read_session(std::string_view ssh_connection) {
  std::istringstream words{std::string{ssh_connection}};
  std::string client;
  std::string client_port;
  std::string server;
  std::string server_port;
  if (!(words >> client >> client_port >> server >> server_port)) return std::nullopt;
  const auto from = read_address(client);
  const auto to = read_address(server);
  const auto port = PortRange::parse(server_port);
  if (!from || !to || !port || port->size() != 1) return std::nullopt;
  return Session{*from, *to, port->first};
}

std::optional<config::Diagnostic> lockout(const World& world, const Session& session) {
  if (session.client.is_loopback() || is_own(world.topology, session.client)) return std::nullopt;
  if (!is_own(world.topology, session.server)) return std::nullopt;
  const fw_iface* by = entrance(world, session.client);
  if (by == nullptr) return std::nullopt;

  const Atlas atlas{world};
  Member from = atlas.member(session.client);
  if (from.origin == FW_FROM_WIRE && by->role != FW_ROLE_CONTAINER)
    from.interface_zone = by->role == FW_ROLE_LAN ? by->zone : std::uint16_t{FW_ZONE_INTERNET};
  const Verdict verdict = judge(world, from, atlas.member(session.server), session.server_port);
  if (verdict.allowed) return std::nullopt;

  const std::string client = session.client.to_string();
  const std::string port = std::to_string(session.server_port);
  return config::Diagnostic{config::Severity::kError, world.policy.host.where,
                            "your own SSH session, " + client + " -> " +
                                endpoint(session.server.to_string(), session.server_port) +
                                ", would be cut: " + cause(verdict),
                            "write under 'host': admin: [\"" + client + " -> host:" + port + "\"]",
                            ""};
}

Result<std::optional<config::Diagnostic>> lockout(const config::Policy& written,
                                                  const Session& session) {
  const config::Policy policy = compile::with_assumed_members(written);
  Topology machine = compile::offline_topology({&policy});
  const std::uint32_t index =
      machine.interfaces.empty() ? 1 : machine.interfaces.rbegin()->first + 1;
  Interface& own = machine.interfaces[index];
  own.index = index;
  own.name = "/session";  // Linux gives no interface a slash
  own.addresses = {session.server};
  const auto compiled = Compiled::of(policy, std::move(machine));
  if (!compiled) return compiled.error();
  return lockout(compiled->world(), session);
}

}  // namespace fw::explain
