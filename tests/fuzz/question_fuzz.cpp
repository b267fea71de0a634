// SPDX-License-Identifier: GPL-2.0-only
// Any two words as FROM and TO of `fwctl explain`: understood, or refused with a reason. What is
// understood is spelt so that it is understood again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "loader/config/parse.h"
#include "loader/explain/question.h"

namespace {

const fw::config::Policy& policy() {
  static const auto parsed = fw::config::parse({"fuzz.yaml", R"(version: 1
host: {uplinks: [eth0]}
zones:
  lan: {subnets: [192.168.1.0/24, "fd00:1::/64"]}
services:
  web: {addresses: [172.20.1.10, "fd00:2::10"], ports: {http: 80, dns: 53/tcp+udp, media: 30000-30100/udp}}
publish:
  http: {router: 80, host: 8080, to: web:http, from: [internet, lan]}
)"});
  return *parsed.policy;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text{reinterpret_cast<const char*>(data), size};
  const auto space = text.find(' ');
  if (space == std::string::npos) return 0;
  const auto question =
      fw::explain::read_question(policy(), text.substr(0, space), text.substr(space + 1));
  if (!question) {
    if (question.error().message.empty()) std::abort();
    return 0;
  }
  if (!question->router.empty()) return 0;  // spelt as the door that it asks for
  const std::string spelt = to_string(*question);
  const auto arrow = spelt.find(" -> ");
  const auto again =
      fw::explain::read_question(policy(), spelt.substr(0, arrow), spelt.substr(arrow + 4));
  if (!again || to_string(*again) != spelt) std::abort();
  return 0;
}
