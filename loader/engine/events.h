// SPDX-License-Identifier: GPL-2.0-only
// An engine's event stream: one JSON object after the other, for as long as the engine lives.
#pragma once

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "loader/base/result.h"

namespace fw::engine {

class EventStream {
 public:
  // Events since `since` (of the system's clock), so that none is missed between a listing and now.
  static Result<EventStream> open(const std::string& socket,
                                  std::chrono::system_clock::time_point since);
  EventStream(EventStream&&) noexcept;
  EventStream& operator=(EventStream&&) noexcept;
  ~EventStream();

  // What came within `timeout`; returns as soon as something did. An error: the stream ended.
  Result<std::vector<nlohmann::json>> wait(std::chrono::milliseconds timeout);

 private:
  struct Connection;
  explicit EventStream(std::unique_ptr<Connection> connection);
  std::unique_ptr<Connection> connection_;  // libcurl keeps its address
};

}  // namespace fw::engine
