// SPDX-License-Identifier: GPL-2.0-only
// May this peer reach that one? Asks the judge about one address of each kind that the two cover,
// at one port of each class, by every path: directly, and through each door that leads there.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "loader/compile/ends.h"
#include "loader/compile/judge.h"
#include "loader/compile/offline.h"
#include "loader/config/model.h"

namespace fw::compile {

// One question to the judge, and its answer.
struct JudgedFlow {
  Probe probe;
  Address target;          // who is to be reached; not probe.dst when the path is a door
  std::uint16_t port = 0;  // of the target; 0 where the protocol has none
  Judgement judgement;
};

// Examples of each answer that some of the flows got; the first that was found.
struct Reachable {
  std::optional<JudgedFlow> allowed;
  std::optional<JudgedFlow> denied;
  // Denied by a block of a CIDR that the source is in: "all but these".
  std::optional<JudgedFlow> excepted;
  bool too_many = false;  // more than kMaxFlows; none was asked
};

class Reach {
 public:
  // Bounds the time of one question to some seconds.
  static constexpr std::size_t kMaxFlows = 1U << 22U;

  // Both must outlive it.
  Reach(const config::Policy& policy, const Offline& offline);

  [[nodiscard]] Reachable ask(const config::Peer& from, const config::Peer& to,
                              const std::vector<config::PortSet>& ports) const;
  // Who decided: "fwd.yaml:14 'api -> db:5432/tcp'", "fwd.yaml:9 publish 'http'", or "NO_RULE".
  [[nodiscard]] std::string decider(const Judgement& judgement) const;
  // What the image calls an address: "proxy", "10.0.1.0/24", "internet".
  [[nodiscard]] const std::string& name_of(const fw_ident& ident) const;

 private:
  struct PortProbe {
    std::uint8_t proto;
    std::uint16_t port;
  };
  // A way to a backend: what the client asks for, and the hash that chooses this backend.
  struct DoorPath {
    const fw_door* door;
    Address dst;
    std::uint16_t dport;
    std::uint32_t hash;
  };
  using Backend = std::tuple<Address, std::uint8_t, std::uint16_t>;

  void find_boundaries();
  void find_doors();
  [[nodiscard]] const std::map<Address, std::uint32_t>& hashes(const fw_pool& pool);
  [[nodiscard]] std::vector<PortProbe> probes(const std::vector<config::PortSet>& ports) const;
  void ask_one(const End& from, const End& to, const PortProbe& port, Reachable& answer) const;
  [[nodiscard]] bool is_exception(const Judgement& judgement) const;
  [[nodiscard]] std::optional<JudgedFlow> through_doors(const JudgedFlow& direct) const;

  const config::Policy& policy_;
  const Offline& offline_;
  Ends ends_;
  Judge judge_;
  std::array<std::vector<std::uint16_t>, 2> boundaries_;  // TCP, UDP: where a new answer may begin
  std::map<std::uint32_t, std::map<Address, std::uint32_t>> hashes_;  // by fw_pool.first
  std::map<Backend, std::vector<DoorPath>> doors_;
};

}  // namespace fw::compile
