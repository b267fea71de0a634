// SPDX-License-Identifier: GPL-2.0-only
// Any text as a policy: read, compiled and tested, or refused with a reason.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "loader/compile/check.h"
#include "loader/config/parse.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fw::config::Source source{"fuzz.yaml", {reinterpret_cast<const char*>(data), size}};
  const auto checked = fw::compile::check(source);
  std::size_t words = 0;
  for (const auto& diagnostic : checked.diagnostics)
    words += fw::config::to_string(diagnostic).size();
  if (!checked.accepted() && words == 0) std::abort();  // refused without a word
  return 0;
}
