// SPDX-License-Identifier: GPL-2.0-only
// Names of containers and networks -> addresses. In front of the compiler: what it is given has
// addresses and subnets only, whoever said so.
#pragma once

#include <string>
#include <vector>

#include "loader/base/endpoints.h"
#include "loader/base/topology.h"
#include "loader/config/model.h"

namespace fw::compile {

// One address of a container, or a container that has none fwd can guard.
struct Member {
  std::string container;
  std::string service;  // of the policy; several joined by ", "; empty: none names it
  std::optional<Address> address;
  std::string why;  // it is not enforced; empty: it is
};

struct Bound {
  config::Policy policy;  // services have the addresses of their containers, zones the subnets of
                          // their networks
  Topology topology;      // knows where each container is, and which bridges are an engine's
  std::vector<Member> members;
  std::vector<std::string> troubles;  // a sentence for each name that no engine knows
};

// A container counts while the kernel still has its veth, so that nobody inherits the address of
// one that is gone, however late its engine says so. Pure.
Bound bind(config::Policy policy, Topology topology, const Endpoints& endpoints);

// For questions without a machine: each service that an engine would tell has one address of each
// family, and each network one subnet of each, that no policy has a reason to name.
config::Policy with_assumed_members(config::Policy policy);

}  // namespace fw::compile
