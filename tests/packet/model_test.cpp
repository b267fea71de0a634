// SPDX-License-Identifier: GPL-2.0-only
// The judgement over plain values, the programs' answer to a question, and what the programs do:
// random policies, random first packets, and the same verdict, reason, account, door, backend and
// translation by all three.
//
// FW_MODEL_POLICIES, FW_MODEL_PACKETS and FW_SEED make it longer, or repeat a failure.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <spdlog/fmt/fmt.h>

#include <cstdlib>
#include <cstring>

#include "loader/datapath/explain.h"
#include "tests/packet/model_policies.h"

namespace fw::test {
namespace {

using compile::Judgement;

unsigned setting(const char* name, unsigned otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? static_cast<unsigned>(std::atol(text)) : otherwise;
}

std::string to_string(const Judgement& judgement, const Machine& machine) {
  return fmt::format("{} (reason {}) at '{}', door {:#x}, backend {}{}",
                     judgement.allowed ? "allowed" : "denied", unsigned{judgement.reason},
                     machine.name_of(judgement.account),
                     judgement.door ? judgement.door->selector : 0,
                     judgement.backend ? judgement.backend->to_string() : "none",
                     judgement.admin ? ", by host.admin" : "");
}

bool same(const Judgement& model, const Judgement& told) {
  const auto selector = [](const Judgement& one) { return one.door ? one.door->selector : 0; };
  return model.allowed == told.allowed && model.reason == told.reason &&
         model.account == told.account && model.admin == told.admin &&
         model.from.id == told.from.id && model.from.zone == told.from.zone &&
         model.to.id == told.to.id && model.to.zone == told.to.zone &&
         selector(model) == selector(told) && model.backend == told.backend;
}

bool same(const fw_explanation& a, const fw_explanation& b) {
  return std::memcmp(&a, &b, sizeof(a)) == 0;
}

// The addresses and ports that a frame bears, in the form of a tuple: IPv4 without options, IPv6
// without extension headers.
fw_tuple tuple_of(const Bytes& frame, const fw_tuple& like) {
  constexpr std::size_t kLink = 14;
  const bool ipv4 = like.family == FW_IPV4;
  const std::uint8_t* ip = frame.data() + kLink;
  const std::uint8_t* l4 = ip + (ipv4 ? 20 : 40);
  const Family family = ipv4 ? Family::kIpv4 : Family::kIpv6;
  fw_tuple tuple{};
  tuple.src = Address::from_bytes(family, ip + (ipv4 ? 12 : 8)).to_abi();
  tuple.dst = Address::from_bytes(family, ip + (ipv4 ? 16 : 24)).to_abi();
  tuple.proto = like.proto;
  tuple.family = like.family;
  if (like.proto == IPPROTO_TCP || like.proto == IPPROTO_UDP) {
    std::memcpy(&tuple.sport, l4, sizeof(tuple.sport));
    std::memcpy(&tuple.dport, l4 + 2, sizeof(tuple.dport));
  } else if (like.proto == IPPROTO_ICMP) {
    std::memcpy(&tuple.sport, l4 + 4, sizeof(tuple.sport));
  }
  return tuple;
}

class Model : public PacketTest {
 protected:
  // Does the program at this hook do what was foretold?
  bool agrees(At at, const ModelProbe& probe, const Judgement& judgement,
              const fw_explanation& told) {
    const std::uint64_t before = machine_->packets_at(judgement.account);
    const auto result = machine_->run(at, probe.frame);
    if (!result) return false;
    const std::uint64_t counted = machine_->packets_at(judgement.account) - before;
    if (is_xdp(at) && judgement.allowed && result->action == kXdpPass) return counted == 0;
    const bool dropped = result->action == (is_xdp(at) ? kXdpDrop : kTcDrop);
    if (counted != 1 || dropped == judgement.allowed) return false;
    const fw_tuple sent = tuple_of(result->packet, told.translated);
    return dropped || std::memcmp(&sent, &told.translated, sizeof(sent)) == 0;
  }

  std::string disagreement(At at, const ModelProbe& probe, const Judgement& judgement,
                           const fw_explanation& told) {
    forget_flows();
    const Sent again = send(at, probe.frame);
    return fmt::format("{}\n{}\nforetold: {}, {} -> {}\nthe program: action {} at '{}'\n{}",
                       fw::test::to_string(at), decode(probe.frame),
                       to_string(judgement, *machine_),
                       Address::from_abi(told.translated.src).to_string(),
                       Address::from_abi(told.translated.dst).to_string(), again.action,
                       again.counted, decode(again.packet));
  }

  Result<fw_explanation> ask(const compile::Probe& probe) {
    return datapath::ask(machine_->datapath().programs(), machine_->placement(), probe);
  }

  void compare(ModelProbe probe, const compile::Judge& judge) {
    probe.probe.ifindex = machine_->ifindex(probe.at);
    // Without ports, two packets may be of one flow.
    if (probe.probe.proto == IPPROTO_GRE) forget_flows();
    const Judgement judgement = judge.judge(probe.probe);
    // A door used by the host itself is for the hooks on connect(), which are not packets'
    // programs.
    if (judgement.door && probe.probe.origin == FW_FROM_HOST) return;
    FW_ASSIGN(const fw_explanation told, ask(probe.probe));
    FW_ASSIGN(const Judgement said, datapath::to_judgement(told, probe.probe));
    ASSERT_TRUE(same(judgement, said))
        << fw::test::to_string(probe.at) << "\n"
        << decode(probe.frame) << "\nthe model:  " << to_string(judgement, *machine_)
        << "\nfw_explain: " << to_string(said, *machine_);
    ++(judgement.allowed ? allowed_ : denied_);

    std::vector<At> hooks = {probe.at};
    if (probe.at == At::kTcUp) hooks.insert(hooks.begin(), At::kXdpUp);
    if (probe.at == At::kTcLan) hooks.insert(hooks.begin(), At::kXdpLan);
    for (const At at : hooks)
      if (!agrees(at, probe, judgement, told)) {
        ASSERT_TRUE(machine_->counted());
        FAIL() << disagreement(at, probe, judgement, told);
      }
    FW_ASSIGN(const fw_explanation again, ask(probe.probe));
    ASSERT_TRUE(same(told, again)) << "a flow that exists changes the answer\n"
                                   << decode(probe.frame);
  }

  unsigned allowed_ = 0;
  unsigned denied_ = 0;
};

TEST_F(Model, TheKernelSaysAndDoesWhatTheModelDoes) {
  const unsigned policies = setting("FW_MODEL_POLICIES", 50);
  const unsigned packets = std::min(setting("FW_MODEL_PACKETS", 2100), 40000U);
  unsigned seed = setting("FW_SEED", 1);
  std::string refusal;
  for (unsigned accepted = 0; accepted < policies; ++seed) {
    ASSERT_LT(seed, setting("FW_SEED", 1) + 20 * policies)
        << "the parser refuses nearly all, the last for " << refusal;
    Random random{seed};
    const std::string policy = random_policy(random);
    if (const auto enforced = machine_->enforce(policy); !enforced) {
      refusal = enforced.error().message;
      continue;
    }
    ++accepted;
    forget_flows();
    const compile::Judge judge{machine_->image(), machine_->placement()};
    SCOPED_TRACE("FW_SEED=" + std::to_string(seed) + " FW_MODEL_POLICIES=1\n" + policy);
    for (unsigned i = 0; i < packets && !HasFailure(); ++i)
      compare(random_probe(random, machine_->image(), static_cast<std::uint16_t>(i)), judge);
    if (HasFailure()) return;
  }
  fmt::print("{} policies, {} packets allowed, {} denied, last seed {}\n", policies, allowed_,
             denied_, seed - 1);
  EXPECT_GT(allowed_, policies * packets / 10);
  EXPECT_GT(denied_, policies * packets / 10);
}

}  // namespace
}  // namespace fw::test
