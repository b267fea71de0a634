// SPDX-License-Identifier: GPL-2.0-only
// The machine's containers as a value: what container engines say, before fwd draws any conclusion
// from it. Beside Topology, which is what the kernel says.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "loader/base/net.h"
#include "loader/base/topology.h"

namespace fw {

struct ContainerNetwork {
  std::string name;
  std::string driver;  // "bridge", "macvlan"...
  std::string bridge;  // its interface on this machine; empty: the engine does not say
  std::vector<Prefix> subnets;

  bool operator==(const ContainerNetwork&) const = default;
};

// A container's place in one network.
struct ContainerAttachment {
  std::string network;
  std::vector<Address> addresses;
  Mac mac{};

  bool operator==(const ContainerAttachment&) const = default;
};

// A container that runs.
struct Container {
  std::string engine;  // "docker", "podman"
  std::string id;
  std::string name;
  std::string project;  // of compose; empty: none
  std::string service;
  std::string network_mode;  // "host", "container:ID", a network's name...
  std::int32_t pid = 0;      // of its first process, as this machine numbers it
  std::vector<ContainerAttachment> attachments;

  bool operator==(const Container&) const = default;
};

struct Endpoints {
  std::vector<Container> containers;
  std::vector<ContainerNetwork> networks;

  bool operator==(const Endpoints&) const = default;
};

}  // namespace fw
