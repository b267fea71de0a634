// SPDX-License-Identifier: GPL-2.0-only
// Can fwd run here at all? Asked before anything is touched, so that the answer is one sentence
// and not an errno from the middle of a load.
#pragma once

#include <string>
#include <string_view>

#include "loader/base/result.h"

namespace fw::bpf {

// Capabilities, the kernel's version, and BTF.
Result<void> check_system();

// The parts, as values, for tests. `release` is uname -r, `status` the text of /proc/self/status.
Result<void> check_kernel_release(std::string_view release);
Result<void> check_capabilities(std::string_view status);

}  // namespace fw::bpf
