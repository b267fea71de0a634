// SPDX-License-Identifier: GPL-2.0-only
// The sections of a policy: each reads one top-level key's value into the scope.
#pragma once

#include "loader/config/resolve.h"
#include "loader/config/yaml.h"

namespace fw::config {

// Puts the names of `zones` and `services` (either may be null) into the scope, so that the
// sections may come in any order. Must come first.
void declare_names(const Node* zones, const Node* services, Scope& scope);

void read_services(const Node& services, Scope& scope);  // before all that names ports
void read_zones(const Node& zones, Scope& scope);        // after services
void read_host(const Node& host, Scope& scope);          // after zones
void read_publish(const Node& publish, Scope& scope);
void read_rules(const Node& rules, RuleKind kind, Scope& scope);
void read_tests(const Node& tests, Scope& scope);

// Refuses flows of host.admin that no packet can belong to; when all has been read.
void check_admin(Scope& scope);

}  // namespace fw::config
