// SPDX-License-Identifier: GPL-2.0-only
// Mistakes: collected, put in order, and shown as the line with a caret under it.
#include "loader/config/diagnostic.h"

#include <algorithm>
#include <tuple>

namespace fw::config {
namespace {

// More is noise to a reader, and costs time and memory on a hostile file.
constexpr std::size_t kMaxDiagnostics = 100;
constexpr std::size_t kMaxLineBytes = 200;

// What stands before the caret so that it ends up under its token: a tab for each tab, one space
// for each other character (not for each byte).
std::string caret_indent(std::string_view line, std::size_t bytes) {
  std::string indent;
  for (const char c : line.substr(0, bytes)) {
    const bool continues = (static_cast<unsigned char>(c) & 0xc0) == 0x80;
    if (!continues) indent += c == '\t' ? '\t' : ' ';
  }
  return indent;
}

}  // namespace

std::string to_string(const Diagnostic& diagnostic) {
  const Location& where = diagnostic.where;
  std::string text = where.file;
  if (where.line > 0) {
    text += ":" + std::to_string(where.line) + ":" + std::to_string(where.column);
  }
  text += diagnostic.severity == Severity::kError ? ": error: " : ": warning: ";
  text += diagnostic.message + "\n";
  const auto before = static_cast<std::size_t>(std::max(where.column - 1, 0));
  if (!diagnostic.source_line.empty() && before <= diagnostic.source_line.size()) {
    text += "  " + diagnostic.source_line + "\n";
    text += "  " + caret_indent(diagnostic.source_line, before) + "^\n";
  }
  if (!diagnostic.hint.empty()) text += "  hint: " + diagnostic.hint + "\n";
  return text;
}

std::string place_of(const Location& there, const Location& here) {
  const std::string line = std::to_string(there.line);
  return there.file == here.file ? "line " + line : there.file + ":" + line;
}

void Report::add_source(const Source& source) {
  Lines& lines = sources_[source.name];
  lines.order = sources_.size();
  std::string_view rest = source.text;
  if (rest.starts_with("\xef\xbb\xbf")) rest.remove_prefix(3);
  while (!rest.empty()) {
    const auto end = std::min(rest.find('\n'), rest.size());
    auto line = rest.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.lines.push_back(line);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

std::string Report::line_at(const Location& where) const {
  const auto source = sources_.find(where.file);
  if (source == sources_.end() || where.line < 1) return "";
  const auto& lines = source->second.lines;
  const auto index = static_cast<std::size_t>(where.line) - 1;
  if (index >= lines.size()) return "";
  std::string line{lines[index].substr(0, kMaxLineBytes)};
  // A terminal must not obey what a broken file holds.
  const bool unsafe = std::any_of(line.begin(), line.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
  });
  return unsafe ? "" : line;
}

void Report::add(Severity severity, const Location& where, std::string message, std::string hint) {
  has_errors_ = has_errors_ || severity == Severity::kError;
  if (diagnostics_.size() >= kMaxDiagnostics) {
    too_many_ = true;
    return;
  }
  diagnostics_.push_back({severity, where, std::move(message), std::move(hint), line_at(where)});
}

std::vector<Diagnostic> Report::take() && {
  const auto key = [this](const Diagnostic& d) {
    const auto source = sources_.find(d.where.file);
    const std::size_t order = source == sources_.end() ? 0 : source->second.order;
    return std::tuple{order, d.where.line, d.where.column};
  };
  std::stable_sort(diagnostics_.begin(), diagnostics_.end(),
                   [&](const auto& a, const auto& b) { return key(a) < key(b); });
  const auto same = [](const Diagnostic& a, const Diagnostic& b) {
    return a.where == b.where && a.message == b.message;
  };
  diagnostics_.erase(std::unique(diagnostics_.begin(), diagnostics_.end(), same),
                     diagnostics_.end());
  if (too_many_ && !diagnostics_.empty()) {
    diagnostics_.push_back({has_errors_ ? Severity::kError : Severity::kWarning,
                            {diagnostics_.back().where.file, 0, 0},
                            std::string{"there are more "} +
                                (has_errors_ ? "mistakes" : "warnings") + " than the " +
                                std::to_string(kMaxDiagnostics) + " shown here",
                            "",
                            ""});
  }
  return std::move(diagnostics_);
}

}  // namespace fw::config
