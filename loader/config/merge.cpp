// SPDX-License-Identifier: GPL-2.0-only
#include "loader/config/merge.h"

#include <algorithm>
#include <filesystem>

#include "loader/config/names.h"
#include "loader/config/reader.h"

namespace fw::config {
namespace {

void merge(Node& base, Node overlay, Report& report);

void merge_entry(Node& base, Entry entry, Report& report) {
  const auto found = std::ranges::find_if(
      base.entries, [&](const Entry& known) { return known.key.text == entry.key.text; });
  if (found == base.entries.end()) {
    base.entries.push_back(std::move(entry));
    return;
  }
  // Whoever comments out the last line below a key does not mean to drop what the base says.
  if (entry.value.kind == Node::Kind::kNull && found->value.kind != Node::Kind::kNull) {
    report.error(entry.key.where,
                 quote(entry.key.text) + " has no value here and one in " + found->key.where.file +
                     ":" + std::to_string(found->key.where.line),
                 "leave the key out to keep that one, or write what replaces it: [] is an empty "
                 "list");
    return;
  }
  if (found->value.kind == Node::Kind::kMap && entry.value.kind == Node::Kind::kMap) {
    merge(found->value, std::move(entry.value), report);
  } else {
    *found = std::move(entry);
  }
}

void merge(Node& base, Node overlay, Report& report) {
  for (Entry& entry : overlay.entries) merge_entry(base, std::move(entry), report);
}

bool is_policy(const std::optional<Node>& root, const Source& layer, Report& report) {
  if (!root) return false;
  if (root->kind != Node::Kind::kNull) return is_map(*root, "a policy", report);
  report.error({layer.name, 0, 0}, "the policy is empty",
               "the least that a policy says is 'version: 1'");
  return false;
}

}  // namespace

std::optional<Node> read_layers(const std::vector<Source>& layers, Report& report) {
  std::optional<Node> merged;
  bool good = true;
  for (const Source& layer : layers) {
    report.add_source(layer);
    auto root = read_yaml(layer, report);
    if (!is_policy(root, layer, report)) {
      good = false;
      continue;
    }
    if (!merged)
      merged = std::move(root);
    else
      merge(*merged, *std::move(root), report);
  }
  if (!good) return std::nullopt;
  return merged;
}

std::string path_beside(const std::string& layer, const std::string& file) {
  return (std::filesystem::path{layer}.parent_path() / file).lexically_normal().string();
}

std::vector<std::string> attachment_names(const std::vector<Source>& layers) {
  Report ignored;
  const auto root = read_layers(layers, ignored);
  std::vector<std::string> names;
  if (!root) return names;
  for_each_attachment(*root, [&](const Node& file) {
    const std::string name = path_beside(file.where.file, file.text);
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  });
  return names;
}

std::string names_of(const Sources& sources) {
  std::string names;
  for (const Source& layer : sources.layers) names += (names.empty() ? "" : ", ") + layer.name;
  return names;
}

}  // namespace fw::config
