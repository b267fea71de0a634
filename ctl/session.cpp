// SPDX-License-Identifier: GPL-2.0-only
#include "ctl/session.h"

namespace fw::ctl {

void Session::show(const std::vector<config::Diagnostic>& diagnostics) {
  for (const auto& diagnostic : diagnostics) {
    const auto text = config::to_string(diagnostic);
    err_ << text << (text.ends_with('\n') ? "" : "\n");
  }
}

void Session::fail(const control::Answer& answer) {
  code_ = answer.code;
  if (json)
    print_json(control::encode(answer));
  else
    show(answer.diagnostics);
  say(answer.error);
}

}  // namespace fw::ctl
