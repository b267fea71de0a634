// SPDX-License-Identifier: GPL-2.0-only
// By which SSH session was fwctl started?
#pragma once

#include <sys/types.h>

#include <string>

namespace fw::ctl {

// SSH_CONNECTION, fwctl's own or that of the nearest ancestor which has one: sudo and su do not
// hand it on. "" without one, and when it is set to nothing.
std::string ssh_connection();

// Of process `pid` or its ancestors. Those of other users answer root only.
std::string ssh_connection_of(pid_t pid, const std::string& proc = "/proc");

}  // namespace fw::ctl
