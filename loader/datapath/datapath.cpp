// SPDX-License-Identifier: GPL-2.0-only
// The parts of the datapath, in order.
#include "loader/datapath/datapath.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <ctime>
#include <utility>

#include "loader/bpf/log.h"
#include "loader/bpf/probe.h"
#include "loader/datapath/explain.h"
#include "loader/datapath/policy_maps.h"
#include "loader/datapath/teardown.h"
#include "loader/netlink/sysctl.h"

namespace fw::datapath {
namespace {

// Long enough for thousands of processes to be asked for their namespace.
constexpr std::chrono::milliseconds kProbeBudget{500};

const Interface* find(const Topology& topology, std::uint32_t index) {
  const auto found = topology.interfaces.find(index);
  return found == topology.interfaces.end() ? nullptr : &found->second;
}

std::vector<Target> to_targets(const compile::Placement& placement, const Topology& topology,
                               const WantedModes& wanted) {
  std::vector<Target> targets;
  for (const auto& [index, iface] : placement.interfaces) {
    const Interface* interface = find(topology, index);
    if (interface == nullptr) continue;
    const auto mode = wanted.find(interface->name);
    targets.push_back({.interface = *interface,
                       .role = static_cast<fw_role>(iface.role),
                       .wanted = mode == wanted.end() ? config::Datapath::kAuto : mode->second});
  }
  return targets;
}

}  // namespace

Datapath::Datapath(PinDirectory pins, std::unique_ptr<Programs> programs, PlacementMaps placement,
                   bool allow_tcx)
    : pins_(std::move(pins)),
      programs_(std::move(programs)),
      placement_(std::move(placement)),
      attacher_(pins_, *programs_, allow_tcx) {}

Result<Datapath> Datapath::start(const Options& options) {
  bpf::capture_libbpf_log();
  if (auto able = bpf::check_system(); !able) return able.error();
  auto pins = PinDirectory::open(options.bpffs);
  if (!pins) return pins.error();
  auto programs = Programs::load(*pins, options.sizes);
  if (!programs) return programs.error();
  auto placement = PlacementMaps::adopt(programs->maps());
  if (!placement) return placement.error();
  return Datapath{std::move(*pins), std::make_unique<Programs>(std::move(*programs)),
                  std::move(*placement), options.allow_tcx};
}

std::uint64_t Datapath::generation() const {
  return in_force(programs_->active()).generation;
}

Result<void> Datapath::apply(const compile::Image& image, std::uint64_t generation) {
  return install(*programs_, image, generation);
}

bool Datapath::has_xdp() const {
  return std::ranges::any_of(attacher_.attachments(), &Attachment::has_xdp);
}

// Where XDP may redirect to: NICs whose driver took our program, and veths with NAPI at the end
// the frame comes out of.
compile::Placement Datapath::with_redirects(const compile::Placement& placement,
                                            const Topology& topology) const {
  compile::Placement marked = placement;
  if (!has_xdp()) return marked;
  const auto is_ready = [this](std::uint32_t index) {
    const auto known = napi_.find(index);
    return known != napi_.end() && known->second.ready;
  };
  for (const auto& attachment : attacher_.attachments()) {
    const Interface* interface = find(topology, attachment.ifindex);
    const auto iface = marked.interfaces.find(attachment.ifindex);
    if (interface == nullptr || iface == marked.interfaces.end()) continue;
    const bool native_nic = interface->kind.empty() && attachment.mode == "xdp-native";
    if (native_nic || is_ready(attachment.ifindex)) iface->second.flags |= FW_IFACE_XDP;
  }
  for (auto& [address, endpoint] : marked.endpoints)
    if (is_ready(endpoint.ifindex)) endpoint.flags |= FW_IFACE_XDP;
  return marked;
}

// A container's end gets GRO if it has none: it is ours to serve. The other end of an uplink or
// LAN is somebody else's machine, and is only looked at.
void Datapath::probe_veths(const compile::Placement& placement, const Topology& topology) {
  std::erase_if(napi_,
                [&](const auto& entry) { return !topology.interfaces.contains(entry.first); });
  if (!has_xdp()) return;
  std::map<std::uint32_t, Veth> unknown;
  const auto consider = [&](std::uint32_t index, bool enable) {
    const Interface* interface = find(topology, index);
    if (interface == nullptr || interface->kind != "veth") return;
    if (const auto known = napi_.find(index); known != napi_.end() && known->second.ready) return;
    unknown[index] = {.index = index, .name = interface->name, .enable = enable};
  };
  for (const auto& [index, iface] : placement.interfaces)
    consider(index, iface.role == FW_ROLE_CONTAINER);
  for (const auto& [address, endpoint] : placement.endpoints) consider(endpoint.ifindex, true);

  std::vector<Veth> veths;
  veths.reserve(unknown.size());
  for (auto& [index, veth] : unknown) veths.push_back(std::move(veth));
  for (auto& [index, answer] : probe_napi(veths, kProbeBudget)) {
    spdlog::debug("XDP redirects into interface {}: {} ({})", index, answer.ready, answer.why);
    napi_.insert_or_assign(index, std::move(answer));
  }
}

void Datapath::explain_attachments() {
  attachments_ = attacher_.attachments();
  for (Attachment& attachment : attachments_) {
    const auto known = napi_.find(attachment.ifindex);
    if (attachment.mode == "none" || known == napi_.end() || !has_xdp()) continue;
    attachment.why +=
        known->second.ready ? "; XDP redirects into it: " : "; XDP does not redirect into it: ";
    attachment.why += known->second.why;
  }
}

void Datapath::enable_forwarding(const compile::Placement& placement, const Topology& topology) {
  std::erase_if(forwarding_,
                [&](std::uint32_t index) { return !placement.interfaces.contains(index); });
  for (const auto& [index, iface] : placement.interfaces) {
    const Interface* interface = find(topology, index);
    if (interface == nullptr || interface->loopback || forwarding_.contains(index)) continue;
    if (auto enabled = netlink::enable_forwarding(interface->name); !enabled)
      spdlog::warn("{}; packets from {} may not be forwarded", enabled.error().message,
                   interface->name);
    forwarding_.insert(index);
  }
}

Result<void> Datapath::update(const compile::Placement& placement, const Topology& topology,
                              const WantedModes& wanted) {
  // First the maps, so that a program finds its interface in them; then once more with what the
  // attachment has shown about XDP.
  auto written = placement_.write(with_redirects(placement, topology), programs_->active());
  if (!written) return written;
  auto attached = attacher_.apply(to_targets(placement, topology, wanted));
  probe_veths(placement, topology);
  explain_attachments();
  enable_forwarding(placement, topology);
  written = placement_.write(with_redirects(placement, topology), programs_->active());
  return attached ? written : attached;
}

void Datapath::adopt_flows_for(std::chrono::nanoseconds window) {
  const auto until = programs_->now_ns() + static_cast<std::uint64_t>(window.count());
  std::atomic_ref{programs_->active().adopt_until_ns}.store(until);
}

Result<std::vector<fw_account>> Datapath::accounts() const {
  return read_accounts(programs_->maps().accounts);
}

Result<std::vector<Flow>> Datapath::flows(std::size_t limit) const {
  return read_flows(programs_->maps(), limit);
}

Result<FlowCount> Datapath::flow_count() const {
  return count_flows(programs_->maps());
}

Result<compile::Judgement> Datapath::explain(const compile::Probe& probe,
                                             const compile::Placement& placement) const {
  const auto told = ask(*programs_, placement, probe);
  if (!told) return told.error();
  return to_judgement(*told, probe);
}

Result<void> Datapath::clear_flows() {
  return datapath::clear_flows(programs_->maps());
}

Result<void> Datapath::sweep() {
  return sweep_flows(*programs_);
}

Result<std::vector<MapSize>> Datapath::map_sizes() const {
  const Maps& maps = programs_->maps();
  const std::pair<const char*, int> tables[] = {
      {"fw_flows4", maps.flows4}, {"fw_flows6", maps.flows6}, {"fw_half4", maps.half4},
      {"fw_half6", maps.half6},   {"fw_ifaces", maps.ifaces}, {"fw_endpoints", maps.endpoints}};
  std::vector<MapSize> sizes;
  for (const auto& [name, map] : tables) {
    auto layout = bpf::layout_of(map);
    if (!layout) return layout.error();
    MapSize size{.name = name, .capacity = layout->max_entries};
    auto counted = bpf::for_each(map, [&size](const void*, const void*) {
      ++size.entries;
      return true;
    });
    if (!counted) return counted.error();
    sizes.push_back(std::move(size));
  }
  return sizes;
}

Result<void> Datapath::teardown(Datapath datapath) {
  return datapath::teardown(std::move(datapath.pins_));
}

}  // namespace fw::datapath
