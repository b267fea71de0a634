// SPDX-License-Identifier: GPL-2.0-only
#include "loader/compile/reach.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <set>

namespace fw::compile {
namespace {

using config::Peer;
using config::PortSet;
using config::RuleKind;

bool is_host(const End& end) {
  return (end.ident.flags & FW_IDENT_HOST) != 0;
}

std::string position(const config::Location& where) {
  return where.file + ":" + std::to_string(where.line) + " ";
}

std::uint8_t in_family(std::uint8_t proto, const Address& address) {
  return proto == IPPROTO_ICMP && !address.is_ipv4() ? std::uint8_t{IPPROTO_ICMPV6} : proto;
}

}  // namespace

Reach::Reach(const config::Policy& policy, const Offline& offline)
    : policy_(policy), offline_(offline), ends_(policy, offline.image), judge_(offline.image) {
  find_boundaries();
  find_doors();
}

void Reach::find_boundaries() {
  std::array<std::set<std::uint16_t>, 2> found;
  const auto& classes = offline_.image.ports;
  for (std::size_t port = 1; port < classes.size(); ++port) {
    if (classes[port].tcp != classes[port - 1].tcp)
      found[0].insert(static_cast<std::uint16_t>(port));
    if (classes[port].udp != classes[port - 1].udp)
      found[1].insert(static_cast<std::uint16_t>(port));
  }
  for (const auto& [key, door] : offline_.image.doors)
    for (const std::uint16_t port : {ntohs(key.port), ntohs(door.port)}) {
      auto& list = found[key.proto == IPPROTO_UDP ? 1 : 0];
      list.insert(port);
      if (port < 65535) list.insert(static_cast<std::uint16_t>(port + 1));
    }
  for (std::size_t i = 0; i < found.size(); ++i)
    boundaries_[i].assign(found[i].begin(), found[i].end());
}

const std::map<Address, std::uint32_t>& Reach::hashes(const fw_pool& pool) {
  const auto [known, fresh] = hashes_.try_emplace(pool.first);
  if (fresh)
    for (std::uint32_t hash = 0; hash < pool.size; ++hash)
      known->second.try_emplace(Address::from_abi(offline_.image.maglev[pool.first + hash].addr),
                                hash);
  return known->second;
}

void Reach::find_doors() {
  const auto machine = ends_.destinations(config::ZoneRef{"host"});
  for (const auto& [key, door] : offline_.image.doors) {
    if (door.pool.size == 0) continue;
    const Address bound = Address::from_abi(key.addr);
    for (const auto& [backend, hash] : hashes(door.pool)) {
      auto& paths = doors_[{backend, key.proto, ntohs(door.port)}];
      for (const End& own : machine)
        if (own.address.family() == backend.family() &&
            (bound.is_unspecified() || bound == own.address))
          paths.push_back({&door, own.address, ntohs(key.port), hash});
    }
  }
}

std::vector<Reach::PortProbe> Reach::probes(const std::vector<PortSet>& ports) const {
  static const std::vector<PortSet> kEverything = {
      {Proto::kIcmp, {}}, {Proto::kTcp, {1, 65535}}, {Proto::kUdp, {1, 65535}}};
  std::vector<PortProbe> result;
  for (const PortSet& set : ports.empty() ? kEverything : ports) {
    const auto proto = static_cast<std::uint8_t>(set.proto);
    result.push_back({proto, set.range.first});
    if (set.proto == Proto::kIcmp) continue;
    for (const std::uint16_t port : boundaries_[set.proto == Proto::kUdp ? 1 : 0])
      if (port > set.range.first && port <= set.range.last) result.push_back({proto, port});
  }
  if (ports.empty()) result.push_back({IPPROTO_GRE, 0});  // for every other protocol
  return result;
}

std::optional<JudgedFlow> Reach::through_doors(const JudgedFlow& direct) const {
  const auto found = doors_.find({direct.target, direct.probe.proto, direct.port});
  if (found == doors_.end()) return std::nullopt;
  for (const DoorPath& path : found->second) {
    JudgedFlow flow = direct;
    flow.probe.dst = path.dst;
    flow.probe.dport = path.dport;
    flow.probe.hash = path.hash;
    flow.judgement = judge_.judge(flow.probe);
    if (flow.judgement.allowed && flow.judgement.door &&
        flow.judgement.door->selector == path.door->selector)
      return flow;
  }
  return std::nullopt;
}

void Reach::ask_one(const End& from, const End& to, const PortProbe& port,
                    Reachable& answer) const {
  JudgedFlow flow;
  flow.target = to.address;
  flow.port = port.port;
  flow.probe = {from.address,
                to.address,
                in_family(port.proto, to.address),
                40000,
                port.port,
                from.origin,
                from.interface_zone,
                std::nullopt,
                0};
  flow.judgement = judge_.judge(flow.probe);
  std::vector<JudgedFlow> flows;
  if (flow.judgement.door && flow.judgement.backend) {
    for (const auto& [backend, hash] : hashes_.at(flow.judgement.door->pool.first)) {
      flow.probe.hash = hash;
      flow.judgement = judge_.judge(flow.probe);
      flows.push_back(flow);
    }
  } else {
    const auto by_door = flow.judgement.allowed ? std::nullopt : through_doors(flow);
    flows.push_back(by_door.value_or(flow));
  }
  for (const JudgedFlow& each : flows) {
    if (each.judgement.reason == FW_REASON_NO_ROUTE) continue;  // no backend in this family
    auto& example = each.judgement.allowed         ? answer.allowed
                    : is_exception(each.judgement) ? answer.excepted
                                                   : answer.denied;
    if (!example) example = each;
  }
}

Reachable Reach::ask(const Peer& from, const Peer& to, const std::vector<PortSet>& ports) const {
  Reachable answer;
  const auto sources = ends_.sources(from);
  const auto destinations = ends_.destinations(to);
  const auto port_probes = probes(ports);
  answer.too_many = sources.size() * destinations.size() * port_probes.size() > kMaxFlows;
  if (answer.too_many) return answer;
  for (const End& source : sources)
    for (const End& destination : destinations) {
      if (source.address.family() != destination.address.family()) continue;
      // The machine to itself: no packet passes the datapath.
      if (source.address == destination.address || (is_host(source) && is_host(destination)))
        continue;
      for (const PortProbe& port : port_probes) ask_one(source, destination, port, answer);
    }
  return answer;
}

// A block of a CIDR makes an exception from what is said of the wider peer around it; a block of a
// service or a zone contradicts it.
bool Reach::is_exception(const Judgement& judgement) const {
  return judgement.reason == FW_REASON_BLOCKED && judgement.key &&
         judgement.key->from == judgement.from.id && Prefix::parse(name_of(judgement.from));
}

std::string Reach::decider(const Judgement& judgement) const {
  const AccountName& account = offline_.book.names().at(judgement.account);
  if (account.kind == AccountName::Kind::kDoor)
    return position(policy_.doors.at(account.subject).where) + "publish '" + account.subject + "'";
  if (account.kind != AccountName::Kind::kRule && account.kind != AccountName::Kind::kBlock)
    return account.subject;
  const bool block = account.kind == AccountName::Kind::kBlock;
  for (const config::Rule& rule : policy_.rules)
    if (rule.text == account.subject && (rule.kind == RuleKind::kBlock) == block)
      return position(rule.where) + "'" + rule.text + "'";
  const std::string zone = account.subject.substr(0, account.subject.find(' '));
  if (const auto found = policy_.zones.find(zone); found != policy_.zones.end())
    return position(found->second.where) + "intra: allow";
  return account.subject;
}

const std::string& Reach::name_of(const fw_ident& ident) const {
  return offline_.image.identity_names.at(ident.id);
}

}  // namespace fw::compile
