// SPDX-License-Identifier: GPL-2.0-only
// One key for each port of a door and family; the doors of one service share its backend tables.
#include "loader/compile/doors.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <tuple>

#include "loader/compile/judge.h"
#include "loader/compile/maglev.h"

namespace fw::compile {
namespace {

using config::Policy;

struct Backends {
  std::uint32_t service = 0;
  std::array<fw_pool, FW_FAMILIES> pools{};
};

class DoorCompiler {
 public:
  DoorCompiler(const Policy& policy, const Identities& identities, const PortClasses& ports)
      : policy_(policy), identities_(identities), ports_(ports) {}

  Result<Doors> run() {
    std::uint32_t number = 0;
    for (const auto& [name, door] : policy_.doors) {
      const std::uint32_t selector = FW_SEL_DOOR | ++number;
      doors_.lines.push_back({FW_ALLOW,
                              AccountName::Kind::kDoor,
                              name,
                              users(door),
                              {selector},
                              {FW_PORTS_ANY},
                              identities_.zone_of_service(door.service),
                              door.limit});
      if (!policy_.services.at(door.service).host) doors_.lines.push_back(own_line(name, door));
      for (const auto& mapping : door.mappings)
        if (auto added = add(name, door, mapping, selector); !added) return added.error();
    }
    for (const auto& [order, keyed] : keys_) doors_.doors.emplace_back(keyed.key, keyed.door);
    std::sort(doors_.members.begin(), doors_.members.end(),
              [](const auto& left, const auto& right) {
                return std::tuple{left.service, Address::from_abi(left.addr)} <
                       std::tuple{right.service, Address::from_abi(right.addr)};
              });
    return std::move(doors_);
  }

 private:
  struct Keyed {
    fw_door_key key;
    fw_door door;
    std::string name;
  };

  // Whom it names, and this machine's own processes. What the internet may use, the machine's
  // containers may, too.
  [[nodiscard]] std::vector<std::uint32_t> users(const config::Door& door) const {
    std::set<std::uint32_t> users{FW_SEL_ZONE | FW_ZONE_HOST};
    const auto add = [&](const auto& selectors) {
      users.insert(selectors.begin(), selectors.end());
    };
    add(identities_.selectors(door.from));
    if (std::ranges::count(door.from, config::Peer{config::ZoneRef{"internet"}}) > 0)
      add(identities_.containers());
    return {users.begin(), users.end()};
  }

  // The packets of a process that used the door: they go straight to the backend.
  [[nodiscard]] Line own_line(const std::string& name, const config::Door& door) const {
    return {FW_ALLOW,
            AccountName::Kind::kDoor,
            name,
            {FW_SEL_ZONE | FW_ZONE_HOST},
            identities_.selectors({config::ServiceRef{door.service}}),
            ports_.classes(door.targets()),
            std::nullopt,
            door.limit};
  }

  Result<void> add(const std::string& name, const config::Door& door,
                   const config::Door::Mapping& mapping, std::uint32_t selector) {
    const Backends& backends = backends_of(door.service);
    for (unsigned offset = 0; offset < mapping.host.size(); ++offset)
      for (const Family family : {Family::kIpv4, Family::kIpv6}) {
        if (door.address && door.address->family() != family) continue;
        const auto host_port = static_cast<std::uint16_t>(mapping.host.first + offset);
        const auto target_port = static_cast<std::uint16_t>(mapping.target.first + offset);

        Keyed keyed{{}, {}, name};
        if (door.address) keyed.key.addr = door.address->to_abi();
        keyed.key.port = htons(host_port);
        keyed.key.proto = static_cast<std::uint8_t>(mapping.proto);
        keyed.key.family = static_cast<std::uint8_t>(family);
        keyed.door.selector = selector;
        keyed.door.service = backends.service;
        keyed.door.pool = backends.pools[static_cast<std::size_t>(family)];
        keyed.door.port = htons(target_port);
        if (policy_.services.at(door.service).host) keyed.door.flags = FW_DOOR_LOCAL;

        const auto [taken, fresh] = keys_.try_emplace(door_order(keyed.key), keyed);
        if (!fresh) return collision(taken->second.name, name, host_port, mapping.proto);
      }
    return {};
  }

  static Error collision(const std::string& first, const std::string& second, std::uint16_t port,
                         Proto proto) {
    return {"compiling the policy: publish '" + first + "' and publish '" + second +
            "' both open port " + std::to_string(port) + "/" + std::string{to_string(proto)} +
            "; give one of them another port or address"};
  }

  const Backends& backends_of(const std::string& name) {
    const auto [known, fresh] = backends_.try_emplace(name);
    if (!fresh) return known->second;

    Backends& backends = known->second;
    const auto service = policy_.services.find(name);
    backends.service =
        static_cast<std::uint32_t>(std::distance(policy_.services.begin(), service)) + 1;
    if (service->second.host) return backends;
    std::array<std::vector<Address>, FW_FAMILIES> by_family;
    for (const Address& address : service->second.addresses)
      by_family[static_cast<std::size_t>(address.family())].push_back(address);
    for (std::size_t family = 0; family < by_family.size(); ++family)
      backends.pools[family] = add_pool(backends.service, by_family[family]);
    return backends;
  }

  fw_pool add_pool(std::uint32_t service, std::vector<Address>& addresses) {
    std::sort(addresses.begin(), addresses.end());
    addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
    for (const Address& address : addresses) doors_.members.push_back({service, address.to_abi()});

    const std::vector<Address> table = maglev_table(addresses);
    if (table.empty()) return {};
    const fw_pool pool{static_cast<std::uint32_t>(doors_.maglev.size()),
                       static_cast<std::uint32_t>(table.size())};
    for (const Address& address : table) doors_.maglev.push_back({address.to_abi()});
    return pool;
  }

  const Policy& policy_;
  const Identities& identities_;
  const PortClasses& ports_;
  Doors doors_;
  std::map<DoorOrder, Keyed> keys_;
  std::map<std::string, Backends> backends_;
};

}  // namespace

Result<Doors> compile_doors(const Policy& policy, const Identities& identities,
                            const PortClasses& ports) {
  return DoorCompiler{policy, identities, ports}.run();
}

void open_to_own_processes(Image& image) {
  std::vector<Address> own = {Address::from_ipv4(INADDR_LOOPBACK),
                              Address::from_bytes(Family::kIpv6, &in6addr_loopback)};
  for (const auto& [prefix, ident] : image.identities)
    if ((ident.flags & FW_IDENT_HOST) != 0) own.push_back(prefix.address());

  const Judge judge{image};
  for (auto& [key, door] : image.doors) {
    const Address bound = Address::from_abi(key.addr);
    const auto is_kept_out_at = [&, &key = key, &door = door](const Address& address) {
      if (!bound.is_unspecified() && bound != address) return false;
      if (address.family() != static_cast<Family>(key.family)) return false;
      Probe probe;
      probe.src = probe.dst = address;
      probe.proto = key.proto;
      probe.dport = ntohs(key.port);
      probe.origin = FW_FROM_HOST;
      const Judgement judgement = judge.judge(probe);
      return !judgement.door ||
             (judgement.door->selector == door.selector && judgement.reason == FW_REASON_BLOCKED);
    };
    if (std::ranges::none_of(own, is_kept_out_at)) door.flags |= FW_DOOR_OWN;
  }
}

}  // namespace fw::compile
