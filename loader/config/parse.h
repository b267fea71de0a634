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

// A file that a policy names, such as a list of addresses. `error` says why it could not be read.
struct Attachment {
  std::string name;
  std::string text;
  std::string error;
};

// All that one policy is read from.
struct Sources {
  std::vector<Source> layers;  // each overlays those before it
  std::vector<Attachment> attachments;
};

// "base.yaml, prod.yaml"
std::string names_of(const Sources& sources);

// Largest sum of the layers of one policy that is read; a larger one is refused with a message, not
// truncated.
inline constexpr std::size_t kMaxPolicyBytes = 8U << 20U;

struct Parsed {
  std::optional<Policy> policy;         // unset when there is at least one error
  std::vector<Diagnostic> diagnostics;  // in the order of the file
};

// Largest sum of the attachments of one policy; a million addresses take about 16 MiB.
inline constexpr std::size_t kMaxAttachmentBytes = 64U << 20U;

// Pure: touches no file, no kernel. Never throws.
Parsed parse(const Sources& sources);
Parsed parse(const Source& source);

// The files that the layers name, as they are called in `attachments`: relative ones stand beside
// the layer that names them. Mistakes are left to parse().
std::vector<std::string> attachment_names(const std::vector<Source>& layers);

// The layers as one policy, in YAML that means the same; nothing of layers with mistakes.
std::string print(const Sources& sources);

}  // namespace fw::config
