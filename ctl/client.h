// SPDX-License-Identifier: GPL-2.0-only
// fwctl's end of the control channel: one request, one answer.
#pragma once

#include <string>

#include "loader/control/protocol.h"

namespace fw::ctl {

// The daemon's answer, or why there is none, as an answer too: Code::kNoDaemon when nobody listens
// on `socket`, Code::kNotPermitted when the caller may not open it.
control::Answer ask(const std::string& socket, const control::Request& request);

}  // namespace fw::ctl
