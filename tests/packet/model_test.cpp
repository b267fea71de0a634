// SPDX-License-Identifier: GPL-2.0-only
// The programs in the kernel against the judgement over plain values: random policies, random first
// packets, and the same verdict, reason and account for each.
//
// FW_MODEL_POLICIES, FW_MODEL_PACKETS and FW_SEED make it longer, or repeat a failure.
#include <spdlog/fmt/fmt.h>

#include <cstdlib>

#include "tests/packet/model_policies.h"

namespace fw::test {
namespace {

unsigned setting(const char* name, unsigned otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? static_cast<unsigned>(std::atol(text)) : otherwise;
}

class Model : public PacketTest {
 protected:
  // Does the kernel do to this packet what the model says? Whatever hook sees it first.
  bool agrees(At at, const ModelProbe& probe, const compile::Judgement& judgement) {
    const std::uint64_t before = machine_->packets_at(judgement.account);
    const auto result = machine_->run(at, probe.frame);
    if (!result) return false;
    const std::uint64_t counted = machine_->packets_at(judgement.account) - before;
    if (is_xdp(at) && judgement.allowed && result->action == kXdpPass) return counted == 0;
    const bool dropped = result->action == (is_xdp(at) ? kXdpDrop : kTcDrop);
    return counted == 1 && dropped == !judgement.allowed;
  }

  std::string disagreement(At at, const ModelProbe& probe, const compile::Judgement& judgement) {
    forget_flows();
    const Sent again = send(at, probe.frame);
    return fmt::format("{}\n{}\nthe model: {} at '{}'\nthe kernel: action {} at '{}'",
                       to_string(at), decode(probe.frame), judgement.allowed ? "allowed" : "denied",
                       machine_->name_of(judgement.account), again.action, again.counted);
  }

  void compare(const ModelProbe& probe, const compile::Judge& judge) {
    const compile::Judgement judgement = judge.judge(probe.probe);
    // A door used by the host itself is for the hooks on connect(), which are not packets'
    // programs.
    if (judgement.door != nullptr && probe.probe.origin == FW_FROM_HOST) return;
    ++(judgement.allowed ? allowed_ : denied_);
    std::vector<At> hooks = {probe.at};
    if (probe.at == At::kTcUp) hooks.insert(hooks.begin(), At::kXdpUp);
    if (probe.at == At::kTcLan) hooks.insert(hooks.begin(), At::kXdpLan);
    for (const At at : hooks)
      if (!agrees(at, probe, judgement)) {
        ASSERT_TRUE(machine_->counted());
        FAIL() << disagreement(at, probe, judgement);
      }
  }

  unsigned allowed_ = 0;
  unsigned denied_ = 0;
};

TEST_F(Model, TheKernelJudgesAsTheModelDoes) {
  const unsigned policies = setting("FW_MODEL_POLICIES", 20);
  const unsigned packets = std::min(setting("FW_MODEL_PACKETS", 2000), 40000U);
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
    const compile::Judge judge{machine_->image()};
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
