// SPDX-License-Identifier: GPL-2.0-only
// What libbpf has to say: to our log at debug level, and its last words kept, so that a refusal of
// the verifier or of a driver can be quoted in an error.
#pragma once

#include <string>

namespace fw::bpf {

// Routes libbpf's messages through here. Idempotent; call it before any other use of libbpf.
void capture_libbpf_log();

// The warnings since the last call of forget_warnings() on this thread, the last ones if they are
// many, joined by "; ". Empty when libbpf said nothing.
std::string last_warnings();
void forget_warnings();

}  // namespace fw::bpf
