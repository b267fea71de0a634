// SPDX-License-Identifier: GPL-2.0-only
// A policy as a picture: zones with their services, doors, and the flows that are allowed. Pure and
// deterministic.
#pragma once

#include <string>
#include <vector>

#include "loader/config/model.h"

namespace fw::graph {

// A service, or a peer that stands by itself (the internet, a CIDR).
struct Node {
  std::string id;  // unique in the graph: "service proxy", "zone internet", "net 10.0.0.0/8"
  std::string title;
  std::vector<std::string> ports;  // "http 80/tcp"
};

// A zone. Flows of the zone itself begin and end at its id.
struct Zone {
  std::string id;
  std::string title;
  std::string subtitle;  // where it is: interfaces, subnets, networks
  bool outside = false;  // on a wire, or nowhere in particular: stands at the left
  std::vector<Node> services;
};

// What comes from `from` through `door`, or directly, reaches `to`.
struct Flow {
  std::string from;
  std::string to;
  std::string port;  // "http 80/tcp", a port of the node where it has it; "every port"
  std::string door;  // "http: host:8080"; "": none
  bool admin = false;

  auto operator<=>(const Flow&) const = default;
};

struct Graph {
  std::string name;
  std::vector<Zone> zones;         // "host" among them
  std::vector<Flow> flows;         // sorted, each once
  std::vector<std::string> notes;  // blocks, and what else has no arrow
};

Graph of_policy(const config::Policy& policy);

std::string to_dot(const Graph& graph);
std::string to_mermaid(const Graph& graph);
std::string to_svg(const Graph& graph);

}  // namespace fw::graph
