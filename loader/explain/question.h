// SPDX-License-Identifier: GPL-2.0-only
// "FROM TO[:PORT[/PROTO]]", understood as a flow of the policy is.
#pragma once

#include <string>
#include <vector>

#include "loader/config/model.h"

namespace fw::explain {

struct Question {
  config::Peer from;
  config::Peer to;
  std::vector<config::PortSet> ports;  // empty: every port and protocol
  std::string router;                  // "router:80" when the router's side of a door was asked for
};

// FROM and TO: a zone, a service, host, internet, *, an address, a CIDR; TO also router:PORT, the
// port that the router in front maps to a door. Errors are for whoever typed it.
Result<Question> read_question(const config::Policy& policy, const std::string& from,
                               const std::string& to);

// "backend -> redis:6379/tcp".
std::string to_string(const Question& question);

}  // namespace fw::explain
