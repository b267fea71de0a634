// SPDX-License-Identifier: GPL-2.0-only
// Does BPF_PROG_RUN give back what the program did? Judged by programs of a few instructions.
#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <array>
#include <span>

#include "loader/base/fd.h"
#include "tests/support/dissect.h"
#include "tests/support/privilege.h"
#include "tests/support/program.h"

namespace fw::test {
namespace {

constexpr bpf_insn kExit{
    .code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0};

bpf_insn set_register(unsigned char number, int value) {
  bpf_insn instruction{};
  instruction.code = BPF_ALU64 | BPF_MOV | BPF_K;
  instruction.dst_reg = number & 0xfU;
  instruction.imm = value;
  return instruction;
}

bpf_insn load_context(unsigned char number, std::size_t offset) {
  bpf_insn instruction{};
  instruction.code = BPF_LDX | BPF_MEM | BPF_W;
  instruction.dst_reg = number & 0xfU;
  instruction.src_reg = BPF_REG_1;
  instruction.off = static_cast<short>(offset);
  return instruction;
}

Fd load(bpf_prog_type type, std::span<const bpf_insn> instructions, unsigned flags = 0) {
  LIBBPF_OPTS(bpf_prog_load_opts, options);
  options.prog_flags = flags;
  return Fd{
      bpf_prog_load(type, "fw_support", "GPL", instructions.data(), instructions.size(), &options)};
}

Fd answer(bpf_prog_type type, int action, unsigned flags = 0) {
  return load(type, std::array{set_register(BPF_REG_0, action), kExit}, flags);
}

TEST(ProgramSupport, XdpAnswersWithThePacketUnchanged) {
  FW_REQUIRE_ROOT();
  const Fd program = answer(BPF_PROG_TYPE_XDP, XDP_TX);
  ASSERT_TRUE(program);
  const Bytes frame = Eth{} / Ip4{} / Tcp{.syn = true};
  FW_ASSIGN(const auto result, run_xdp(program.get(), frame));
  EXPECT_EQ(result.action, XDP_TX);
  EXPECT_THAT(result.packet, IsPacket(frame));
}

TEST(ProgramSupport, XdpTakesAFrameOf64KilobytesInFragments) {
  FW_REQUIRE_ROOT();
  const Fd program = answer(BPF_PROG_TYPE_XDP, XDP_PASS, BPF_F_XDP_HAS_FRAGS);
  ASSERT_TRUE(program);
  const Bytes frame = Eth{} / Ip4{} / Udp{} / filler(60000);
  FW_ASSIGN(const auto result, run_xdp(program.get(), frame));
  EXPECT_THAT(result.packet, IsPacket(frame));
}

TEST(ProgramSupport, TcAnswersWithThePacketUnchanged) {
  FW_REQUIRE_ROOT();
  const Fd program = answer(BPF_PROG_TYPE_SCHED_CLS, TC_ACT_SHOT);
  ASSERT_TRUE(program);
  const Bytes frame = Eth{} / Ip6{} / Udp{} / "payload";
  FW_ASSIGN(const auto result, run_tc(program.get(), frame));
  EXPECT_EQ(result.action, static_cast<std::uint32_t>(TC_ACT_SHOT));
  EXPECT_THAT(result.packet, IsPacket(frame));
}

TEST(ProgramSupport, TcContextReachesTheProgram) {
  FW_REQUIRE_ROOT();
  const Bytes frame = Eth{} / Ip4{} / Tcp{} / filler(2000);
  const TcRun context{
      .ifindex = 1, .ingress_ifindex = 7, .mark = 42, .gso_size = 1000, .gso_segs = 2};
  for (const auto& [offset, value] :
       {std::pair{offsetof(__sk_buff, ifindex), context.ifindex},
        std::pair{offsetof(__sk_buff, ingress_ifindex), context.ingress_ifindex},
        std::pair{offsetof(__sk_buff, mark), context.mark},
        std::pair{offsetof(__sk_buff, gso_size), context.gso_size}}) {
    const Fd program =
        load(BPF_PROG_TYPE_SCHED_CLS, std::array{load_context(BPF_REG_0, offset), kExit});
    ASSERT_TRUE(program);
    FW_ASSIGN(const auto result, run_tc(program.get(), frame, context));
    EXPECT_EQ(result.action, value) << "offset " << offset;
  }
}

TEST(ProgramSupport, AFrameTheKernelRefusesIsAnError) {
  FW_REQUIRE_ROOT();
  const Fd program = answer(BPF_PROG_TYPE_XDP, XDP_PASS);
  ASSERT_TRUE(program);
  const auto result = run_xdp(program.get(), Bytes{1, 2, 3});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, EINVAL);
}

TEST(ProgramSupport, VerifiedInstructionsAreCounted) {
  FW_REQUIRE_ROOT();
  const Fd program = answer(BPF_PROG_TYPE_XDP, XDP_PASS);
  ASSERT_TRUE(program);
  FW_ASSIGN(const auto count, verified_insns(program.get()));
  EXPECT_EQ(count, 2U);
}

}  // namespace
}  // namespace fw::test
