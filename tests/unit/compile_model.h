// SPDX-License-Identifier: GPL-2.0-only
// Policies and machines for the compiler's tests, written as values.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "loader/compile/compile.h"
#include "loader/compile/judge.h"

namespace fw::compile::test {

using config::Anyone;
using config::Peer;
using config::Policy;
using config::PortSet;
using config::Rule;
using config::RuleKind;
using config::ServiceRef;
using config::ZoneRef;

inline Address ip(std::string_view text) {
  const auto address = Address::parse(text);
  EXPECT_TRUE(address) << text;
  return address ? *address : Address{};
}

inline Prefix cidr(std::string_view text) {
  const auto prefix = Prefix::parse(text);
  EXPECT_TRUE(prefix) << text;
  return prefix ? *prefix : Prefix{};
}

inline PortSet tcp(std::uint16_t first, std::uint16_t last) {
  return {Proto::kTcp, {first, last}};
}
inline PortSet tcp(std::uint16_t port) {
  return tcp(port, port);
}
inline PortSet udp(std::uint16_t first, std::uint16_t last) {
  return {Proto::kUdp, {first, last}};
}
inline PortSet udp(std::uint16_t port) {
  return udp(port, port);
}
inline PortSet ping() {
  return {Proto::kIcmp, {}};
}

// "*", "zone:lan", "host", "internet", a CIDR, or a service's name.
inline Peer peer(const std::string& text) {
  if (text == "*") return Anyone{};
  if (text == "host" || text == "internet") return ZoneRef{text};
  if (text.starts_with("zone:")) return ZoneRef{text.substr(5)};
  if (text.find_first_of(".:/") != std::string::npos) return cidr(text);
  return ServiceRef{text};
}

inline Rule rule(RuleKind kind, const std::string& from, const std::string& to,
                 std::vector<PortSet> ports = {}) {
  Rule made;
  made.kind = kind;
  made.from = {peer(from)};
  made.to = {peer(to)};
  made.text = from + " -> " + to;
  for (const PortSet& set : ports)
    made.text += ":" + set.range.to_string() + "/" + std::string{to_string(set.proto)};
  made.ports = std::move(ports);
  return made;
}

inline Rule allow(const std::string& from, const std::string& to, std::vector<PortSet> ports = {}) {
  return rule(RuleKind::kAllow, from, to, std::move(ports));
}
inline Rule block(const std::string& from, const std::string& to, std::vector<PortSet> ports = {}) {
  return rule(RuleKind::kBlock, from, to, std::move(ports));
}
inline Rule admin(const std::string& from, const std::string& to, std::vector<PortSet> ports = {}) {
  return rule(RuleKind::kAdmin, from, to, std::move(ports));
}

inline config::Service service(const std::vector<std::string>& addresses) {
  config::Service made;
  for (const std::string& address : addresses) made.addresses.push_back(ip(address));
  return made;
}

inline config::Door door(std::uint16_t host, const std::string& to, std::uint16_t target,
                         const std::vector<std::string>& from) {
  config::Door made;
  made.service = to;
  made.mappings = {{Proto::kTcp, {host, host}, {target, target}}};
  for (const std::string& text : from) made.from.push_back(peer(text));
  return made;
}

// `addresses` as `ip addr` shows them: "172.20.1.1/24".
inline Interface interface(std::uint32_t index, const std::string& name, const std::string& kind,
                           const std::vector<std::string>& addresses, std::uint32_t master = 0) {
  Interface made;
  made.index = index;
  made.name = name;
  made.kind = kind;
  made.mac = {2, 0, 0, 0, 0, static_cast<std::uint8_t>(index)};
  made.mtu = 1500;
  made.master = master;
  made.up = true;
  for (const std::string& text : addresses) {
    const auto slash = text.find('/');
    made.addresses.push_back(ip(text.substr(0, slash)));
    made.connected.emplace_back(made.addresses.back(),
                                static_cast<unsigned>(std::stoul(text.substr(slash + 1))));
  }
  return made;
}

inline Topology machine(const std::vector<Interface>& interfaces) {
  Topology topology;
  for (const Interface& each : interfaces) topology.interfaces.emplace(each.index, each);
  return topology;
}

constexpr std::uint32_t kEth0 = 2, kBrDmz = 3, kBrInt = 4, kVethProxy = 5, kVethApi = 6,
                        kVethDb = 7, kEth1 = 8, kVethSolo = 9;

// An uplink, a LAN, two bridges with containers, and a container on a veth of its own.
inline Topology podplay_machine() {
  Interface lo = interface(1, "lo", "", {"127.0.0.1/8", "::1/128"});
  lo.loopback = true;
  Topology topology = machine({
      lo,
      interface(kEth0, "eth0", "", {"192.168.1.20/24", "fe80::20/64", "fd00:1::20/64"}),
      interface(kBrDmz, "br-dmz", "bridge", {"172.20.1.1/24", "fd00:dead:beef:1::1/64"}),
      interface(kBrInt, "br-int", "bridge", {"172.20.2.1/24"}),
      interface(kVethProxy, "veth-proxy", "veth", {}, kBrDmz),
      interface(kVethApi, "veth-api", "veth", {}, kBrInt),
      interface(kVethDb, "veth-db", "veth", {}, kBrInt),
      interface(kEth1, "eth1", "", {"10.50.0.1/24"}),
      interface(kVethSolo, "veth-solo", "veth", {"10.99.0.1/30"}),
  });
  topology.neighbours[ip("172.20.1.10")] = {kBrDmz, kVethProxy, {6, 0, 0, 0, 0, 10}};
  topology.neighbours[ip("fd00:dead:beef:1::10")] = {kBrDmz, kVethProxy, {6, 0, 0, 0, 0, 10}};
  topology.neighbours[ip("172.20.2.11")] = {kBrInt, kVethApi, {6, 0, 0, 0, 0, 11}};
  topology.neighbours[ip("172.20.2.20")] = {kBrInt, kVethDb, {6, 0, 0, 0, 0, 20}};
  topology.neighbours[ip("10.99.0.2")] = {kVethSolo, 0, {6, 0, 0, 0, 0, 99}};
  return topology;
}

// A proxy in a DMZ, an application and a database behind it, a LAN behind eth1.
inline Policy podplay() {
  Policy policy;
  policy.name = "podplay";
  policy.host.uplinks = {"eth0"};
  policy.zones["lan"].subnets = {cidr("192.168.1.0/24"), cidr("fd00:1::/64")};
  policy.zones["dmz"].subnets = {cidr("172.20.1.0/24"), cidr("fd00:dead:beef:1::/64")};
  policy.zones["internal"].services = {"api", "db"};
  policy.zones["office"].interfaces = {"eth1"};
  policy.services["proxy"] = service({"172.20.1.10", "fd00:dead:beef:1::10"});
  policy.services["api"] = service({"172.20.2.11", "172.20.2.12"});
  policy.services["db"] = service({"172.20.2.20"});
  policy.services["solo"] = service({"10.99.0.2"});
  policy.services["dns"].host = true;
  policy.doors["http"] = door(8080, "proxy", 80, {"internet", "zone:lan"});
  policy.doors["local"] = door(8000, "api", 8000, {"host"});
  policy.doors["local"].address = ip("127.0.0.1");
  policy.doors["names"] = door(5353, "dns", 53, {"zone:lan"});
  policy.rules = {
      admin("zone:lan", "host", {tcp(22)}),      allow("proxy", "api", {tcp(8000)}),
      allow("api", "db", {tcp(5432)}),           allow("zone:office", "internet"),
      allow("zone:office", "proxy", {tcp(80)}),  allow("*", "host", {ping()}),
      allow("internet", "db", {tcp(5432)}),      block("203.0.113.0/24", "*"),
      block("192.168.1.66", "proxy", {tcp(80)}), block("zone:lan", "host", {tcp(22)}),
  };
  return policy;
}

inline Image must_compile(const Policy& policy, const Topology& topology, AccountBook& book) {
  auto image = compile(policy, topology, place(policy, topology), book);
  EXPECT_TRUE(image) << (image ? "" : image.error().message);
  return image ? *std::move(image) : Image{};
}

inline Image must_compile(const Policy& policy, const Topology& topology) {
  AccountBook book;
  return must_compile(policy, topology, book);
}

// The identity the kernel would find for an address.
inline fw_ident ident_of(const Image& image, std::string_view address) {
  const Address wanted = ip(address);
  const std::pair<Prefix, fw_ident>* best = nullptr;
  for (const auto& entry : image.identities)
    if (entry.first.contains(wanted) && (!best || best->first.length() < entry.first.length()))
      best = &entry;
  return best == nullptr ? fw_ident{} : best->second;
}

inline std::string zone_name(const Image& image, const fw_ident& ident) {
  return image.zones.at(ident.zone);
}

inline const fw_policy_entry* entry_at(const Image& image, const fw_policy_key& key) {
  for (const auto& [found, entry] : image.policy)
    if (std::memcmp(&found, &key, sizeof(key)) == 0) return &entry;
  return nullptr;
}

}  // namespace fw::compile::test
