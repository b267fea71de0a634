// SPDX-License-Identifier: GPL-2.0-only
// fw_sink: receives what fw_generator sends. First it answers as many packets as asked, so that
// the flows are seen both ways; then it counts and drops, and prints the rate as JSON.
#include <net/if.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <vector>

#include "sink.skel.h"
#include "tests/bench/tool.h"

namespace fw::bench {
namespace {

struct Options {
  std::string interface;
  std::uint16_t port = 0;
  std::uint32_t replies = 0;
  double warmup = 0.3;
  double seconds = 1;
  double wait = 10;
  std::string hook = "both";
};

void add_options(CLI::App& app, Options& options) {
  app.add_option("--interface", options.interface, "where the packets arrive")->required();
  app.add_option("--port", options.port, "UDP port they are for")->required();
  app.add_option("--replies", options.replies, "answer so many packets first, then count");
  app.add_option("--warmup", options.warmup,
                 "seconds from the first counted packet to the interval")
      ->capture_default_str();
  app.add_option("--seconds", options.seconds, "length of the interval")->capture_default_str();
  app.add_option("--wait", options.wait, "give up after so many seconds without a packet")
      ->capture_default_str();
  app.add_option("--hook", options.hook, "where to take packets: both, xdp or tc")
      ->check(CLI::IsMember({"both", "xdp", "tc"}))
      ->capture_default_str();
}

// The TC filter outlives the process unless it is taken away: libbpf 1.1 has no link for it.
class TcFilter {
 public:
  static Result<std::unique_ptr<TcFilter>> attach(unsigned ifindex, int program) {
    std::unique_ptr<TcFilter> filter{new TcFilter};
    filter->hook_.ifindex = static_cast<int>(ifindex);
    filter->hook_.attach_point = BPF_TC_INGRESS;
    // libbpf warns of a clsact that is already there, which is fine with us.
    const auto print = libbpf_set_print(nullptr);
    const int created = bpf_tc_hook_create(&filter->hook_);
    libbpf_set_print(print);
    if (created != 0 && created != -EEXIST) return Error::from_errno("adding clsact", -created);
    LIBBPF_OPTS(bpf_tc_opts, options);
    options.prog_fd = program;
    if (const int error = bpf_tc_attach(&filter->hook_, &options); error != 0) {
      return Error::from_errno("attaching the sink's TC program", -error);
    }
    filter->handle_ = options.handle;
    filter->priority_ = options.priority;
    return filter;
  }
  ~TcFilter() {
    LIBBPF_OPTS(bpf_tc_opts, options);
    options.handle = handle_;
    options.priority = priority_;
    if (handle_ != 0) bpf_tc_detach(&hook_, &options);
  }
  TcFilter(const TcFilter&) = delete;
  TcFilter& operator=(const TcFilter&) = delete;

 private:
  TcFilter() { hook_.sz = sizeof hook_; }
  bpf_tc_hook hook_{};
  std::uint32_t handle_ = 0;
  std::uint32_t priority_ = 0;
};

using Link = std::unique_ptr<bpf_link, decltype([](bpf_link* link) { bpf_link__destroy(link); })>;

struct Attached {
  Link xdp;
  std::unique_ptr<TcFilter> tc;
};

Result<Attached> attach(const sink& skeleton, const Options& options) {
  auto index = interface_index(options.interface);
  if (!index) return index.error();
  Attached attached;
  if (options.hook != "tc") {
    attached.xdp.reset(
        bpf_program__attach_xdp(skeleton.progs.fw_sink_xdp, static_cast<int>(*index)));
    if (!attached.xdp) return Error::from_errno("attaching XDP to " + options.interface);
  }
  if (options.hook != "xdp") {
    auto tc = TcFilter::attach(*index, bpf_program__fd(skeleton.progs.fw_sink_tc));
    if (!tc) return tc.error();
    attached.tc = std::move(*tc);
  }
  return attached;
}

std::uint64_t received(const sink& skeleton) {
  std::vector<std::uint64_t> counts(static_cast<std::size_t>(libbpf_num_possible_cpus()));
  const std::uint32_t zero = 0;
  bpf_map__lookup_elem(skeleton.maps.fw_received, &zero, sizeof zero, counts.data(),
                       counts.size() * sizeof counts[0], 0);
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

// Whether it became true in time.
template <class Condition>
bool wait_for(Condition condition, double seconds) {
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  while (!condition() && !stop_requested && Clock::now() < end) {
    sleep_until(Clock::now() + std::chrono::milliseconds(5));
  }
  return condition();
}

void print(const nlohmann::json& line) {
  std::cout << line << std::endl;
}

Result<void> measure(const sink& skeleton, const Options& options) {
  print({{"ready", true}});
  if (options.replies > 0) {
    const bool done =
        wait_for([&] { return skeleton.bss->answered >= options.replies; }, options.wait);
    if (!done) {
      return Error{"answered " + std::to_string(skeleton.bss->answered) + " of " +
                   std::to_string(options.replies) + " packets; the rest never arrived"};
    }
    print({{"answered", skeleton.bss->answered}});
  }
  if (!wait_for([&] { return received(skeleton) > 0; }, options.wait)) {
    return Error{"no packet for UDP port " + std::to_string(options.port) + " arrived"};
  }
  const auto after = [](double seconds) {
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  };
  sleep_until(Clock::now() + after(options.warmup));
  const auto start = Clock::now();
  const auto before = received(skeleton);
  sleep_until(start + after(options.seconds));
  const auto packets = received(skeleton) - before;
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  print({{"packets", packets},
         {"seconds", seconds},
         {"pps", static_cast<double>(packets) / seconds}});
  return {};
}

Result<void> run(const Options& options) {
  const Skeleton<sink> skeleton{sink::open()};
  if (!skeleton) return Error::from_errno("opening the sink's BPF programs");
  skeleton->rodata->port = options.port;
  skeleton->bss->replies = options.replies;
  if (sink::load(skeleton.get()) != 0) return Error::from_errno("loading the sink");
  auto attached = attach(*skeleton, options);
  if (!attached) return attached.error();
  return measure(*skeleton, options);
}

}  // namespace
}  // namespace fw::bench

int main(int argc, char** argv) {
  using namespace fw::bench;
  CLI::App app{"Count UDP packets by XDP and TC; prints {packets, seconds, pps}"};
  Options options;
  add_options(app, options);
  CLI11_PARSE(app, argc, argv);
  stop_on_signals();
  prepare_libbpf();
  const auto done = run(options);
  return done ? 0 : fail("fw_sink", done.error());
}
