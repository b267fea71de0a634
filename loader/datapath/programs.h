// SPDX-License-Identifier: GPL-2.0-only
// The BPF object in the kernel: its programs, its maps (new, or adopted from the pins of an earlier
// run), and the shared page that says which policy is in force.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "loader/bpf/map.h"
#include "loader/datapath/bpffs.h"
#include "loader/datapath/sizes.h"
#include "maps/active.h"
#include "maps/explanation.h"

struct fwd;  // the generated skeleton; programs.cpp alone knows it

namespace fw::datapath {

// A map of maps and how the maps in it are made.
struct OuterMap {
  int fd = -1;
  const char* name = "";
  bpf::MapLayout inner;
};

// Owned by Programs.
struct Maps {
  int active = -1;
  int flows4 = -1, flows6 = -1;
  int half4 = -1, half6 = -1;
  int ifaces = -1, endpoints = -1;
  OuterMap ident4, ident6, ports, policy, doors, maglev, members, accounts;
};

class Programs {
 public:
  static Result<Programs> load(const PinDirectory& pins, const Sizes& sizes);

  // File descriptors, owned here.
  [[nodiscard]] int xdp() const;
  [[nodiscard]] int wire_in() const;
  [[nodiscard]] int container_in() const;
  [[nodiscard]] int out() const;  // of wires and containers alike
  [[nodiscard]] int sweep() const;
  [[nodiscard]] int explain() const;

  [[nodiscard]] const Maps& maps() const { return maps_; }
  // What the last run of explain() told.
  [[nodiscard]] const fw_explanation& explanation() const;
  // Now on the clock that flows expire by (bpf/lib/clock.h), in nanoseconds.
  [[nodiscard]] std::uint64_t now_ns() const;
  // The element of fw_active, mapped. The programs read it meanwhile.
  [[nodiscard]] fw_active& active() const { return *active_; }

 private:
  struct Destroy {
    void operator()(::fwd* skeleton) const noexcept;
  };
  struct Unmap {
    void operator()(fw_active* active) const noexcept;
  };
  explicit Programs(::fwd* skeleton) : skeleton_(skeleton) {}

  Result<void> set_clock();

  std::unique_ptr<::fwd, Destroy> skeleton_;
  std::uint64_t clock_offset_ns_ = 0;  // of the flows' clock from CLOCK_MONOTONIC, modulo 2^64
  std::unique_ptr<fw_active, Unmap> active_;
  Maps maps_;
};

}  // namespace fw::datapath
