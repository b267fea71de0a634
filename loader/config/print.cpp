// SPDX-License-Identifier: GPL-2.0-only
// A tree back into YAML.
#include <yaml-cpp/emitter.h>

#include "loader/config/merge.h"
#include "loader/config/parse.h"

namespace fw::config {
namespace {

void emit(const Node& node, YAML::Emitter& out) {
  switch (node.kind) {
    case Node::Kind::kMap:
      out << YAML::BeginMap;
      for (const auto& [key, value] : node.entries) {
        out << YAML::Key;
        emit(key, out);
        out << YAML::Value;
        emit(value, out);
      }
      out << YAML::EndMap;
      return;
    case Node::Kind::kSequence:
      out << YAML::BeginSeq;
      for (const Node& item : node.items) emit(item, out);
      out << YAML::EndSeq;
      return;
    case Node::Kind::kScalar:
      // Quoted stays quoted: "true" is a text and true is not.
      if (!node.plain) out << YAML::DoubleQuoted;
      out << node.text;
      return;
    default:
      out << YAML::Null;
  }
}

}  // namespace

std::string print(const Sources& sources) {
  Report report;
  auto root = read_layers(sources.layers, report);
  if (!root || report.has_errors()) return "";
  for_each_attachment(*root,
                      [](Node& file) { file.text = path_beside(file.where.file, file.text); });
  YAML::Emitter out;
  emit(*root, out);
  return std::string{out.c_str()} + "\n";
}

}  // namespace fw::config
