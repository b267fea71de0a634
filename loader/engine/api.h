// SPDX-License-Identifier: GPL-2.0-only
// One question to a container engine, answered as JSON: HTTP over the engine's Unix socket, as
// docker and podman speak it. Only asks; nothing here changes anything of the engine's.
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "loader/base/result.h"

namespace fw::engine {

// Of the API that docker 20.10 and podman 4 share; a path begins with it.
inline constexpr std::string_view kApiVersion = "/v1.41";

// "unix:///run/docker.sock" -> "/run/docker.sock".
Result<std::string> socket_path(std::string_view url);

// GET `path`, which begins after the version: "/containers/json". No answer within `timeout`, one
// that is not 200, not JSON or larger than 64 MiB is an error; its code is the errno of the
// connection where that failed (ENOENT: there is no engine), else 0.
Result<nlohmann::json> get(const std::string& socket, const std::string& path,
                           std::chrono::milliseconds timeout = std::chrono::seconds{5});

}  // namespace fw::engine
