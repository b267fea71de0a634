// SPDX-License-Identifier: GPL-2.0-only
// Few names and few ports, so that rules meet, and packets meet rules.
#include "tests/packet/model_policies.h"

#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <vector>

namespace fw::test {
namespace {

bool chance(Random& random, double probability) {
  return std::bernoulli_distribution{probability}(random);
}

template <class Range>
const auto& pick(Random& random, const Range& range) {
  return range[std::uniform_int_distribution<std::size_t>(0, std::size(range) - 1)(random)];
}

constexpr std::array kPorts = {
    "",        ":80",     ":22",   ":8000-8010",   ":53/udp", ":ping",  ":53/tcp+udp",
    ":80,443", ":1-1024", ":5432", ":1-65535/udp", ":8000",   ":80/udp"};
constexpr std::array kAlways = {"office",
                                "web",
                                "api",
                                "db",
                                "known",
                                "host",
                                "internet",
                                "*",
                                "198.51.100.0/25",
                                "203.0.113.0/24",
                                "172.20.1.0/24",
                                "172.20.1.11",
                                "10.50.0.0/25",
                                "192.168.1.50",
                                "2001:db8:1::/64",
                                "fd00:dead:beef:1::/64",
                                "0.0.0.0/0",
                                "172.20.3.99",
                                "172.20.3.11",
                                "fd00:dead:beef:2::21"};

struct Writer {
  Random& random;
  std::vector<std::string> peers{kAlways.begin(), kAlways.end()};
  std::string zones{};

  void zone(const std::string& name, const std::string& content) {
    zones += "  " + name + ": {" + content;
    if (chance(random, 0.3)) zones += ", intra: allow";
    if (chance(random, 0.3))
      zones += chance(random, 0.5) ? ", masquerade: true" : ", masquerade: false";
    zones += "}\n";
    peers.push_back(name);
  }

  [[nodiscard]] std::string flow() const {
    return "  - \"" + pick(random, peers) + " -> " + pick(random, peers) + pick(random, kPorts) +
           "\"\n";
  }

  [[nodiscard]] std::string doors() const {
    constexpr std::array kTargets = {"web:http", "api:8000", "db:5432",
                                     "known:80", "web:dns",  "own:22"};
    constexpr std::array kHosts = {
        "8080", "80", "5353", "5432", "\"172.20.1.1:8080\"", "\"192.168.1.100:443\""};
    std::string doors;
    for (std::size_t i = 0; i < kHosts.size(); ++i) {
      if (chance(random, 0.4)) continue;
      doors += "  d" + std::to_string(i) + ": {host: " + kHosts.at(i) + ", to: \"" +
               pick(random, kTargets) + "\", from: [\"" + pick(random, peers) + "\", \"" +
               pick(random, peers) + "\"]}\n";
    }
    return doors;
  }
};

struct Place {
  At at;
  std::vector<const char*> sources;
};

// Whose packets may come from where without being martians.
const std::vector<Place>& places() {
  static const std::vector<Place> kAll = {
      {At::kTcUp,
       {kClient, "198.51.100.200", "203.0.113.5", "8.8.8.8", kLanClient, "192.168.1.7", kClientV6,
        "2001:db8:9::9", "fd00:1::50"}},
      {At::kTcLan, {kOffice, "10.50.0.200", "10.60.0.5", "fd00:50::7", "2001:db8:77::7"}},
      {At::kFromWeb, {kWeb, "172.20.1.77", kWebV6, "fd00:dead:beef:1::77"}},
      {At::kFromApi, {kApi, "fd00:dead:beef:1::11"}},
      {At::kFromDb, {kDb, "172.20.2.99", kDbV6}},
      {At::kFromKnown, {kKnown, kStranger}},
      {At::kOutUp, {kSelf, kSelfV6, "10.50.0.1", "172.20.1.1"}},
      {At::kOutWeb, {"172.20.1.1", "fd00:dead:beef:1::1", kSelf}},
  };
  return kAll;
}

// Whose packets may come from nowhere.
constexpr std::array kForged = {"127.0.0.1", "0.0.0.0", "224.0.0.1", "::1", "ff02::1", kSelf};

constexpr std::array kDestinations = {kClient,
                                      "198.51.100.200",
                                      "203.0.113.5",
                                      "8.8.8.8",
                                      kLanClient,
                                      kSelf,
                                      kSelf,
                                      kSelf,
                                      "172.20.1.1",
                                      "10.50.0.1",
                                      kOffice,
                                      kWeb,
                                      kWeb,
                                      kApi,
                                      kDb,
                                      kKnown,
                                      kStranger,
                                      "172.20.1.77",
                                      "172.20.3.11",
                                      "224.0.0.251",
                                      "255.255.255.255",
                                      "127.0.0.1"};
constexpr std::array kDestinationsV6 = {kClientV6,
                                        "2001:db8:9::9",
                                        "fd00:1::50",
                                        kSelfV6,
                                        kSelfV6,
                                        kSelfV6,
                                        kWebV6,
                                        "fd00:dead:beef:1::11",
                                        "fd00:dead:beef:1::1",
                                        kDbV6,
                                        "fd00:50::7",
                                        "fd00:dead:beef:1::77",
                                        "fd00:dead:beef:2::21",
                                        "ff02::fb",
                                        "::1"};
constexpr std::array<std::uint16_t, 12> kProbePorts = {80,   22,   443,  53,   5353, 8080,
                                                       8000, 8005, 5432, 1024, 1025, 9999};

Eth link_to(At at) {
  switch (at) {
    case At::kTcUp:
      return at_up();
    case At::kTcLan:
      return at_lan();
    case At::kFromDb:
      return at_vdb();
    case At::kFromKnown:
      return at_vknown();
    case At::kOutUp:
      return from_host();
    case At::kOutWeb:
      return to_web();
    default:
      return at_bridge();
  }
}

fw_origin origin_of(At at) {
  if (at == At::kTcUp || at == At::kTcLan) return FW_FROM_WIRE;
  return at == At::kOutUp || at == At::kOutWeb ? FW_FROM_HOST : FW_FROM_CONTAINER;
}

std::uint16_t zone_number(const compile::Image& image, const std::string& name) {
  const auto found = std::find(image.zones.begin(), image.zones.end(), name);
  return static_cast<std::uint16_t>(found - image.zones.begin());
}

Packet transport_of(const compile::Probe& probe) {
  if (probe.proto == IPPROTO_TCP)
    return Tcp{.sport = probe.sport, .dport = probe.dport, .syn = true};
  if (probe.proto == IPPROTO_UDP) return Udp{.sport = probe.sport, .dport = probe.dport};
  if (probe.proto == IPPROTO_GRE) return filler(8);
  return Icmp{.type = static_cast<std::uint8_t>(probe.src.is_ipv4() ? 8 : 128), .id = probe.sport};
}

}  // namespace

std::string random_policy(Random& random) {
  Writer writer{random};
  writer.zones += "  office: {interfaces: [lan0]}\n";
  if (chance(random, 0.7)) writer.zone("lan", "subnets: [192.168.1.0/24, \"fd00:1::/64\"]");
  if (chance(random, 0.4))
    writer.zone("partner", "subnets: [198.51.100.0/24, \"2001:db8:1::/48\"]");
  if (chance(random, 0.5))
    writer.zone("dmz", "subnets: [172.20.1.0/24, \"fd00:dead:beef:1::/64\"]");
  else
    writer.zone("front", chance(random, 0.5) ? "services: [web]" : "services: [web, api]");
  if (chance(random, 0.5)) writer.zone("internal", "services: [db]");

  std::string policy = "version: 1\nname: random\nhost:\n  uplinks: [up0]\n";
  policy += "  datapath: {up0: xdp, lan0: xdp}\n";
  policy += std::string{"  egress: "} + (chance(random, 0.7) ? "allow" : "deny") + "\n";
  if (chance(random, 0.5))
    policy += "  admin: [\"" + pick(random, writer.peers) + " -> host:22\"]\n";
  policy += "zones:\n" + writer.zones;
  policy +=
      "services:\n"
      "  web: {addresses: [172.20.1.10, \"fd00:dead:beef:1::10\"], ports: {http: 80, dns: "
      "53/udp}}\n"
      "  api: {addresses: [172.20.1.11, \"fd00:dead:beef:1::11\"]}\n"
      "  db: {addresses: [172.20.2.20, \"fd00:dead:beef:2::20\", \"fd00:dead:beef:2::21\"]}\n"
      "  known: {addresses: [172.20.3.10, 172.20.3.11]}\n"
      "  own: {host: true}\n";
  if (const std::string doors = writer.doors(); !doors.empty()) policy += "publish:\n" + doors;
  policy += "allow:\n";
  for (int i = 0; i < 12; ++i) policy += writer.flow();
  if (chance(random, 0.7)) {
    policy += "block:\n";
    for (int i = 0; i < 3; ++i) policy += writer.flow();
  }
  return policy;
}

ModelProbe random_probe(Random& random, const compile::Image& image, std::uint16_t number) {
  constexpr std::array<std::uint8_t, 12> kProtocols = {
      IPPROTO_TCP, IPPROTO_TCP, IPPROTO_TCP, IPPROTO_TCP,  IPPROTO_TCP,  IPPROTO_TCP,
      IPPROTO_UDP, IPPROTO_UDP, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_ICMP, IPPROTO_GRE};
  ModelProbe made;
  const Place& place = pick(random, places());
  made.at = place.at;
  compile::Probe& probe = made.probe;
  const std::string src = chance(random, 0.02)  ? pick(random, kForged)
                          : chance(random, 0.1) ? pick(random, pick(random, places()).sources)
                                                : pick(random, place.sources);
  const bool v6 = src.find(':') != std::string::npos;
  const std::string dst = v6 ? pick(random, kDestinationsV6) : pick(random, kDestinations);
  probe.src = *Address::parse(src);
  probe.dst = *Address::parse(dst);
  probe.proto = pick(random, kProtocols);
  probe.sport = static_cast<std::uint16_t>(20000 + number);
  const bool has_ports = probe.proto == IPPROTO_TCP || probe.proto == IPPROTO_UDP;
  probe.dport = has_ports ? pick(random, kProbePorts) : std::uint16_t{0};
  probe.origin = origin_of(made.at);
  probe.interface_zone =
      made.at == At::kTcLan ? zone_number(image, "office") : std::uint16_t{FW_ZONE_INTERNET};
  const auto other = probe.proto == IPPROTO_GRE ? std::optional{probe.proto} : std::nullopt;
  const Packet network = v6 ? Packet{Ip6{.src = src, .dst = dst, .next = other}}
                            : Packet{Ip4{.src = src, .dst = dst, .proto = other}};
  made.frame = link_to(made.at) / network / transport_of(probe);
  return made;
}

}  // namespace fw::test
