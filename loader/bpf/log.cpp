// SPDX-License-Identifier: GPL-2.0-only
// The libbpf log callback.
#include "loader/bpf/log.h"

#include <bpf/libbpf.h>
#include <spdlog/spdlog.h>

#include <cstdarg>
#include <cstdio>
#include <deque>
#include <string_view>

namespace fw::bpf {
namespace {

// A verifier log is one message of many lines and its verdict is at the end.
constexpr std::size_t kLinesKept = 12;
constexpr std::size_t kMessageMax = 1U << 16U;

thread_local std::deque<std::string> warnings;

void keep(std::string_view text) {
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    if (!line.empty() && line.find_first_not_of(" -") != std::string_view::npos)
      warnings.emplace_back(line);
    if (warnings.size() > kLinesKept) warnings.pop_front();
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
}

__attribute__((format(printf, 2, 0))) int on_message(libbpf_print_level level, const char* format,
                                                     va_list arguments) {
  va_list again;
  va_copy(again, arguments);
  const int length = std::vsnprintf(nullptr, 0, format, arguments);
  if (length > 0) {
    std::string text(static_cast<std::size_t>(length), '\0');
    std::vsnprintf(text.data(), text.size() + 1, format, again);
    if (text.size() > kMessageMax) text.erase(0, text.size() - kMessageMax);
    while (!text.empty() && text.back() == '\n') text.pop_back();
    if (level == LIBBPF_WARN) keep(text);
    spdlog::log(level == LIBBPF_DEBUG ? spdlog::level::trace : spdlog::level::debug, "{}", text);
  }
  va_end(again);
  return 0;
}

}  // namespace

void capture_libbpf_log() {
  libbpf_set_print(on_message);
}

void forget_warnings() {
  warnings.clear();
}

std::string last_warnings() {
  std::string joined;
  for (const auto& line : warnings) joined += (joined.empty() ? "" : "; ") + line;
  return joined;
}

}  // namespace fw::bpf
