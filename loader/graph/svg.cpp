// SPDX-License-Identifier: GPL-2.0-only
// The layout as SVG: one file that any browser shows, without scripts and without other files.
#include <spdlog/fmt/fmt.h>

#include <array>
#include <cmath>

#include "loader/graph/graph.h"
#include "loader/graph/layout.h"

namespace fw::graph {
namespace {

constexpr double kHeader = 40;
constexpr double kBend = 0.5;      // of a gutter, how far a curve goes straight on
constexpr double kLoopWidth = 60;  // of an arrow that returns to its column
constexpr double kBaseline = 4;    // of text, below the middle of its row
constexpr double kLegendLine = 17;

// Dark enough for thin lines on white, and told apart by the colour-blind as far as ten can be.
constexpr std::array kColours = {"#1f5fa8", "#b3541e", "#2e7d32", "#7b3fa0", "#a61e4d",
                                 "#00707a", "#6d4c00", "#4a4a8c", "#8c2d04", "#3d6b1f"};

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&apos;";
        break;
      default:
        // XML has no place for control characters, not even escaped.
        result += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  return result;
}

std::string text_at(double x, double y, const std::string& kind, const std::string& text) {
  return fmt::format("<text class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", kind, x,
                     y + kBaseline, escaped(text));
}

std::string rect(const Rect& at, const std::string& kind) {
  return fmt::format(
      "<rect class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" "
      "rx=\"5\"/>\n",
      kind, at.x, at.y, at.width, at.height);
}

std::string rows(const Box& box) {
  std::string text;
  for (const Row& row : box.rows)
    text += text_at(box.at.x + kPadding, row.y, row.used ? "port" : "port unused", row.text);
  return text;
}

std::string draw(const Block& block) {
  const Box& zone = block.zone;
  std::string text = rect(zone.at, "zone");
  text += text_at(zone.at.x + kPadding, zone.title_y, "title", zone.title);
  if (!block.subtitle.empty())
    text += text_at(zone.at.x + kPadding, zone.title_y + kRowHeight, "subtitle", block.subtitle);
  text += rows(zone);
  for (const Box& service : block.services) {
    text += rect(service.at, "service");
    text += text_at(service.at.x + kPadding, service.title_y, "name", service.title);
    text += rows(service);
  }
  return text;
}

// A curve that leaves and arrives level, so that it does not touch what is beside it.
std::string curve(const Point& from, const Point& to) {
  // A box stands off from the frame of its zone by the padding.
  const bool returns = std::abs(to.x - from.x) < 2 * kPadding;
  const double reach =
      returns ? kLoopWidth + std::abs(to.y - from.y) / 12 : (to.x - from.x) * kBend;
  const double arrive = returns ? to.x + reach : to.x - reach;
  return fmt::format("C{:.1f},{:.1f} {:.1f},{:.1f} {:.1f},{:.1f}", from.x + reach, from.y, arrive,
                     to.y, to.x, to.y);
}

std::string draw(const Arrow& arrow, std::size_t colour) {
  const auto& points = arrow.points;
  std::string path = fmt::format("M{:.1f},{:.1f}", points[0].x, points[0].y);
  for (std::size_t i = 1; i < points.size(); i += 2) {
    path += " " + curve(points[i - 1], points[i]);
    if (i + 1 < points.size())
      path += fmt::format(" L{:.1f},{:.1f}", points[i + 1].x, points[i + 1].y);
  }
  return fmt::format(
      "<path class=\"flow{}{}\" stroke=\"{}\" marker-end=\"url(#head{})\" d=\"{}\"/>\n",
      arrow.door ? " door" : "", arrow.admin ? " admin" : "", kColours[colour], colour, path);
}

std::string definitions() {
  std::string text = "<defs>\n";
  for (std::size_t i = 0; i < kColours.size(); ++i)
    text += fmt::format(
        "<marker id=\"head{}\" viewBox=\"0 0 8 8\" refX=\"7.5\" refY=\"4\" markerWidth=\"8\" "
        "markerHeight=\"8\" markerUnits=\"userSpaceOnUse\" orient=\"auto\">"
        "<path d=\"M0,0.5 L8,4 L0,7.5 z\" fill=\"{}\"/></marker>\n",
        i, kColours[i]);
  return text + "</defs>\n";
}

constexpr const char* kStyle = R"(<style>
text { font-family: "DejaVu Sans Mono", Menlo, Consolas, "Liberation Mono", monospace; font-size: 12px; fill: #222; }
.heading { font-size: 16px; font-weight: bold; }
.title, .name { font-weight: bold; }
.subtitle, .unused, .note { fill: #777; }
.zone { fill: #f3f5f8; stroke: #9aa5b1; }
.service { fill: #ffffff; stroke: #c2cad3; }
.flow { fill: none; stroke-width: 1.4; stroke-opacity: 0.85; }
.door { stroke-width: 2.4; }
.admin { stroke-dasharray: 5 3; }
</style>
)";

}  // namespace

std::string to_svg(const Graph& graph) {
  const Layout layout = lay_out(graph);
  std::vector<std::string> notes = graph.notes;
  notes.emplace_back(
      "thick: through a published door; thin: allowed; dashed: host.admin; grey: a "
      "port that nothing is allowed to use");
  double width = layout.width;
  for (const auto& note : notes)
    width = std::max(width, kCharWidth * static_cast<double>(note.size()) + 4 * kPadding);
  const double bottom = kHeader + layout.height;
  const double height = bottom + kLegendLine * static_cast<double>(notes.size() + 1);

  std::string svg = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" "
      "width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} {1:.0f}\">\n<title>{2}</title>\n",
      width, height, escaped("policy " + graph.name));
  svg += kStyle + definitions();
  svg += "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n";
  svg += text_at(2 * kPadding, kHeader / 2, "heading", "policy " + graph.name);
  svg += fmt::format("<g transform=\"translate(0,{:.0f})\">\n", kHeader);
  for (const Block& block : layout.blocks) svg += draw(block);
  std::map<std::string, std::size_t> colours;
  for (const Arrow& arrow : layout.arrows)
    svg += draw(arrow,
                colours.try_emplace(arrow.from, colours.size() % kColours.size()).first->second);
  svg += "</g>\n";
  for (std::size_t i = 0; i < notes.size(); ++i)
    svg += text_at(2 * kPadding, bottom + kLegendLine * (static_cast<double>(i) + 0.5), "note",
                   notes[i]);
  return svg + "</svg>\n";
}

}  // namespace fw::graph
