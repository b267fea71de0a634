// SPDX-License-Identifier: GPL-2.0-only
// fw_redirect: sends every frame of one interface out of another by XDP_REDIRECT, unread, until a
// signal: the limit that fwd is measured against.
#include <CLI/CLI.hpp>
#include <iostream>

#include "redirect.skel.h"
#include "tests/bench/tool.h"

namespace fw::bench {
namespace {

Result<void> run(const std::string& from, const std::string& to) {
  auto source = interface_index(from);
  if (!source) return source.error();
  auto target = interface_index(to);
  if (!target) return target.error();
  const Skeleton<redirect> skeleton{redirect::open()};
  if (!skeleton) return Error::from_errno("opening the redirect program");
  skeleton->rodata->target = *target;
  if (redirect::load(skeleton.get()) != 0) return Error::from_errno("loading it");
  skeleton->links.fw_redirect =
      bpf_program__attach_xdp(skeleton->progs.fw_redirect, static_cast<int>(*source));
  if (skeleton->links.fw_redirect == nullptr) {
    return Error::from_errno("attaching XDP to " + from);
  }
  std::cout << R"({"ready":true})" << std::endl;
  while (!stop_requested) sleep_until(Clock::now() + std::chrono::hours(1));
  return {};
}

}  // namespace
}  // namespace fw::bench

int main(int argc, char** argv) {
  using namespace fw::bench;
  CLI::App app{"Redirect every frame from one interface to another by XDP, until a signal"};
  std::string from;
  std::string to;
  app.add_option("--from", from, "interface whose frames are taken")->required();
  app.add_option("--to", to, "interface they leave by")->required();
  CLI11_PARSE(app, argc, argv);
  stop_on_signals();
  prepare_libbpf();
  const auto done = run(from, to);
  return done ? 0 : fail("fw_redirect", done.error());
}
