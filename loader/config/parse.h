// SPDX-License-Identifier: GPL-2.0-only
// Policy text -> Policy, or every mistake in it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "loader/config/model.h"

namespace fw::config {

enum class Severity { kError, kWarning };

// One thing wrong with a policy, for an operator: what is wrong and what to do about it.
struct Diagnostic {
  Severity severity = Severity::kError;
  Location where;
  std::string message;      // one clear sentence
  std::string hint;         // "did you mean 'services'?"; may be empty
  std::string source_line;  // the line at `where`, for the caret
};

// "FILE:LINE:COLUMN: error: MESSAGE", the source line, a caret, and the hint.
std::string to_string(const Diagnostic& diagnostic);

// A policy file's text and the name to call it by in messages.
struct Source {
  std::string name;
  std::string text;
};

// Largest policy file that is read; a larger one is refused with a message, not truncated.
inline constexpr std::size_t kMaxPolicyBytes = 8U << 20U;

struct Parsed {
  std::optional<Policy> policy;         // unset when there is at least one error
  std::vector<Diagnostic> diagnostics;  // in the order of the file
};

// Pure: touches no file, no kernel. Never throws.
Parsed parse(const Source& source);

}  // namespace fw::config
