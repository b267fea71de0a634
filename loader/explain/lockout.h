// SPDX-License-Identifier: GPL-2.0-only
// Would this policy cut off the person who puts it in force?
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "loader/config/parse.h"
#include "loader/explain/world.h"

namespace fw::explain {

// A TCP session from another machine to this one.
struct Session {
  Address client;
  Address server;
  std::uint16_t server_port = 0;
};

// What sshd says of a session in SSH_CONNECTION: "CLIENT PORT SERVER PORT". Unset when it is not
// that.
std::optional<Session> read_session(std::string_view ssh_connection);

// Why packets of the session would be dropped, and the line that lets them pass; unset when they
// would not, or never meet fwd: the session ends on another machine (or in another network
// namespace), or comes by an interface that fwd takes no part on.
std::optional<config::Diagnostic> lockout(const World& world, const Session& session);

// The same of the machine that is assumed to be this policy's, with the session's end on it. An
// error is a limit that the policy exceeds.
Result<std::optional<config::Diagnostic>> lockout(const config::Policy& written,
                                                  const Session& session);

}  // namespace fw::explain
