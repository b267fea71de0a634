// SPDX-License-Identifier: GPL-2.0-only
#include "loader/exposure/exposure.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "loader/exposure/advice.h"
#include "loader/exposure/declared.h"
#include "loader/exposure/door.h"
#include "loader/exposure/reach.h"

namespace fw::exposure {
namespace {

using control::DoorOpener;
using control::ExposedDoor;
using control::ExposureReport;

bool is_link_local(const Address& address) {
  const auto& bytes = address.bytes();
  return !address.is_ipv4() && bytes[0] == 0xfe && (bytes[1] & 0xc0U) == 0x80U;
}

std::vector<Address> reachable_addresses(const Topology& topology) {
  std::vector<Address> own;
  for (const auto& [index, interface] : topology.interfaces)
    for (const Address& address : interface.addresses)
      if (!address.is_loopback() && !is_link_local(address)) own.push_back(address);
  return own;
}

// Each name once, with its pids.
std::string process_text(const std::string& name, const std::vector<int>& pids) {
  constexpr std::size_t kMost = 3;
  std::string text;
  for (std::size_t i = 0; i < pids.size() && i < kMost; ++i)
    text += (i == 0 ? "" : ", ") + std::to_string(pids[i]);
  if (pids.size() > kMost) text += fmt::format(" and {} more", pids.size() - kMost);
  return fmt::format("{} (pid {})", name, text);
}

void add_processes(const Door& door, std::vector<DoorOpener>& openers) {
  std::map<std::string, std::set<int>> pids;
  bool nameless = false;
  for (const auto* listener : door.listeners) {
    nameless |= listener->processes.empty();
    for (const auto& process : listener->processes)
      pids[process.container.empty() ? process.name
                                     : process.name + " of container " + process.container]
          .insert(process.pid);
  }
  for (const auto& [name, set] : pids)
    openers.push_back({"process", name, process_text(name, {set.begin(), set.end()})});
  if (nameless) openers.push_back({"process", "", "a process out of sight, or the kernel"});
}

std::vector<DoorOpener> openers_of(const Door& door) {
  std::vector<DoorOpener> openers;
  for (const auto* named : door.in_policy)
    openers.push_back({"policy", named->first,
                       fmt::format("publish '{}' ({}:{})", named->first, named->second.where.file,
                                   named->second.where.line)});
  for (const auto* published : door.published)
    openers.push_back({"container", published->container,
                       fmt::format("{} container {} -> {}", published->engine, published->container,
                                   published->target.to_string())});
  for (const auto* redirect : door.redirects)
    openers.push_back(
        {"rule", redirect->rule,
         "nft " + redirect->rule + (redirect->to.empty() ? "" : " -> " + redirect->to)});
  add_processes(door, openers);
  // The two families of one publication are two entries with one text.
  const auto same = [](const DoorOpener& a, const DoorOpener& b) { return a.text == b.text; };
  openers.erase(std::unique(openers.begin(), openers.end(), same), openers.end());
  return openers;
}

class Exposure {
 public:
  Exposure(const inventory::Inventory& inventory, const Topology& topology, const Guard* guard)
      : inventory_(inventory),
        topology_(topology),
        policy_(guard == nullptr ? nullptr : &guard->world.policy),
        own_(reachable_addresses(topology)) {
    if (guard != nullptr && guard->enforced) reach_.emplace(guard->world, guard->unattached);
  }

  ExposureReport run() {
    ExposureReport report;
    report.enforced = reach_.has_value();
    for (const Door& door : find_doors(inventory_, policy_)) report.doors.push_back(judge(door));
    std::stable_sort(report.doors.begin(), report.doors.end(),
                     [](const ExposedDoor& a, const ExposedDoor& b) { return rank(a) < rank(b); });
    for (const ExposedDoor& door : report.doors)
      ++(door.local ? report.local : door.declared ? report.declared : report.undeclared);
    add_interfaces(report);
    report.unseen = inventory_.unseen;
    return report;
  }

 private:
  // What one must not overlook comes first.
  static int rank(const ExposedDoor& door) {
    if (door.local) return 3;
    if (door.declared) return 2;
    return door.reachable ? 0 : 1;
  }

  [[nodiscard]] ExposedDoor judge(const Door& door) const {
    ExposedDoor exposed;
    exposed.address = door.address_text();
    exposed.interface = door.interface;
    exposed.proto = to_string(door.proto);
    exposed.port = door.ports.first;
    exposed.last_port = door.ports.last;
    exposed.opened_by = openers_of(door);
    exposed.local = door.is_local();
    if (policy_ != nullptr) exposed.declared_by = declared_by(*policy_, door, own_);
    exposed.declared = exposed.declared_by.has_value();
    if (exposed.local) return exposed;
    if (reach_) {
      auto reached = reach_->ask(door);
      exposed.from = std::move(reached.from);
      exposed.unguarded = std::move(reached.unguarded);
      exposed.denied = std::move(reached.denied);
    }
    exposed.reachable = !reach_ || !exposed.from.empty() || !exposed.unguarded.empty();
    if (exposed.declared) return exposed;
    exposed.declare = declaring_lines(door, policy_, exposed.from);
    exposed.close = closing_advice(door);
    return exposed;
  }

  void add_interfaces(ExposureReport& report) const {
    for (const auto& [index, interface] : topology_.interfaces) {
      const bool guarded = reach_ && reach_->guards(interface);
      if (interface.loopback || (interface.addresses.empty() && !guarded)) continue;
      auto& line = report.interfaces.emplace_back();
      line.name = interface.name;
      line.guarded = guarded;
      for (const Address& address : interface.addresses)
        line.addresses.push_back(address.to_string());
    }
  }

  const inventory::Inventory& inventory_;
  const Topology& topology_;
  const config::Policy* policy_;
  std::vector<Address> own_;
  std::optional<Reach> reach_;
};

}  // namespace

ExposureReport expose(const inventory::Inventory& inventory, const Topology& topology,
                      const Guard* guard) {
  return Exposure{inventory, topology, guard}.run();
}

}  // namespace fw::exposure
