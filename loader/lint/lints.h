// SPDX-License-Identifier: GPL-2.0-only
// The lints, one question each. Included by loader/lint/ only.
#pragma once

#include <string>

#include "loader/config/diagnostic.h"
#include "loader/config/model.h"

namespace fw::lint {

// Rules and doors that others make superfluous, or dead.
void shadowed_lines(const config::Policy& policy, config::Report& report);
// Rules and doors whose ends no packet can connect.
void impossible_lines(const config::Policy& policy, config::Report& report);
// IPv4 and IPv6 of the same machines treated differently by omission.
void forgotten_ipv6(const config::Policy& policy, config::Report& report);
// Zones that nobody is in.
void empty_zones(const config::Policy& policy, config::Report& report);
// Subnets whose addresses all belong to narrower subnets of other zones.
void hidden_subnets(const config::Policy& policy, config::Report& report);
// `masquerade: true` where nothing leaves.
void idle_masquerade(const config::Policy& policy, config::Report& report);
// Ports that the service does not declare.
void undeclared_ports(const config::Policy& policy, config::Report& report);
// Services that nothing is about.
void unused_services(const config::Policy& policy, config::Report& report);
// Tests that say what a rule says, in other words.
void echoing_tests(const config::Policy& policy, config::Report& report);
// A machine that nobody may reach to administer it.
void closed_host(const config::Policy& policy, config::Report& report);
// Rules of the host that host.egress makes superfluous.
void idle_egress_rules(const config::Policy& policy, config::Report& report);

// Of a line: "'lan -> host:22/tcp' (line 7)", as a message at `here` calls it.
std::string called(const std::string& text, const config::Location& there,
                   const config::Location& here);

}  // namespace fw::lint
