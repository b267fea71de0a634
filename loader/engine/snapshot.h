// SPDX-License-Identifier: GPL-2.0-only
// What an engine's API answers -> Endpoints, and Endpoints as one line of JSON between the process
// that asks and the daemon.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "loader/base/endpoints.h"

namespace fw::engine {

// All that one engine said at one time, or why it said nothing.
struct Snapshot {
  std::string engine;   // "docker 20.10.24"
  std::string trouble;  // not empty: the rest says nothing
  int code = 0;         // errno of the trouble, else 0
  Endpoints endpoints;

  bool operator==(const Snapshot&) const = default;
};

// "docker" or "podman", and "docker 20.10.24", from /version.
std::string engine_name(const nlohmann::json& version);
std::string engine_title(const nlohmann::json& version);

// From /containers/ID/json. Unset for a container that does not run.
std::optional<Container> read_container(const nlohmann::json& answer, const std::string& engine);

// From /networks.
std::vector<ContainerNetwork> read_networks(const nlohmann::json& answer);

// The text of a member; "" where there is none.
std::string text_of(const nlohmann::json& object, const char* name);

std::string to_line(const Snapshot& snapshot);  // without its '\n'
Result<Snapshot> from_line(const std::string& line);

}  // namespace fw::engine
