// SPDX-License-Identifier: GPL-2.0-only
#include "tests/support/program.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <algorithm>
#include <cerrno>

namespace fw::test {
namespace {

constexpr std::size_t kLargestFrame = 65536 + 256;  // 64 KB of IP and room for what a program adds

Result<RunResult> run(int program, const Bytes& frame, bpf_test_run_opts& options) {
  RunResult result;
  result.packet.resize(std::max(kLargestFrame, frame.size()));
  options.data_in = frame.data();
  options.data_size_in = static_cast<std::uint32_t>(frame.size());
  options.data_out = result.packet.data();
  options.data_size_out = static_cast<std::uint32_t>(result.packet.size());
  if (bpf_prog_test_run_opts(program, &options) != 0)
    return Error::from_errno("running a BPF program on a packet of " +
                             std::to_string(frame.size()) + " bytes");
  result.packet.resize(options.data_size_out);
  result.action = options.retval;
  result.duration = std::chrono::nanoseconds{options.duration};
  return result;
}

}  // namespace

Result<RunResult> run_xdp(int program, const Bytes& frame, const XdpRun& run_options) {
  xdp_md context{};
  context.data_end = static_cast<std::uint32_t>(frame.size());
  context.ingress_ifindex = run_options.ingress_ifindex;
  context.rx_queue_index = run_options.rx_queue;
  LIBBPF_OPTS(bpf_test_run_opts, options);
  options.repeat = static_cast<int>(run_options.repeat);
  if (run_options.ingress_ifindex != 0) {
    options.ctx_in = &context;
    options.ctx_size_in = sizeof(context);
  }
  return run(program, frame, options);
}

Result<RunResult> run_tc(int program, const Bytes& frame, const TcRun& run_options) {
  __sk_buff context{};
  context.ifindex = run_options.ifindex;
  context.ingress_ifindex = run_options.ingress_ifindex;
  context.mark = run_options.mark;
  context.gso_size = run_options.gso_size;
  context.gso_segs = run_options.gso_segs;
  LIBBPF_OPTS(bpf_test_run_opts, options);
  options.repeat = static_cast<int>(run_options.repeat);
  options.ctx_in = &context;
  options.ctx_size_in = sizeof(context);
  return run(program, frame, options);
}

Result<std::uint32_t> verified_insns(int program) {
  bpf_prog_info info{};
  std::uint32_t length = sizeof(info);
  if (bpf_obj_get_info_by_fd(program, &info, &length) != 0)
    return Error::from_errno("reading what the kernel knows about a BPF program");
  return info.verified_insns;
}

}  // namespace fw::test
