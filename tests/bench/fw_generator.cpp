// SPDX-License-Identifier: GPL-2.0-only
// fw_generator: sends small UDP packets out of an interface as fast as one CPU can, without an skb
// and without a socket, and prints how many as JSON.
#include <bpf/bpf.h>
#include <sched.h>
#include <sys/time.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <vector>

#include "tests/bench/frame_builder.h"
// After frame.h, whose types it names.
#include "generator.skel.h"

namespace fw::bench {
namespace {

// Packets to a system call, at most: setting one up takes some 10 ms. A signal ends it at once.
constexpr std::uint64_t kPacketsPerRun = INT32_MAX;

struct Options {
  std::string interface;
  std::string source;
  std::string destination;
  std::string source_mac;
  std::string destination_mac;
  Traffic traffic;
  std::uint64_t packets = 0;  // 0: until the time is over
  double seconds = 0;         // 0: until the packets are sent
  std::uint32_t batch = 64;
  int cpu = -1;
};

struct Sent {
  std::uint64_t packets = 0;
  double seconds = 0;
};

void add_options(CLI::App& app, Options& options) {
  app.add_option("--interface", options.interface, "where the packets leave")->required();
  app.add_option("--src", options.source, "ADDRESS:PORT of the first flow")->required();
  app.add_option("--dst", options.destination, "ADDRESS:PORT they go to")->required();
  app.add_option("--dmac", options.destination_mac, "MAC address of the next hop")->required();
  app.add_option("--smac", options.source_mac, "source MAC address (default: the interface's)");
  app.add_option("--flows", options.traffic.flows, "distinct flows, sent in turn")
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("--ports", options.traffic.ports, "source ports to an address")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  app.add_option("--size", options.traffic.frame_size, "bytes of a frame, without the FCS")
      ->capture_default_str();
  app.add_option("--packets", options.packets, "stop after so many packets");
  app.add_option("--seconds", options.seconds, "stop after so many seconds");
  app.add_option("--batch", options.batch, "packets between two flushes of the interface")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  app.add_option("--cpu", options.cpu, "run on this CPU");
}

Result<Traffic> resolve(const Options& options) {
  Traffic traffic = options.traffic;
  auto source = parse_endpoint(options.source);
  if (!source) return source.error().during("--src");
  auto destination = parse_endpoint(options.destination);
  if (!destination) return destination.error().during("--dst");
  auto source_mac =
      options.source_mac.empty() ? interface_mac(options.interface) : parse_mac(options.source_mac);
  if (!source_mac) return source_mac.error();
  auto destination_mac = parse_mac(options.destination_mac);
  if (!destination_mac) return destination_mac.error().during("--dmac");
  traffic.source = *source;
  traffic.destination = *destination;
  traffic.source_mac = *source_mac;
  traffic.destination_mac = *destination_mac;
  if (auto valid = validate(traffic); !valid) return valid.error();
  return traffic;
}

Result<void> run_on(int cpu) {
  if (cpu < 0) return {};
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<unsigned>(cpu), &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) {
    return Error::from_errno("moving to CPU " + std::to_string(cpu));
  }
  return {};
}

// Lets SIGALRM end the sending after so many seconds.
void set_alarm(double seconds) {
  itimerval timer{};
  timer.it_value.tv_sec = static_cast<time_t>(seconds);
  timer.it_value.tv_usec =
      static_cast<suseconds_t>((seconds - static_cast<double>(timer.it_value.tv_sec)) * 1e6);
  setitimer(ITIMER_REAL, &timer, nullptr);
}

// `packets` is the program's own count: a run that a signal ends does not say how far it came.
Result<Sent> send(int program, const volatile __u64& packets, const Options& options) {
  std::vector<std::uint8_t> page(options.traffic.frame_size);
  const auto start = Clock::now();
  if (options.seconds > 0) set_alarm(options.seconds);
  while (!stop_requested && (options.packets == 0 || packets < options.packets)) {
    std::uint64_t now = kPacketsPerRun;
    if (options.packets > 0) now = std::min<std::uint64_t>(now, options.packets - packets);
    LIBBPF_OPTS(bpf_test_run_opts, run);
    run.data_in = page.data();
    run.data_size_in = static_cast<std::uint32_t>(page.size());
    run.flags = BPF_F_TEST_XDP_LIVE_FRAMES;
    run.repeat = static_cast<int>(now);
    run.batch_size = options.batch;
    if (bpf_prog_test_run_opts(program, &run) != 0 && errno != EINTR) {
      return Error::from_errno("sending with BPF_PROG_RUN (needs Linux 5.18 and root)");
    }
  }
  return Sent{packets, std::chrono::duration<double>(Clock::now() - start).count()};
}

Result<Sent> generate(const Options& options) {
  if (options.packets == 0 && options.seconds <= 0) {
    return Error{"give --packets or --seconds, so that it ends"};
  }
  auto traffic = resolve(options);
  if (!traffic) return traffic.error();
  auto index = interface_index(options.interface);
  if (!index) return index.error();
  if (auto moved = run_on(options.cpu); !moved) return moved.error();

  const Skeleton<generator> skeleton{generator::open_and_load()};
  if (!skeleton) return Error::from_errno("loading the generator's BPF programs");
  skeleton->bss->frame = build_frame(*traffic);
  skeleton->bss->frame.ifindex = *index;
  const auto& programs = skeleton->progs;
  return send(bpf_program__fd(traffic->source.address.is_ipv4() ? programs.fw_generate4
                                                                : programs.fw_generate6),
              skeleton->bss->cursor.packets, options);
}

}  // namespace
}  // namespace fw::bench

int main(int argc, char** argv) {
  using namespace fw::bench;
  CLI::App app{"Send UDP packets by XDP live frames; prints {packets, seconds, pps}"};
  Options options;
  add_options(app, options);
  CLI11_PARSE(app, argc, argv);
  stop_on_signals();
  prepare_libbpf();
  const auto sent = generate(options);
  if (!sent) return fail("fw_generator", sent.error());
  const double rate = sent->seconds > 0 ? static_cast<double>(sent->packets) / sent->seconds : 0;
  std::cout << nlohmann::json{{"packets", sent->packets}, {"seconds", sent->seconds}, {"pps", rate}}
            << std::endl;
  return 0;
}
