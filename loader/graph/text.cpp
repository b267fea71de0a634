// SPDX-License-Identifier: GPL-2.0-only
// A graph for other programs to lay out: DOT of Graphviz, and Mermaid.
#include <spdlog/fmt/fmt.h>

#include <map>

#include "loader/graph/graph.h"

namespace fw::graph {
namespace {

// Short names, for both languages have rules about long ones: z0, s0...
std::map<std::string, std::string> short_names(const Graph& graph) {
  std::map<std::string, std::string> names;
  std::size_t zones = 0;
  std::size_t services = 0;
  for (const Zone& zone : graph.zones) {
    names[zone.id] = "z" + std::to_string(zones++);
    for (const Node& service : zone.services) names[service.id] = "s" + std::to_string(services++);
  }
  return names;
}

std::string dot_text(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (c == '\n')
      quoted += "\\n";
    else
      quoted += c;
  }
  return quoted + '"';
}

// Mermaid reads entities of HTML, with # for &.
std::string mermaid_text(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '#' || c == '<' || c == '>' || c == '&' || c == '`')
      quoted += "#" + std::to_string(static_cast<int>(c)) + ";";
    else
      quoted += c;
  }
  return quoted + '"';
}

std::string label_of(const Flow& flow) {
  if (flow.door.empty()) return flow.port + (flow.admin ? " (admin)" : "");
  return flow.door + " to " + flow.port;
}

std::string lines_of(const Node& node, const char* separator) {
  std::string text = node.title;
  for (const auto& port : node.ports) text += separator + port;
  return text;
}

}  // namespace

std::string to_dot(const Graph& graph) {
  auto names = short_names(graph);
  std::string text = "digraph " + dot_text(graph.name) +
                     " {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n"
                     "  edge [fontname=\"sans-serif\", fontsize=10];\n";
  for (const Zone& zone : graph.zones) {
    const std::string& name = names[zone.id];
    text += fmt::format(
        "  subgraph cluster_{0} {{\n    label={1};\n    {0} [shape=plaintext, label={2}];\n", name,
        dot_text(zone.title), dot_text(zone.subtitle.empty() ? zone.title : zone.subtitle));
    for (const Node& service : zone.services)
      text +=
          fmt::format("    {} [label={}];\n", names[service.id], dot_text(lines_of(service, "\n")));
    text += "  }\n";
  }
  for (const Flow& flow : graph.flows)
    text += fmt::format("  {} -> {} [label={}{}];\n", names[flow.from], names[flow.to],
                        dot_text(label_of(flow)), flow.door.empty() ? "" : ", penwidth=2");
  for (const auto& note : graph.notes) text += "  // " + note + "\n";
  return text + "}\n";
}

std::string to_mermaid(const Graph& graph) {
  auto names = short_names(graph);
  std::string text = "flowchart LR\n";
  for (const Zone& zone : graph.zones) {
    const std::string title =
        zone.subtitle.empty() ? zone.title : zone.title + " (" + zone.subtitle + ")";
    if (zone.services.empty()) {
      text += "  " + names[zone.id] + "[" + mermaid_text(title) + "]\n";
      continue;
    }
    text += "  subgraph " + names[zone.id] + " [" + mermaid_text(title) + "]\n";
    for (const Node& service : zone.services) {
      std::string lines = mermaid_text(service.title);
      lines.pop_back();
      for (const auto& port : service.ports) {
        const std::string quoted = mermaid_text(port);
        lines += "<br/>" + quoted.substr(1, quoted.size() - 2);
      }
      text += "    " + names[service.id] + "[" + lines + "\"]\n";
    }
    text += "  end\n";
  }
  for (const Flow& flow : graph.flows)
    text += "  " + names[flow.from] + (flow.door.empty() ? " -->|" : " ==>|") +
            mermaid_text(label_of(flow)) + "| " + names[flow.to] + "\n";
  for (const auto& note : graph.notes) text += "  %% " + note + "\n";
  return text;
}

}  // namespace fw::graph
