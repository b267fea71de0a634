// SPDX-License-Identifier: GPL-2.0-only
// Any text as a policy: read, compiled and tested, or refused with a reason.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <string>

#include "loader/compile/check.h"
#include "loader/config/parse.h"

namespace {

// A form feed begins an overlay; the one list that it may name is attached.
fw::config::Sources sources_of(const std::string& text) {
  fw::config::Sources sources{{}, {{"drop.txt", "192.0.2.0/24\n2001:db8::/32\n", ""}}};
  std::istringstream layers{text};
  for (std::string layer; std::getline(layers, layer, '\f');)
    sources.layers.push_back({"fuzz.yaml", layer});
  if (sources.layers.empty()) sources.layers.push_back({"fuzz.yaml", ""});
  return sources;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto sources = sources_of({reinterpret_cast<const char*>(data), size});
  const auto checked = fw::compile::check(sources, fw::config::Time{});
  std::size_t words = 0;
  for (const auto& diagnostic : checked.diagnostics)
    words += fw::config::to_string(diagnostic).size();
  if (!checked.accepted() && words == 0) std::abort();  // refused without a word
  return 0;
}
