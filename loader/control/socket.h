// SPDX-License-Identifier: GPL-2.0-only
// The control socket's two ends: making it for the daemon, reaching it for fwctl.
#pragma once

#include <string>

#include "loader/base/fd.h"
#include "loader/base/result.h"

namespace fw::control {

// A listening, non-blocking socket at `path`, mode 0660, of `group` if that exists and of root's
// group otherwise. A socket file that nobody answers on is replaced; anything else at `path` is an
// error. Makes the last folder of the path when it is missing.
Result<Fd> listen_at(const std::string& path, const std::string& group);

// A connected, blocking socket. Error::code says why not: ENOENT and ECONNREFUSED mean that no
// daemon is there, EACCES that the caller may not.
Result<Fd> connect_to(const std::string& path);

}  // namespace fw::control
