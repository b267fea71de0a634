// SPDX-License-Identifier: GPL-2.0-only
// Where mistakes are collected while a policy is read.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "loader/config/parse.h"

namespace fw::config {

// Collects diagnostics and gives each its source line. Holds views of the sources' texts, which
// must outlive it. Several sources may be added (overlays).
class Report {
 public:
  void add_source(const Source& source);

  void error(const Location& where, std::string message, std::string hint = "") {
    add(Severity::kError, where, std::move(message), std::move(hint));
  }
  void warning(const Location& where, std::string message, std::string hint = "") {
    add(Severity::kWarning, where, std::move(message), std::move(hint));
  }
  [[nodiscard]] bool has_errors() const { return has_errors_; }

  // In the order of the files; of one mistake found twice, once.
  [[nodiscard]] std::vector<Diagnostic> take() &&;

 private:
  void add(Severity severity, const Location& where, std::string message, std::string hint);
  [[nodiscard]] std::string line_at(const Location& where) const;

  struct Lines {
    std::size_t order = 0;
    std::vector<std::string_view> lines;
  };
  std::map<std::string, Lines> sources_;
  std::vector<Diagnostic> diagnostics_;
  bool has_errors_ = false;
  bool too_many_ = false;
};

// How a message at `here` calls another place: "line 3", or "base.yaml:3" in another file.
std::string place_of(const Location& there, const Location& here);

}  // namespace fw::config
