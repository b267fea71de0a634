// SPDX-License-Identifier: GPL-2.0-only
// What outlives the daemon besides the kernel's maps: which policy is in force, and what each
// account counts. One JSON file in the state folder, replaced as a whole.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "loader/base/result.h"
#include "loader/compile/image.h"
#include "loader/config/parse.h"

namespace fw {

// Enough to know a file again. Not the text: a list of a million addresses would be written with
// every change.
struct AttachmentMark {
  std::string name;
  std::uint64_t digest = 0;

  bool operator==(const AttachmentMark&) const = default;
};
std::vector<AttachmentMark> marks_of(const std::vector<config::Attachment>& attachments);

struct State {
  std::uint64_t generation = 0;  // of the policy in force; 0: none was ever applied
  std::string applied_at;        // RFC 3339, UTC
  std::string comment;
  std::vector<config::Source> layers;  // of the policy
  std::vector<AttachmentMark> attachments;
  compile::AccountBook accounts;

  // Were these the sources of the policy?
  [[nodiscard]] bool is_of(const config::Sources& sources) const;
};

// `directory` is created if it is missing (its parent must exist). No file yet is an empty State.
// A file that cannot be understood is an error that names it: the daemon says so and starts anew.
Result<State> load_state(const std::string& directory);

// Written beside and renamed over the old one, so a full disk or a crash leaves the old one whole.
Result<void> save_state(const std::string& directory, const State& state);

}  // namespace fw
