// SPDX-License-Identifier: GPL-2.0-only
// One packet into a loaded BPF program, one answer out (BPF_PROG_RUN). The program runs in the
// network namespace of the calling thread, which its FIB lookups see; `in_netns` chooses another.
#pragma once

#include <chrono>
#include <cstdint>

#include "loader/base/result.h"
#include "tests/support/packet.h"

namespace fw::test {

struct RunResult {
  std::uint32_t action = 0;             // XDP_* or TC_ACT_*
  Bytes packet;                         // as the program left it
  std::chrono::nanoseconds duration{};  // of one run; the mean with `repeat`
};

struct XdpRun {
  // The interface the packet arrives on; 0: the loopback device. The kernel wants one whose
  // receive queue is registered for XDP: a veth with an XDP program or GRO on, a tun.
  std::uint32_t ingress_ifindex = 0;
  std::uint32_t rx_queue = 0;
  unsigned repeat = 1;
};

struct TcRun {
  std::uint32_t ifindex = 0;          // skb->dev; 0: the loopback device
  std::uint32_t ingress_ifindex = 0;  // skb->skb_iif
  std::uint32_t mark = 0;
  std::uint32_t gso_size = 0;  // with gso_segs: a GSO packet
  std::uint32_t gso_segs = 0;
  unsigned repeat = 1;
};

// Frames up to 64 KB; XDP needs a program of section "xdp.frags" for more than about 3.5 KB, and TC
// a kernel of 6.18 or newer (the error says so).
Result<RunResult> run_xdp(int program, const Bytes& frame, const XdpRun& run = {});
Result<RunResult> run_tc(int program, const Bytes& frame, const TcRun& run = {});

// Instructions the verifier walked through when it loaded the program.
Result<std::uint32_t> verified_insns(int program);

}  // namespace fw::test
