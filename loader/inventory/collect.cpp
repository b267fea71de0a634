// SPDX-License-Identifier: GPL-2.0-only
#include "loader/inventory/collect.h"

#include <net/if.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <map>

#include "loader/engine/api.h"
#include "loader/engine/listing.h"
#include "loader/inventory/command.h"
#include "loader/inventory/nat_rules.h"
#include "loader/inventory/processes.h"
#include "loader/inventory/published.h"
#include "loader/inventory/sockets.h"

namespace fw::inventory {
namespace {

void add_listeners(Inventory& inventory) {
  auto sockets = read_sockets();
  if (!sockets) {
    inventory.unseen.push_back(sockets.error().message + "; listening sockets are not shown");
    return;
  }
  const auto owners = socket_owners();
  std::size_t nameless = 0;
  for (Socket& socket : *sockets) {
    Listener& listener = socket.listener;
    if (const auto found = owners.find(socket.inode); found != owners.end())
      listener.processes = found->second;
    else if (socket.inode != 0)
      ++nameless;
    std::array<char, IF_NAMESIZE> name{};
    if (socket.interface != 0 && ::if_indextoname(socket.interface, name.data()) != nullptr)
      listener.interface = name.data();
    inventory.listeners.push_back(std::move(listener));
  }
  if (nameless > 0)
    inventory.unseen.push_back("the processes of " + std::to_string(nameless) +
                               " sockets are out of sight; root sees those of all users");
}

void name_containers(const std::map<std::string, std::string>& names, Inventory& inventory) {
  for (Listener& listener : inventory.listeners)
    for (Process& process : listener.processes)
      if (const auto found = names.find(process.container_id); found != names.end())
        process.container = found->second;
}

void add_endpoints(const Engine& engine, Inventory& inventory) {
  std::map<std::string, Container> containers;
  auto found = engine::list_endpoints(engine.socket, engine.name, containers);
  if (!found) {
    inventory.unseen.push_back(found.error().message +
                               "; what a policy says of its containers by name is not known");
    return;
  }
  auto& [all, networks] = inventory.endpoints;
  std::ranges::move(found->containers, std::back_inserter(all));
  std::ranges::move(found->networks, std::back_inserter(networks));
}

void add_engine(const Engine& engine, Inventory& inventory) {
  const auto list = engine::get(engine.socket, "/containers/json");
  if (!list) {
    const bool absent = list.error().code == ENOENT;
    if (!absent || engine.expected)
      inventory.unseen.push_back(list.error().message + "; its published ports are not shown");
    return;
  }
  auto published = read_containers(*list, engine.name);
  join_ranges(published);
  for (auto& port : published) inventory.published.push_back(std::move(port));
  name_containers(container_names(*list), inventory);
  add_endpoints(engine, inventory);
}

// A user's PATH has no sbin.
Result<Output> run_nft() {
  auto output = run({"nft", "-j", "list", "ruleset"});
  if (!output && output.error().code == ENOENT)
    output = run({"/usr/sbin/nft", "-j", "list", "ruleset"});
  return output;
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

void add_redirects(Inventory& inventory) {
  constexpr const char* kMissing = "; NAT rules are not shown";
  const auto output = run_nft();
  if (!output) {
    const bool absent = output.error().code == ENOENT;
    inventory.unseen.push_back(
        (absent ? "nft is not installed (package nftables)" : output.error().message) + kMissing);
    return;
  }
  if (output->status != 0) {
    inventory.unseen.push_back("nft cannot list its rules: " + first_line(output->err) + kMissing);
    return;
  }
  auto rules = read_nat_rules(output->out);
  if (!rules) {
    inventory.unseen.push_back(rules.error().message + kMissing);
    return;
  }
  inventory.redirects = std::move(rules->redirects);
  for (auto& sentence : rules->unclear) inventory.unseen.push_back(std::move(sentence));
  if (rules->filters_input)
    inventory.unseen.emplace_back(
        "nft rules filter what comes in; they are not judged, so that less may be reachable than "
        "is said here");
}

}  // namespace

std::vector<Engine> default_engines() {
  return {{"docker", "/run/docker.sock"}, {"podman", "/run/podman/podman.sock"}};
}

Inventory collect(const std::vector<Engine>& engines) {
  Inventory inventory;
  add_listeners(inventory);
  for (const Engine& engine : engines) add_engine(engine, inventory);
  add_redirects(inventory);
  return inventory;
}

}  // namespace fw::inventory
