// SPDX-License-Identifier: GPL-2.0-only
// The ports that a container engine publishes, out of its own words. Pure.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "loader/inventory/inventory.h"

namespace fw::inventory {

// The answer to GET /containers/json; what is not as docker and podman write it is passed over. A
// port without the host's address, as podman 4 lists it, is published on every one.
std::vector<PublishedPort> read_containers(const nlohmann::json& list, const std::string& engine);

// Names of containers by id, those that publish nothing included.
std::map<std::string, std::string> container_names(const nlohmann::json& list);

// Ports in a row that lead to ports in a row become one entry.
void join_ranges(std::vector<PublishedPort>& ports);

}  // namespace fw::inventory
