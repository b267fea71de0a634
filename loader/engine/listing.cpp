// SPDX-License-Identifier: GPL-2.0-only
#include "loader/engine/listing.h"

#include "loader/engine/api.h"
#include "loader/engine/snapshot.h"

namespace fw::engine {

Result<Endpoints> list_endpoints(const std::string& socket, const std::string& engine,
                                 std::map<std::string, Container>& known) {
  const auto networks = get(socket, "/networks");
  if (!networks) return networks.error();
  const auto running = get(socket, "/containers/json");
  if (!running) return running.error();
  std::map<std::string, Container> containers;
  for (const auto& each : *running) {
    const std::string id = text_of(each, "Id");
    const auto found = known.find(id);
    if (found != known.end()) {
      containers.insert(*found);
    } else if (const auto answer = get(socket, "/containers/" + id + "/json")) {
      if (auto container = read_container(*answer, engine)) containers[id] = *std::move(container);
    }
  }
  known = std::move(containers);

  Endpoints endpoints{{}, read_networks(*networks)};
  for (const auto& [id, container] : known) endpoints.containers.push_back(container);
  return endpoints;
}

}  // namespace fw::engine
