// SPDX-License-Identifier: GPL-2.0-only
// Where everything in the picture goes: zones in columns from the outside in, every port a row of
// its own at which arrows end, and free lanes for arrows that pass by a column.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "loader/graph/graph.h"

namespace fw::graph {

// All lengths are pixels.
inline constexpr double kFontSize = 12;
inline constexpr double kCharWidth = 7.3;  // of the monospaced font at that size, rounded up
inline constexpr double kRowHeight = 18;
inline constexpr double kPadding = 10;

struct Point {
  double x = 0;
  double y = 0;
};

struct Rect {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;
};

// A line of text in a box at which arrows may begin and end.
struct Row {
  std::string key;  // unique in its box
  std::string text;
  bool used = false;  // some arrow is here
  double y = 0;       // its middle
};

struct Box {
  std::string id;
  std::string title;
  Rect at;
  double title_y = 0;  // middle of the title's row
  std::vector<Row> rows;
};

struct Block {
  Box zone;  // the frame, and rows of the zone itself
  std::string subtitle;
  std::vector<Box> services;
  std::size_t column = 0;
};

// One arrow: from a box's side through lanes to a row.
struct Arrow {
  std::string from;  // id of the box; what has the same has the same colour
  bool door = false;
  bool admin = false;
  std::vector<Point> points;  // pairs: where it leaves a column and where it meets the next one
};

struct Layout {
  double width = 0;
  double height = 0;
  std::vector<Block> blocks;
  std::vector<Arrow> arrows;
};

Layout lay_out(const Graph& graph);

}  // namespace fw::graph
