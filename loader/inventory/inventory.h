// SPDX-License-Identifier: GPL-2.0-only
// What opens doors on a machine, as values: sockets that listen, ports that container engines
// publish, NAT rules that lead inwards. Only what the machine says; no conclusions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "loader/base/endpoints.h"
#include "loader/base/net.h"

namespace fw::inventory {

struct Process {
  int pid = 0;
  std::string name;          // as /proc/PID/comm has it
  std::string container_id;  // of the container that it runs in; "": none
  std::string container;     // its name, where an engine tells

  auto operator<=>(const Process&) const = default;
};

// A TCP socket that listens, or a bound UDP socket without a peer.
struct Listener {
  Proto proto = Proto::kTcp;
  Address address;                 // unspecified: every address of its family
  bool dual_stack = false;         // "::" that takes IPv4 as well
  std::uint16_t port = 0;          // host byte order
  std::string interface;           // SO_BINDTODEVICE; "": every one
  std::vector<Process> processes;  // empty: the kernel's own, or out of sight

  bool operator==(const Listener&) const = default;
};

// `-p` of a container. Both ranges have the same size and are mapped one to one.
struct PublishedPort {
  std::string container;     // its name
  std::string container_id;  // 64 hexadecimal digits
  std::string engine;        // "docker", "podman", or the socket's path
  std::vector<Address> container_addresses;
  Proto proto = Proto::kTcp;
  std::optional<Address> address;  // unset or unspecified: every one
  PortRange host;
  PortRange target;

  bool operator==(const PublishedPort&) const = default;
};

// A rule that sends what comes in for one destination to another.
struct Redirect {
  std::string rule;                // "ip nat DOCKER handle 4"
  std::optional<Family> family;    // unset: both
  std::optional<Address> address;  // that it applies to; unset: every one
  std::string interface;           // that the packet comes in by; "": every one
  Proto proto = Proto::kTcp;
  PortRange ports;
  std::string to;  // "172.17.0.2:80"; "" where nft does not say

  bool operator==(const Redirect&) const = default;
};

struct Inventory {
  std::vector<Listener> listeners;
  std::vector<PublishedPort> published;
  std::vector<Redirect> redirects;
  Endpoints endpoints;  // what the engines' containers and networks are called, and where they are
  std::vector<std::string> unseen;  // sentences on what could not be read, and why
};

}  // namespace fw::inventory
