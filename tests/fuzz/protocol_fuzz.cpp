// SPDX-License-Identifier: GPL-2.0-only
// Any line on the control socket: a request or an answer that is encoded to the same one again, or
// an error.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "loader/control/protocol.h"

namespace {

using namespace fw::control;

// What is read is written so that it is read as the same again.
void check_request(const Request& request) {
  const auto written = encode(request);
  if (!written) std::abort();
  const auto read = decode_request(*written);
  if (!read) std::abort();
  const auto again = encode(*read);
  if (!again || *again != *written) std::abort();
}

void check_answer(const Answer& answer) {
  const std::string written = encode(answer);
  const auto read = decode_answer(written);
  if (!read || encode(*read) != written) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view line{reinterpret_cast<const char*>(data), size};
  if (const auto request = decode_request(line)) check_request(*request);
  if (const auto answer = decode_answer(line)) check_answer(*answer);
  return 0;
}
