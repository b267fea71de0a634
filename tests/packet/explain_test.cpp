// SPDX-License-Identifier: GPL-2.0-only
// fw_explain, the question: does it foretell translations, and does asking change nothing?
// Verdicts are compared by model_test.cpp.
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <netinet/in.h>

#include <array>
#include <cstring>
#include <map>
#include <set>

#include "loader/base/fd.h"
#include "loader/datapath/explain.h"
#include "tests/packet/model_policies.h"

namespace fw::test {
namespace {

using compile::Judgement;
using compile::Probe;

// Every byte of every map that the programs use, but for what one run leaves to nobody: a packet's
// scratch space and the answer itself.
class Dump {
 public:
  static Result<Dump> of(const std::vector<int>& programs) {
    Dump dump;
    for (const int program : programs) {
      std::array<std::uint32_t, 64> ids{};
      bpf_prog_info info{};
      info.nr_map_ids = ids.size();
      info.map_ids = reinterpret_cast<std::uintptr_t>(ids.data());
      std::uint32_t length = sizeof(info);
      if (bpf_obj_get_info_by_fd(program, &info, &length) != 0)
        return Error::from_errno("reading which maps a program uses");
      for (std::uint32_t i = 0; i < info.nr_map_ids; ++i)
        if (auto added = dump.add(ids.at(i)); !added) return added.error();
    }
    return dump;
  }

  bool operator==(const Dump&) const = default;
  [[nodiscard]] std::size_t entries(const std::string& name) const {
    std::size_t count = 0;
    for (const auto& [map, content] : maps_)
      if (map.second == name) count += content.size();
    return count;
  }

 private:
  Result<void> add(std::uint32_t id) {
    const Fd map{bpf_map_get_fd_by_id(id)};
    bpf_map_info info{};
    std::uint32_t length = sizeof(info);
    if (!map || bpf_obj_get_info_by_fd(map.get(), &info, &length) != 0)
      return Error::from_errno("opening map " + std::to_string(id));
    const std::string name{info.name};
    const bool is_a_runs_own = name == "fw_scratch" || name.find(".bss") != std::string::npos ||
                               maps_.contains({id, name});
    if (is_a_runs_own) return {};
    const bool per_cpu =
        info.type == BPF_MAP_TYPE_PERCPU_ARRAY || info.type == BPF_MAP_TYPE_PERCPU_HASH;
    const std::size_t size =
        per_cpu ? (info.value_size + 7U) / 8U * 8U * static_cast<std::size_t>(bpf::possible_cpus())
                : info.value_size;
    auto& content = maps_[{id, name}];
    Bytes key(info.key_size);
    Bytes next(info.key_size);
    bool first = true;
    while (bpf_map_get_next_key(map.get(), first ? nullptr : key.data(), next.data()) == 0) {
      first = false;
      key = next;
      Bytes value(size);
      if (bpf_map_lookup_elem(map.get(), key.data(), value.data()) != 0) continue;
      content[key] = value;
    }
    if (info.type != BPF_MAP_TYPE_ARRAY_OF_MAPS) return {};
    const auto inner = content;
    for (const auto& [slot, value] : inner) {
      std::uint32_t inner_id = 0;
      std::memcpy(&inner_id, value.data(), sizeof(inner_id));
      if (auto added = add(inner_id); !added) return added;
    }
    return {};
  }

  std::map<std::pair<std::uint32_t, std::string>, std::map<Bytes, Bytes>> maps_;
};

class Explain : public PacketTest {
 protected:
  Probe probe(At at, const char* src, const char* dst, std::uint16_t port) {
    Probe made;
    made.src = *Address::parse(src);
    made.dst = *Address::parse(dst);
    made.proto = IPPROTO_TCP;
    made.sport = 40000;
    made.dport = port;
    made.ifindex = machine_->ifindex(at);
    made.origin = at == At::kTcUp || at == At::kTcLan ? FW_FROM_WIRE
                  : at == At::kOutUp                  ? FW_FROM_HOST
                                                      : FW_FROM_CONTAINER;
    return made;
  }

  Judgement ask(const Probe& probe) {
    const auto said = machine_->datapath().explain(probe, machine_->placement());
    EXPECT_TRUE(said) << (said ? "" : said.error().message);
    return said ? *said : Judgement{};
  }

  [[nodiscard]] Dump dump() const {
    const auto& programs = machine_->datapath().programs();
    auto dump =
        Dump::of({programs.xdp(), programs.wire_in(), programs.container_in(), programs.out()});
    EXPECT_TRUE(dump) << (dump ? "" : dump.error().message);
    return dump ? *std::move(dump) : Dump{};
  }
};

TEST_F(Explain, ADoorLeadsToItsBackend) {
  const Judgement said = ask(probe(At::kTcUp, kClient, kSelf, 8080));
  EXPECT_TRUE(said.allowed);
  EXPECT_EQ(machine_->name_of(said.account), "http internet dmz");
  ASSERT_TRUE(said.backend);
  EXPECT_EQ(said.backend->to_string(), kWeb);
  EXPECT_EQ(said.masqueraded_as, std::nullopt);
}

TEST_F(Explain, MasqueradeIsToldWhereTheRouteLeavesByAnUplink) {
  const Judgement out = ask(probe(At::kTcLan, kOffice, kClient, 443));
  EXPECT_TRUE(out.allowed);
  ASSERT_TRUE(out.masqueraded_as);
  EXPECT_EQ(out.masqueraded_as->to_string(), kSelf);
  const Judgement inside = ask(probe(At::kTcLan, kOffice, kWeb, 80));
  EXPECT_TRUE(inside.allowed);
  EXPECT_EQ(inside.masqueraded_as, std::nullopt);
}

TEST_F(Explain, DeniedIsToldWithReasonAndAccount) {
  const Judgement said = ask(probe(At::kTcUp, kClient, kSelf, 22));
  EXPECT_FALSE(said.allowed);
  EXPECT_EQ(said.reason, FW_REASON_NOT_PUBLISHED);
  EXPECT_EQ(machine_->name_of(said.account), "NOT_PUBLISHED internet host");
  EXPECT_EQ(ask(probe(At::kTcUp, kWeb, kSelf, 8080)).reason, FW_REASON_MARTIAN);
}

TEST_F(Explain, AnInterfaceThatFwdDoesNotKnowIsAMistake) {
  Probe nowhere = probe(At::kTcUp, kClient, kSelf, 8080);
  nowhere.ifindex = 0;
  const auto said = machine_->datapath().explain(nowhere, machine_->placement());
  ASSERT_FALSE(said);
  EXPECT_THAT(said.error().message, testing::HasSubstr("no interface that it could come in by"));
}

TEST_F(Explain, AskingChangesNothing) {
  // A flow that waits for its answer, one that has it, and one that the questions are about.
  for (const char* client : {kClient, "198.51.100.11"})
    send(At::kTcUp, at_up() / Ip4{.src = client, .dst = kSelf} / Tcp{.dport = 8080, .syn = true});
  send(At::kFromWeb, at_bridge() / Ip4{.src = kWeb, .dst = kClient} /
                         Tcp{.sport = 80, .dport = 40000, .syn = true, .ack = true});
  const Dump before = dump();
  EXPECT_GE(before.entries("fw_half4"), 2U);
  EXPECT_GE(before.entries("fw_flows4"), 2U);

  ask(probe(At::kTcUp, kClient, kSelf, 8080));
  ask(probe(At::kTcUp, "198.51.100.11", kSelf, 8080));
  Random random{1};
  std::set<fw_reason> reasons;
  for (std::uint16_t i = 0; i < 5000; ++i) {
    ModelProbe made = random_probe(random, machine_->image(), i);
    made.probe.ifindex = machine_->ifindex(made.at);
    reasons.insert(ask(made.probe).reason);
  }
  EXPECT_GE(reasons.size(), 4U);
  EXPECT_TRUE(dump() == before) << "a question has written to a map";

  // The dump is able to see it: a packet does write.
  send(At::kTcUp,
       at_up() / Ip4{.src = "198.51.100.12", .dst = kSelf} / Tcp{.dport = 8080, .syn = true});
  EXPECT_FALSE(dump() == before);
}

}  // namespace
}  // namespace fw::test
