// SPDX-License-Identifier: GPL-2.0-only
// The policy as values: what the file says, with every name resolved and every default filled in.
//
// Whatever can be wrong with a policy is refused before a Policy exists (config/parse.h), so code
// that holds one need not check it again. Each element keeps where it was written, for messages.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "loader/base/net.h"
#include "maps/flow.h"

namespace fw::config {

// Where in which file something was written; line and column count from 1. Line 0: nowhere (a
// default).
struct Location {
  std::string file;
  int line = 0;
  int column = 0;

  auto operator<=>(const Location&) const = default;
};

using Time = std::chrono::sys_seconds;

// Ports of one protocol. ICMP stands for echo ("ping") and has no range.
struct PortSet {
  Proto proto = Proto::kTcp;
  PortRange range;

  auto operator<=>(const PortSet&) const = default;
};

// One end of a flow.
struct Anyone {
  auto operator<=>(const Anyone&) const = default;
};
struct ZoneRef {
  std::string name;  // a key of Policy::zones, or "host" or "internet"
  auto operator<=>(const ZoneRef&) const = default;
};
struct ServiceRef {
  std::string name;  // a key of Policy::services
  auto operator<=>(const ServiceRef&) const = default;
};
using Peer = std::variant<Anyone, ZoneRef, ServiceRef, Prefix>;

// A bit of a word stands for each (compile/listed.h).
inline constexpr std::size_t kMaxLists = 64;

// A file of addresses, as `block` names it. By the million, so copies of a policy share it.
struct AddressList {
  std::string name;
  std::string file;
  std::vector<Prefix> prefixes;  // by family, then address; none within another
};

// New flows: `count` at once, and in each `unit` as many again.
struct Rate {
  std::uint32_t count = 0;
  std::chrono::seconds unit{1};
  bool per_source = false;  // each source has its own; an IPv6 source is a /64

  auto operator<=>(const Rate&) const = default;
};

enum class RuleKind { kAdmin, kAllow, kBlock };

// `FROM -> TO[:PORTS]`. A line with several FROM or TO is one Rule with several peers.
struct Rule {
  RuleKind kind = RuleKind::kAllow;
  std::vector<Peer> from;
  std::vector<Peer> to;
  std::vector<PortSet> ports;  // empty: every port and protocol
  std::optional<Rate> limit;   // of an allow
  std::string text;            // canonical spelling: "proxy -> api:8000/tcp"; the counter's name
  std::string comment;
  std::shared_ptr<const AddressList> list;  // of a block: only those of `from` that are in it
  std::optional<Time> until;                // not in force from then on
  Location where;
};

enum class Datapath { kAuto, kXdp, kTc };

struct Zone {
  std::vector<Prefix> subnets;
  std::vector<std::string> networks;  // of container engines; their subnets are the zone's
  std::vector<std::string> interfaces;
  std::vector<std::string> services;
  bool intra_allowed = false;
  // Unset: the default, which is true for a zone whose members are containers.
  std::optional<bool> masquerade;
  Location where;
};

// The containers of one service of a compose project.
struct ComposeRef {
  std::string project;
  std::string service;
  auto operator<=>(const ComposeRef&) const = default;
};

struct Service {
  bool host = false;  // runs in the host's own network
  std::vector<Address> addresses;
  // Containers by name: a container engine says where they are (compile/bind.h).
  std::string container;  // empty: none
  std::optional<ComposeRef> compose;
  [[nodiscard]] bool follows_engine() const { return !container.empty() || compose; }
  std::map<std::string, std::vector<PortSet>> ports;  // "dns" -> {tcp 53, udp 53}
  Location where;
};

// publish: host:PORT (or ADDRESS:PORT) is translated to the service's port.
struct Door {
  std::optional<PortRange> router_port;  // what the router in front maps; for people, not enforced
  std::optional<Address> address;        // unset: every address of this machine
  std::string service;
  // Same size on both sides, mapped one to one; one entry per protocol.
  struct Mapping {
    Proto proto = Proto::kTcp;
    PortRange host;
    PortRange target;
    auto operator<=>(const Mapping&) const = default;
  };
  std::vector<Mapping> mappings;
  std::vector<Peer> from;  // on a loopback address: the host
  std::optional<Rate> limit;
  std::string text;           // canonical spelling: "http: host:8080/tcp -> proxy:80"
  std::optional<Time> until;  // not in force from then on
  Location where;

  [[nodiscard]] bool is_loopback() const { return address && address->is_loopback(); }
  // The ports of the service.
  [[nodiscard]] std::vector<PortSet> targets() const {
    std::vector<PortSet> ports;
    for (const Mapping& mapping : mappings) ports.push_back({mapping.proto, mapping.target});
    return ports;
  }
};

struct Host {
  std::vector<std::string> uplinks;
  std::map<std::string, Datapath> datapath;
  bool egress_allowed = true;
  Location where;
};

// What a test asks about: `TO[:PORTS]`.
struct Target {
  Peer to;
  std::vector<PortSet> ports;  // empty: every port and protocol
  Location where;
};

// tests: what must and what must not be reachable, whatever the rules say.
struct Test {
  std::string name;
  std::vector<Peer> from;  // each of them must be answered as expected
  std::vector<Target> allow;
  std::vector<Target> deny;
  Location where;
};

// What the sender of a denied packet hears.
enum class Denial { kDrop, kReject };

struct Limits {
  std::optional<Rate> syn;      // new TCP flows, over all doors
  std::uint32_t max_flows = 0;  // at once; 0: as many as the tables hold
  std::uint32_t max_flows_per_source = 0;
  std::map<fw_flow_state, std::chrono::seconds> timeouts;  // those that are not the default
};

struct Policy {
  std::string name = "fwd";
  Host host;
  std::map<std::string, Zone> zones;
  std::map<std::string, Service> services;
  std::map<std::string, Door> doors;
  std::vector<Rule> rules;  // admin, allow and block; their order means nothing
  Denial denial = Denial::kDrop;
  Limits limits;
  std::vector<Test> tests;  // in the order of the file
};

}  // namespace fw::config
