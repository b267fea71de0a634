// SPDX-License-Identifier: GPL-2.0-only
// What an engine says of all its containers and networks, asked once.
#pragma once

#include <map>
#include <string>

#include "loader/base/endpoints.h"
#include "loader/base/result.h"

namespace fw::engine {

// `engine` is its name. `known`: containers by id, which are not asked about again; afterwards,
// those that run.
Result<Endpoints> list_endpoints(const std::string& socket, const std::string& engine,
                                 std::map<std::string, Container>& known);

}  // namespace fw::engine
