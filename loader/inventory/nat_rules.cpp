// SPDX-License-Identifier: GPL-2.0-only
// A walk from each prerouting chain through jumps, collecting what the matches on the way demand.
#include "loader/inventory/nat_rules.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <tuple>

#include "loader/inventory/json.h"

namespace fw::inventory {
namespace {

constexpr unsigned kMaxJumps = 16;  // the kernel's own limit
constexpr PortRange kEveryPort{1, std::numeric_limits<std::uint16_t>::max()};

using Name = std::tuple<std::string, std::string, std::string>;  // family, table, name

Name name_of(const Json& object, const char* name) {
  return {text(member(object, "family")), text(member(object, "table")),
          text(member(object, name))};
}

bool is_port(const Json& value) {
  return value.is_number_unsigned() &&
         value.get<std::uint64_t>() <= std::numeric_limits<std::uint16_t>::max();
}

// The elements of a set, or the one value.
std::vector<Json> elements(const Json& value) {
  const Json& set = member(value, "set");
  if (!set.is_array()) return {value};
  return {set.begin(), set.end()};
}

std::optional<PortRange> port_range(const Json& value) {
  if (is_port(value)) return PortRange{value.get<std::uint16_t>(), value.get<std::uint16_t>()};
  const Json& range = member(value, "range");
  if (!range.is_array() || range.size() != 2 || !is_port(range[0]) || !is_port(range[1]))
    return std::nullopt;
  return PortRange{range[0].get<std::uint16_t>(), range[1].get<std::uint16_t>()};
}

std::vector<Proto> protocols(const Json& value) {
  std::vector<Proto> found;
  for (const Json& each : elements(value)) {
    if (each == "tcp" || each == 6) found.push_back(Proto::kTcp);
    if (each == "udp" || each == 17) found.push_back(Proto::kUdp);
  }
  return found;
}

// What the rules on the way to a target demand of a packet. Empty lists demand nothing.
struct Demand {
  std::vector<Proto> protos;
  std::vector<PortRange> ports;
  std::vector<Address> addresses;
  std::string interface;
  bool hidden_ports = false;  // a match that nft does not spell out
  bool impossible = false;    // no packet from outside is like that
};

bool is_dport(const Json& payload) {
  return member(payload, "field") == "dport";
}

// Rules one after the other: what both of them demand.
std::vector<PortRange> both(const std::vector<PortRange>& some,
                            const std::vector<PortRange>& more) {
  std::vector<PortRange> both;
  for (const PortRange& a : some)
    for (const PortRange& b : more) {
      const PortRange shared{std::max(a.first, b.first), std::min(a.last, b.last)};
      if (shared.first <= shared.last) both.push_back(shared);
    }
  return both;
}

std::vector<Address> both(const std::vector<Address>& some, const std::vector<Address>& more) {
  std::vector<Address> both;
  std::copy_if(some.begin(), some.end(), std::back_inserter(both), [&](const Address& address) {
    return std::find(more.begin(), more.end(), address) != more.end();
  });
  return both;
}

template <class T>
void narrow(std::vector<T>& demanded, const std::vector<T>& more, Demand& demand) {
  if (demanded.empty()) {
    demanded = more;
    return;
  }
  demanded = both(demanded, more);
  demand.impossible |= demanded.empty();
}

void demand_ports(const Json& payload, const std::vector<Json>& values, Demand& demand) {
  const auto protos = protocols(member(payload, "protocol"));
  if (!protos.empty()) demand.protos = protos;
  std::vector<PortRange> ports;
  for (const Json& each : values)
    if (const auto range = port_range(each)) ports.push_back(*range);
  // A named set, or whatever else has no ports to read.
  if (ports.empty())
    demand.hidden_ports = true;
  else
    narrow(demand.ports, ports, demand);
}

void demand_addresses(const Json& right, Demand& demand) {
  std::vector<Address> addresses;
  for (const Json& each : elements(right))
    if (const auto address = Address::parse(text(each))) addresses.push_back(*address);
  if (!addresses.empty()) narrow(demand.addresses, addresses, demand);
}

void add_match(const Json& match, Demand& demand) {
  if (member(match, "op") != "==") return;
  const Json& left = member(match, "left");
  const Json& right = member(match, "right");
  const Json& payload = member(left, "payload");
  const Json& key = member(member(left, "meta"), "key");
  if (is_dport(payload)) return demand_ports(payload, elements(right), demand);
  if (member(payload, "field") == "daddr") return demand_addresses(right, demand);
  if (key == "l4proto" || member(payload, "field") == "protocol") demand.protos = protocols(right);
  if (key != "iifname" && key != "iif") return;
  if (right == "lo") demand.impossible = true;
  demand.interface = text(right);
}

// {"xt": {"type": "match", "name": "multiport"}}: iptables' own matches. These say nothing of
// ports.
void add_opaque_match(const Json& xt, Demand& demand) {
  static const std::set<std::string> kWithoutPorts = {"addrtype", "comment", "conntrack",
                                                      "mark",     "limit",   "set"};
  if (member(xt, "type") == "match" && !kWithoutPorts.contains(text(member(xt, "name"))))
    demand.hidden_ports = true;
}

bool is_nat_target(const Json& xt) {
  const std::string name = text(member(xt, "name"));
  return member(xt, "type") == "target" && (name == "DNAT" || name == "REDIRECT");
}

std::string target_text(const Json& addr, const Json& port) {
  std::string address = text(addr);
  const std::string number = port.is_number() ? port.dump() : "";
  if (number.empty()) return address;
  const bool ipv6 = address.find(':') != std::string::npos;
  return (ipv6 ? "[" + address + "]" : address) + ":" + number;
}

class Walk {
 public:
  explicit Walk(const Json& items) {
    for (const Json& item : items) {
      if (const Json& chain = member(item, "chain"); chain.is_object()) add_chain(chain);
      if (const Json& rule = member(item, "rule"); rule.is_object())
        rules_[name_of(rule, "chain")].push_back(&rule);
      if (const Json& map = member(item, "map"); map.is_object())
        maps_[name_of(map, "name")] = &member(map, "elem");
    }
  }

  NatRules run() {
    for (const Name& chain : entries_) visit(chain, {}, 0);
    return std::move(found_);
  }

 private:
  void add_chain(const Json& chain) {
    const Json& hook = member(chain, "hook");
    if (hook == "prerouting" && member(chain, "type") == "nat")
      entries_.push_back(name_of(chain, "name"));
    if (hook == "input" && member(chain, "type") == "filter") found_.filters_input = true;
  }

  void visit(const Name& chain, const Demand& so_far, unsigned jumps) {
    const auto rules = rules_.find(chain);
    if (rules == rules_.end() || jumps > kMaxJumps) return;
    for (const Json* rule : rules->second) {
      Demand demand = so_far;
      for (const Json& expression : member(*rule, "expr")) step(*rule, expression, demand, jumps);
    }
  }

  void step(const Json& rule, const Json& expression, Demand& demand, unsigned jumps) {
    const Json& xt = member(expression, "xt");
    if (const Json& match = member(expression, "match"); match.is_object())
      add_match(match, demand);
    else if (is_nat_target(xt))
      lead(rule, demand, "");
    else if (xt.is_object())
      add_opaque_match(xt, demand);
    for (const char* way : {"jump", "goto"}) jump(rule, member(expression, way), demand, jumps);
    if (const Json& vmap = member(expression, "vmap"); vmap.is_object())
      jump_by_map(rule, vmap, demand, jumps);
    for (const char* statement : {"dnat", "redirect"})
      if (expression.is_object() && expression.contains(statement))
        translate(rule, member(expression, statement), demand);
  }

  void jump(const Json& rule, const Json& to, const Demand& demand, unsigned jumps) {
    if (!to.is_object()) return;
    Name target = name_of(rule, "chain");
    std::get<2>(target) = text(member(to, "target"));
    visit(target, demand, jumps + 1);
  }

  void jump_by_map(const Json& rule, const Json& vmap, const Demand& demand, unsigned jumps) {
    const Json& payload = member(member(vmap, "key"), "payload");
    for (const Json& element : map_elements(rule, member(vmap, "data"))) {
      if (!element.is_array() || element.size() != 2) continue;
      Demand next = demand;
      if (is_dport(payload))
        demand_ports(payload, {element[0]}, next);
      else
        next.hidden_ports = true;
      for (const char* way : {"jump", "goto"}) jump(rule, member(element[1], way), next, jumps);
    }
  }

  // Pairs of a map, written in place or by name ("@portmap").
  std::vector<Json> map_elements(const Json& rule, const Json& map) {
    const std::string reference = text(map);
    if (!reference.starts_with('@')) return elements(map);
    Name name = name_of(rule, "chain");
    std::get<2>(name) = reference.substr(1);
    const auto found = maps_.find(name);
    if (found == maps_.end() || !found->second->is_array()) return {};
    return {found->second->begin(), found->second->end()};
  }

  void translate(const Json& rule, const Json& to, const Demand& demand) {
    const Json& map = member(member(to, "addr"), "map");
    if (!map.is_object())
      return lead(rule, demand, target_text(member(to, "addr"), member(to, "port")));
    const Json& payload = member(member(map, "key"), "payload");
    if (!is_dport(payload)) return lead(rule, demand, "");
    for (const Json& element : map_elements(rule, member(map, "data"))) {
      if (!element.is_array() || element.size() != 2) continue;
      Demand one = demand;
      demand_ports(payload, {element[0]}, one);
      const Json& pair = member(element[1], "concat");
      lead(rule, one,
           pair.is_array() && pair.size() == 2 ? target_text(pair[0], pair[1])
                                               : target_text(element[1], {}));
    }
  }

  void lead(const Json& rule, const Demand& demand, const std::string& to) {
    if (demand.impossible) return;
    const auto& [family, table, chain] = name_of(rule, "chain");
    Redirect redirect;
    redirect.rule = family + " " + table + " " + chain + " handle " + member(rule, "handle").dump();
    redirect.interface = demand.interface;
    redirect.to = to;
    if (family != "inet") redirect.family = family == "ip6" ? Family::kIpv6 : Family::kIpv4;
    if (demand.ports.empty() && demand.hidden_ports) {
      found_.unclear.push_back("the nft rule " + redirect.rule +
                               " leads to somewhere else, but nft does not tell which ports; see "
                               "'nft -a list chain " +
                               family + " " + table + " " + chain + "'");
      return;
    }
    for (const Proto proto : or_all(demand.protos, {Proto::kTcp, Proto::kUdp}))
      for (const PortRange& ports : or_all(demand.ports, {kEveryPort}))
        emit(redirect, demand, proto, ports);
  }

  template <class T>
  static std::vector<T> or_all(const std::vector<T>& some, std::vector<T> all) {
    return some.empty() ? std::move(all) : some;
  }

  void emit(Redirect redirect, const Demand& demand, Proto proto, const PortRange& ports) {
    redirect.proto = proto;
    redirect.ports = ports;
    if (demand.addresses.empty()) found_.redirects.push_back(redirect);
    for (const Address& address : demand.addresses) {
      redirect.address = address;
      found_.redirects.push_back(redirect);
    }
  }

  std::vector<Name> entries_;
  std::map<Name, std::vector<const Json*>> rules_;
  std::map<Name, const Json*> maps_;
  NatRules found_;
};

}  // namespace

Result<NatRules> read_nat_rules(std::string_view ruleset) {
  const auto json = Json::parse(ruleset, nullptr, false);
  const Json& items = member(json, "nftables");
  if (!items.is_array())
    return Error{"reading the rules of nft: its answer is not the JSON of nft"};
  return Walk{items}.run();
}

}  // namespace fw::inventory
