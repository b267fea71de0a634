// SPDX-License-Identifier: GPL-2.0-only
// Overlays: several trees into one, every value with the place that it was written at.
#pragma once

#include <optional>

#include "loader/config/yaml.h"

namespace fw::config {

// The layers of `sources` as one tree. Maps merge; scalars and lists replace. Unset, or with
// errors in `report`, when nothing good can be made of them.
std::optional<Node> read_layers(const std::vector<Source>& layers, Report& report);

// The path of `file` as a message and an Attachment call it: `file` is written in `layer`.
std::string path_beside(const std::string& layer, const std::string& file);

// Calls `visit` with each value of the tree that names an attachment.
template <class N, class Visit>
void for_each_attachment(N& root, Visit visit) {
  for (auto& section : root.entries) {
    if (section.key.text != "block") continue;
    for (auto& rule : section.value.items)
      for (auto& field : rule.entries)
        if (field.key.text == "file" && field.value.kind == Node::Kind::kScalar) visit(field.value);
  }
}

}  // namespace fw::config
