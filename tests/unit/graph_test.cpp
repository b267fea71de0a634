// SPDX-License-Identifier: GPL-2.0-only
// The picture of a policy: right, readable, and well-formed whatever names are in it.
#include "loader/graph/graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <sstream>

#include "loader/config/parse.h"
#include "loader/graph/layout.h"
#include "tests/unit/compile_model.h"

namespace fw::graph {
namespace {

using testing::HasSubstr;

Graph demo() {
  const std::string path = std::string{FW_SOURCE_DIR} + "/docs/examples/demo/host.yaml";
  std::ostringstream text;
  text << std::ifstream{path}.rdbuf();
  const auto parsed = config::parse({"host.yaml", text.str()});
  EXPECT_TRUE(parsed.policy);
  return parsed.policy ? of_policy(*parsed.policy) : Graph{};
}

// 30 services in six zones, each of which uses the two after it; a few doors, a circle, ways out.
Graph large() {
  std::string text = "version: 1\nhost: {uplinks: [eth0]}\nzones:\n  lan: {interfaces: [eth1]}\n";
  for (int zone = 0; zone < 6; ++zone) {
    text += "  z" + std::to_string(zone) + ": {services: [";
    for (int i = 0; i < 5; ++i) text += (i ? ", s" : "s") + std::to_string(zone * 5 + i);
    text += "]}\n";
  }
  text += "services:\n";
  for (int i = 0; i < 30; ++i)
    text += "  s" + std::to_string(i) + ": {addresses: [172.20.1." + std::to_string(i + 10) +
            "], ports: {http: 80, metrics: 9100}}\n";
  text +=
      "publish:\n  a: {host: 80, to: s0:http, from: [internet, lan]}\n"
      "  b: {host: 81, to: s7:http, from: internet}\nallow:\n";
  for (int i = 0; i < 30; ++i)
    for (int next : {i + 3, i + 7})
      text += "  - s" + std::to_string(i) + " -> s" + std::to_string(next % 30) + ":http\n";
  text += "  - z1 -> internet:443\n  - z5 -> z0:metrics\n";
  text = std::regex_replace(text, std::regex{"z0:metrics"}, "z0:9100");
  const auto parsed = config::parse({"large.yaml", text});
  EXPECT_TRUE(parsed.policy) << config::to_string(parsed.diagnostics.front());
  return parsed.policy ? of_policy(*parsed.policy) : Graph{};
}

// Every tag is closed in its order, and every & begins an entity.
void expect_well_formed(const std::string& xml) {
  std::vector<std::string> open;
  const std::regex tag{R"re(<(/?)([a-zA-Z]+)((?:\s+[a-zA-Z:-]+="[^"<]*")*)\s*(/?)>)re"};
  const std::string body = xml.substr(xml.find("?>") + 2);
  std::size_t brackets = 0;
  for (std::sregex_iterator found{body.begin(), body.end(), tag}, end; found != end; ++found) {
    ++brackets;
    const std::string name = (*found)[2];
    if ((*found)[1] == "/") {
      ASSERT_FALSE(open.empty());
      ASSERT_EQ(open.back(), name);
      open.pop_back();
    } else if ((*found)[4] != "/") {
      open.push_back(name);
    }
  }
  EXPECT_THAT(open, testing::IsEmpty());
  EXPECT_EQ(brackets, static_cast<std::size_t>(std::count(body.begin(), body.end(), '<')));
  const std::regex loose{"&(?!(amp|lt|gt|quot|apos);)"};
  EXPECT_FALSE(std::regex_search(xml, loose));
}

TEST(Graph, HasZonesServicesDoorsAndNotes) {
  const Graph graph = demo();
  std::vector<std::string> zones;
  for (const Zone& zone : graph.zones) zones.push_back(zone.title);
  EXPECT_THAT(zones, testing::ElementsAre("dmz", "host", "internet", "lan"));
  EXPECT_THAT(graph.flows, testing::Contains(Flow{"zone internet", "service web", "http 80/tcp",
                                                  "http: host:8080/tcp", false}));
  EXPECT_THAT(graph.flows, testing::Contains(Flow{"zone lan", "zone host", "22/tcp", "", true}));
}

TEST(Graph, ListsBlocksAndWhatHasNoArrow) {
  const auto parsed =
      config::parse({"p",
                     "version: 1\nzones: {lan: {subnets: [10.0.0.0/8], intra: allow}}\n"
                     "block: [203.0.113.0/24 -> \"*\"]\n"});
  // A flow is one scalar; the text above quotes a part of it and is refused.
  EXPECT_FALSE(parsed.policy);
  const auto right =
      config::parse({"p",
                     "version: 1\nzones: {lan: {subnets: [10.0.0.0/8], intra: allow}}\n"
                     "block:\n  - 203.0.113.0/24 -> *\n"});
  ASSERT_TRUE(right.policy);
  EXPECT_THAT(
      of_policy(*right.policy).notes,
      testing::ElementsAre("block: 203.0.113.0/24 -> *", "lan: its members may reach each other",
                           HasSubstr("host: may connect out")));
}

TEST(Graph, IsTheSameEachTime) {
  for (auto* write : {to_svg, to_dot, to_mermaid}) EXPECT_EQ(write(large()), write(large()));
}

TEST(Graph, DotAndMermaidTellEveryFlow) {
  const Graph graph = demo();
  EXPECT_THAT(to_dot(graph), HasSubstr("z2 -> s0 [label=\"http: host:8080/tcp to http 80/tcp\""));
  EXPECT_THAT(to_dot(graph), HasSubstr("s0 [label=\"web\\nhttp 80/tcp\"]"));
  EXPECT_THAT(to_mermaid(graph), HasSubstr("z2 ==>|\"http: host:8080/tcp to http 80/tcp\"| s0\n"));
}

TEST(Graph, EscapesWhateverIsInAName) {
  Graph graph;
  graph.name = "a<b>&\"c\"'\x01";
  graph.zones = {
      {"zone host", "host", "", false, {}},
      {"zone x", "x</text>", "\"quoted\" & <more>", true, {{"service s", "s\"]&", {"p<"}}}}};
  graph.flows = {{"zone x", "service s", "p<", "", false}};
  graph.notes = {"block: <all>"};
  const auto svg = to_svg(graph);
  expect_well_formed(svg);
  EXPECT_THAT(svg, HasSubstr("x&lt;/text&gt;"));
  EXPECT_EQ(svg.find('\x01'), std::string::npos);
  EXPECT_THAT(to_dot(graph), HasSubstr("\"\\\"quoted\\\" & <more>\""));
  EXPECT_THAT(to_mermaid(graph), HasSubstr("s#34;]#38;"));
}

TEST(Graph, IsWellFormedXml) {
  expect_well_formed(to_svg(demo()));
  expect_well_formed(to_svg(large()));
}

bool apart(const Rect& a, const Rect& b) {
  return a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y ||
         b.y + b.height <= a.y;
}

TEST(Graph, NoBoxLiesOnAnotherAndNoTextLeavesItsBox) {
  const Layout layout = lay_out(large());
  for (const Block& a : layout.blocks) {
    for (const Block& b : layout.blocks)
      EXPECT_TRUE(&a == &b || apart(a.zone.at, b.zone.at)) << a.zone.title << ", " << b.zone.title;
    for (const Box& service : a.services) {
      EXPECT_GE(service.at.y, a.zone.at.y);
      EXPECT_LE(service.at.y + service.at.height, a.zone.at.y + a.zone.at.height);
      for (const Box& other : a.services)
        EXPECT_TRUE(&service == &other || apart(service.at, other.at)) << service.title;
      for (const Row& row : service.rows)
        EXPECT_LE(kCharWidth * static_cast<double>(row.text.size()) + kPadding, service.at.width);
    }
  }
}

// Between columns arrows are free; beside boxes they keep to lanes.
TEST(Graph, NoArrowCrossesABox) {
  const Layout layout = lay_out(large());
  for (const Arrow& arrow : layout.arrows)
    for (std::size_t i = 1; i + 2 < arrow.points.size(); i += 2)
      for (const Block& block : layout.blocks) {
        const Rect& at = block.zone.at;
        const double y = arrow.points[i].y;
        const bool beside = std::min(arrow.points[i].x, arrow.points[i + 1].x) >= at.x + at.width ||
                            std::max(arrow.points[i].x, arrow.points[i + 1].x) <= at.x;
        EXPECT_TRUE(beside || y < at.y || y > at.y + at.height)
            << arrow.from << " over " << block.zone.title;
      }
}

}  // namespace
}  // namespace fw::graph
