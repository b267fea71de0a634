// SPDX-License-Identifier: GPL-2.0-only
// One run of fwctl: the global options, where its words go, and how it ends. Every verb gets one.
#pragma once

#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "ctl/client.h"
#include "ctl/render.h"
#include "loader/control/protocol.h"

namespace fw::ctl {

class Session {
 public:
  // `terminal`: whether `out` is one, and may be coloured.
  Session(std::ostream& out, std::ostream& err, bool terminal)
      : out_(out), err_(err), terminal_(terminal) {}

  std::string socket = control::kDefaultSocket;
  bool json = false;
  bool no_color = false;

  [[nodiscard]] Style style() const { return {.colour = terminal_ && !no_color}; }
  [[nodiscard]] int exit_code() const { return static_cast<int>(code_); }

  // Data.
  void print(const std::string& text) { out_ << text; }
  void print_json(const std::string& json_text) { out_ << control::pretty(json_text) << "\n"; }
  // A message for the person who typed.
  void say(const std::string& sentence) { err_ << "fwctl: " << sentence << "\n"; }
  void show(const std::vector<config::Diagnostic>& diagnostics);
  // Ends the run: the sentence on stderr, with --json the whole answer on stdout too.
  void fail(const control::Answer& answer);
  void end(control::Code code) { code_ = code; }

  // Asks the daemon. Unset: it has failed, and the user knows why.
  template <class Report>
  std::optional<Report> fetch(const control::Request& request);
  // Likewise, and with --json prints what it answers.
  template <class Report>
  std::optional<Report> ask(const control::Request& request);
  // Asks, and prints what `render` makes of the report, or with --json the report itself.
  template <class Report, class Render>
  void query(const control::Request& request, Render render);

 private:
  std::ostream& out_;
  std::ostream& err_;
  bool terminal_;
  control::Code code_ = control::Code::kOk;
};

template <class Report>
std::optional<Report> Session::fetch(const control::Request& request) {
  const auto answer = ctl::ask(socket, request);
  if (answer.code != control::Code::kOk) {
    fail(answer);
    return std::nullopt;
  }
  auto report = control::from_json<Report>(answer.result);
  if (report) return *std::move(report);
  fail(control::failure(control::Code::kNoDaemon,
                        "reading the answer of fwd: " + report.error().message));
  return std::nullopt;
}

template <class Report>
std::optional<Report> Session::ask(const control::Request& request) {
  auto report = fetch<Report>(request);
  if (report && json) print_json(control::to_json(*report));
  return report;
}

template <class Report, class Render>
void Session::query(const control::Request& request, Render render) {
  const auto report = ask<Report>(request);
  if (report && !json) print(render(*report));
}

}  // namespace fw::ctl
