// SPDX-License-Identifier: GPL-2.0-only
// Opening, sizing, adopting pins, loading, pinning. The only file that sees the skeleton.
#include "loader/datapath/programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <spdlog/spdlog.h>
#include <sys/mman.h>
#include <unistd.h>

#include <ctime>

#include <array>
#include <string_view>
#include <vector>

#include "loader/bpf/log.h"
#include "maps/account.h"
#include "maps/door.h"
#include "maps/flow.h"
#include "maps/policy.h"
#include "maps/topology.h"

// Last: the types of its global variables are those of maps/.
#include <fwd.skel.h>

namespace fw::datapath {
namespace {

// Pinned last, so that it is there only if all the others are.
constexpr std::string_view kCommitMark = "fw_active";

// What this file's idea of a map must agree on with the object's.
struct Expectation {
  bpf_map* map;
  std::size_t key_size;
  std::size_t value_size;
};

template <class Key, class Value>
Expectation expect(bpf_map* map) {
  return {map, sizeof(Key), sizeof(Value)};
}

// Maps that are what they are, and the inner maps of the maps of maps.
Result<void> check_layouts(const ::fwd& skeleton) {
  const auto& maps = skeleton.maps;
  const auto inner = [](bpf_map* map) { return bpf_map__inner_map(map); };
  const std::array expectations = {
      expect<std::uint32_t, fw_active>(maps.fw_active),
      expect<fw_tuple4, fw_flow>(maps.fw_flows4),
      expect<fw_tuple, fw_flow>(maps.fw_flows6),
      expect<fw_tuple4, fw_flow>(maps.fw_half4),
      expect<fw_tuple, fw_flow>(maps.fw_half6),
      expect<std::uint32_t, fw_iface>(maps.fw_ifaces),
      expect<fw_addr, fw_endpoint>(maps.fw_endpoints),
      expect<fw_prefix4, fw_ident>(inner(maps.fw_ident4)),
      expect<fw_prefix6, fw_ident>(inner(maps.fw_ident6)),
      expect<std::uint32_t, fw_port_class>(inner(maps.fw_ports)),
      expect<fw_policy_key, fw_policy_entry>(inner(maps.fw_policy)),
      expect<fw_door_key, fw_door>(inner(maps.fw_doors)),
      expect<std::uint32_t, fw_backend>(inner(maps.fw_maglev)),
      expect<fw_member_key, std::uint8_t>(inner(maps.fw_members)),
      expect<std::uint32_t, fw_account>(inner(maps.fw_accounts)),
  };
  for (const auto& [map, key_size, value_size] : expectations)
    if (map == nullptr || bpf_map__key_size(map) != key_size ||
        bpf_map__value_size(map) != value_size)
      return Error{"fwd was built from two versions of maps/: the layout of " +
                   std::string(map != nullptr ? bpf_map__name(map) : "an inner map") +
                   " differs between the daemon and its BPF object; build it anew"};
  return {};
}

bool is_pinned_kind(const bpf_map* map) {
  // .rodata belongs to one load, and scratch space holds nothing between two packets.
  return !bpf_map__is_internal(map) && std::string_view{bpf_map__name(map)} != "fw_scratch";
}

std::string pin_path(const PinDirectory& pins, const bpf_map* map) {
  return pins.maps() + "/" + bpf_map__name(map);
}

Result<void> adopt_pin(bpf_map* map, const std::string& path) {
  const bpf::Fd pin{bpf_obj_get(path.c_str())};
  if (!pin && errno == ENOENT) return {};
  if (!pin) return Error::from_errno("opening the pinned map " + path);
  auto layout = bpf::layout_of(pin.get());
  if (!layout) return layout.error();
  if (layout->type != bpf_map__type(map) || layout->key_size != bpf_map__key_size(map) ||
      layout->value_size != bpf_map__value_size(map) || layout->flags != bpf_map__map_flags(map))
    return Error{"the pinned map " + path +
                 " has another layout than this fwd expects: run `fwctl teardown`, then start fwd"};
  if (layout->max_entries != bpf_map__max_entries(map))
    spdlog::info("{} keeps its {} entries until `fwctl teardown`", path, layout->max_entries);
  if (bpf_map__reuse_fd(map, pin.get()) != 0)
    return Error::from_errno("adopting the pinned map " + path);
  return {};
}

// Without the commit mark, what is pinned comes from a start that was cut short: it holds no
// policy, and goes.
Result<void> adopt_pins(bpf_object* object, const PinDirectory& pins) {
  const std::string mark = pins.maps() + "/" + std::string{kCommitMark};
  const bool complete = access(mark.c_str(), F_OK) == 0;
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object) {
    if (!is_pinned_kind(map)) continue;
    const std::string path = pin_path(pins, map);
    if (!complete) {
      unlink(path.c_str());
    } else if (auto adopted = adopt_pin(map, path); !adopted) {
      return adopted;
    }
  }
  return {};
}

Result<void> pin_maps(bpf_object* object, const PinDirectory& pins) {
  std::vector<bpf_map*> order;
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object) {
    if (!is_pinned_kind(map)) continue;
    if (bpf_map__name(map) == kCommitMark)
      order.push_back(map);
    else
      order.insert(order.begin(), map);
  }
  for (bpf_map* each : order) {
    const std::string path = pin_path(pins, each);
    if (bpf_obj_pin(bpf_map__fd(each), path.c_str()) != 0 && errno != EEXIST)
      return Error::from_errno("pinning " + path);
  }
  return {};
}

// Before load(): loading throws the description of the inner maps away.
bpf::MapLayout inner_layout(bpf_map* outer) {
  const bpf_map* inner = bpf_map__inner_map(outer);
  return {.type = static_cast<std::uint32_t>(bpf_map__type(inner)),
          .key_size = bpf_map__key_size(inner),
          .value_size = bpf_map__value_size(inner),
          .max_entries = bpf_map__max_entries(inner),
          .flags = bpf_map__map_flags(inner)};
}

struct OuterField {
  OuterMap* field;
  bpf_map* map;
};

std::array<OuterField, 8> outer_maps(Maps& maps, const ::fwd& skeleton) {
  const auto& from = skeleton.maps;
  return {{{&maps.ident4, from.fw_ident4},
           {&maps.ident6, from.fw_ident6},
           {&maps.ports, from.fw_ports},
           {&maps.policy, from.fw_policy},
           {&maps.doors, from.fw_doors},
           {&maps.maglev, from.fw_maglev},
           {&maps.members, from.fw_members},
           {&maps.accounts, from.fw_accounts}}};
}

void note_descriptors(Maps& maps, const ::fwd& skeleton) {
  const auto& from = skeleton.maps;
  maps.active = bpf_map__fd(from.fw_active);
  maps.flows4 = bpf_map__fd(from.fw_flows4);
  maps.flows6 = bpf_map__fd(from.fw_flows6);
  maps.half4 = bpf_map__fd(from.fw_half4);
  maps.half6 = bpf_map__fd(from.fw_half6);
  maps.ifaces = bpf_map__fd(from.fw_ifaces);
  maps.endpoints = bpf_map__fd(from.fw_endpoints);
  for (auto& [field, map] : outer_maps(maps, skeleton)) {
    field->fd = bpf_map__fd(map);
    field->name = bpf_map__name(map);
  }
}

Result<void> set_sizes(const ::fwd& skeleton, const Sizes& sizes) {
  const auto& maps = skeleton.maps;
  const std::array<std::pair<bpf_map*, std::uint32_t>, 4> tables = {{{maps.fw_flows4, sizes.flows},
                                                                     {maps.fw_flows6, sizes.flows},
                                                                     {maps.fw_half4, sizes.half},
                                                                     {maps.fw_half6, sizes.half}}};
  for (const auto& [map, entries] : tables)
    if (bpf_map__set_max_entries(map, entries) != 0)
      return Error{std::string{"sizing "} + bpf_map__name(map) + " to " + std::to_string(entries) +
                   " entries: not possible"};
  return {};
}

Error load_error(int code) {
  Error error = Error::from_errno("loading the BPF programs", code);
  if (const std::string said = bpf::last_warnings(); !said.empty()) error.message += ": " + said;
  return error;
}

// The length of a jiffy: what CLOCK_MONOTONIC_COARSE goes by (1 / CONFIG_HZ).
std::uint64_t tick_ns() {
  timespec tick{};
  clock_getres(CLOCK_MONOTONIC_COARSE, &tick);
  return static_cast<std::uint64_t>(tick.tv_nsec);
}

std::uint64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace

void Programs::Destroy::operator()(::fwd* skeleton) const noexcept {
  fwd__destroy(skeleton);
}

void Programs::Unmap::operator()(fw_active* active) const noexcept {
  munmap(active, sizeof(*active));
}

int Programs::xdp() const {
  return bpf_program__fd(skeleton_->progs.fw_xdp);
}
int Programs::wire_in() const {
  return bpf_program__fd(skeleton_->progs.fw_wire_in);
}
int Programs::container_in() const {
  return bpf_program__fd(skeleton_->progs.fw_ctr_in);
}
int Programs::out() const {
  return bpf_program__fd(skeleton_->progs.fw_out);
}
int Programs::sweep() const {
  return bpf_program__fd(skeleton_->progs.fw_sweep);
}

int Programs::explain() const {
  return bpf_program__fd(skeleton_->progs.fw_explain);
}

const fw_explanation& Programs::explanation() const {
  return skeleton_->bss->fw_explanation;
}

std::uint64_t Programs::now_ns() const {
  return monotonic_ns() + clock_offset_ns_;
}

// Both clocks go with the kernel's tick; only their zeros differ.
Result<void> Programs::set_clock() {
  LIBBPF_OPTS(bpf_test_run_opts, options);
  const auto before = monotonic_ns();
  if (bpf_prog_test_run_opts(sweep(), &options) != 0)
    return Error::from_errno("reading the clock of the BPF programs");
  clock_offset_ns_ = skeleton_->bss->fw_now_ns - before;
  return {};
}

Result<Programs> Programs::load(const PinDirectory& pins, const Sizes& sizes) {
  bpf::capture_libbpf_log();
  bpf::forget_warnings();
  Programs programs{fwd__open()};
  if (!programs.skeleton_) return Error::from_errno("parsing the embedded BPF object");
  ::fwd& skeleton = *programs.skeleton_;
  if (auto agreed = check_layouts(skeleton); !agreed) return agreed.error();
  for (auto& [field, map] : outer_maps(programs.maps_, skeleton)) field->inner = inner_layout(map);
  if (auto sized = set_sizes(skeleton, sizes); !sized) return sized.error();
  if (auto adopted = adopt_pins(skeleton.obj, pins); !adopted) return adopted.error();
  skeleton.rodata->fw_tick_ns = tick_ns();

  if (const int failed = fwd__load(&skeleton); failed != 0) return load_error(-failed);
  if (auto pinned = pin_maps(skeleton.obj, pins); !pinned) return pinned.error();
  note_descriptors(programs.maps_, skeleton);

  void* page = mmap(nullptr, sizeof(fw_active), PROT_READ | PROT_WRITE, MAP_SHARED,
                    programs.maps_.active, 0);
  if (page == MAP_FAILED) return Error::from_errno("mapping fw_active");
  programs.active_.reset(static_cast<fw_active*>(page));
  if (auto set = programs.set_clock(); !set) return set.error();
  return programs;
}

}  // namespace fw::datapath
