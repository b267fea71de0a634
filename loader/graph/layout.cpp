// SPDX-License-Identifier: GPL-2.0-only
// A layered layout: columns by distance from the outside, order within a column by the mean height
// of what it is linked to.
#include "loader/graph/layout.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <set>

namespace fw::graph {
namespace {

constexpr double kMargin = 20;
constexpr double kBlockGap = 26;
constexpr double kServiceGap = 10;
constexpr double kLaneHeight = 14;
constexpr double kGutter = 70;         // at least
constexpr double kGutterPerArrow = 7;  // more for each arrow in it
constexpr double kWidestGutter = 230;
constexpr int kSweeps = 12;
constexpr const char* kHost = "zone host";

// A row of a box, or a lane.
struct Stop {
  std::string box;
  std::string row;  // "": the title
  std::size_t lane = 0;
  bool is_lane = false;
};

struct Link {
  Stop from;
  Stop to;
  bool door = false;
  bool admin = false;
  std::vector<Stop> stops;  // from, lanes, to
};

struct Lane {
  std::size_t column = 0;
  double y = 0;
};

// A block or a lane, in the stack of its column.
struct Slot {
  bool is_lane = false;
  std::size_t index = 0;
  double want = 0;  // the middle that suits its links
};

double text_width(const std::string& text) {
  return kCharWidth * static_cast<double>(text.size());
}

double box_width(const Box& box) {
  double width = text_width(box.title);
  for (const Row& row : box.rows) width = std::max(width, text_width(row.text));
  return width + 2 * kPadding;
}

class Layouter {
 public:
  explicit Layouter(const Graph& graph) {
    for (const Zone& zone : graph.zones) add_block(zone);
    for (const Flow& flow : graph.flows) add_flow(flow);
    choose_columns();
    add_lanes();
    size_columns();
  }

  Layout run() {
    for (int sweep = 0; sweep < kSweeps; ++sweep) {
      for (std::size_t i = 0; i < columns_.size(); ++i)
        arrange(sweep % 2 == 0 ? i : columns_.size() - 1 - i);
    }
    for (const Link& link : links_) layout_.arrows.push_back(arrow_of(link));
    return std::move(layout_);
  }

 private:
  // --- boxes and links

  void add_block(const Zone& zone) {
    const std::size_t index = layout_.blocks.size();
    Block block;
    block.zone.id = zone.id;
    block.zone.title = zone.title;
    block.subtitle = zone.subtitle;
    where_[zone.id] = {index, kWhole};
    for (const Node& service : zone.services) {
      where_[service.id] = {index, block.services.size()};
      Box& box = block.services.emplace_back();
      box.id = service.id;
      box.title = service.title;
      for (const auto& port : service.ports) box.rows.push_back({port, port, false, 0});
    }
    layout_.blocks.push_back(std::move(block));
    outside_.push_back(zone.outside);
  }

  Box& box(const std::string& id) {
    const auto [block, service] = where_.at(id);
    Block& found = layout_.blocks[block];
    return service == kWhole ? found.zone : found.services[service];
  }

  Stop row_stop(const std::string& id, const std::string& key) {
    Box& owner = box(id);
    auto row = std::find_if(owner.rows.begin(), owner.rows.end(),
                            [&](const Row& each) { return each.key == key; });
    if (row == owner.rows.end()) row = owner.rows.insert(row, Row{key, key, false, 0});
    row->used = true;
    return {id, key, 0, false};
  }

  void add_flow(const Flow& flow) {
    const Stop to = row_stop(flow.to, flow.port);
    const Stop from{flow.from, "", 0, false};
    if (flow.door.empty()) return add_link({from, to, false, flow.admin, {}});
    const Stop door = row_stop(kHost, flow.door);
    add_link({from, door, true, false, {}});
    add_link({door, to, true, false, {}});
  }

  void add_link(Link link) {
    const auto key = std::tuple{link.from.box, link.from.row, link.to.box, link.to.row};
    if (known_.insert(key).second) links_.push_back(std::move(link));
  }

  // --- columns

  [[nodiscard]] std::size_t block_of(const Stop& stop) const { return where_.at(stop.box).first; }

  // Outside first, the host next; everything else by the fewest arrows from there.
  void choose_columns() {
    constexpr auto kUnknown = std::numeric_limits<std::size_t>::max();
    auto& blocks = layout_.blocks;
    const std::size_t host = where_.at(kHost).first;
    for (std::size_t i = 0; i < blocks.size(); ++i)
      blocks[i].column = i == host ? 1 : outside_[i] ? 0 : kUnknown;
    for (std::size_t column = 0; column <= blocks.size() + 1; ++column)
      for (const Link& link : links_) {
        Block& to = blocks[block_of(link.to)];
        if (blocks[block_of(link.from)].column == column && to.column == kUnknown)
          to.column = std::max<std::size_t>(column + 1, 2);
      }
    for (Block& block : blocks)
      if (block.column == kUnknown) block.column = 2;
    move_apart();
    std::size_t last = 1;
    for (const Block& block : blocks) last = std::max(last, block.column);
    columns_.resize(last + 1);
    for (std::size_t i = 0; i < blocks.size(); ++i)
      columns_[blocks[i].column].push_back({false, i, 0});
  }

  // What is used from its own column goes to the next one. A few times only: zones may use each
  // other in a circle.
  void move_apart() {
    constexpr int kTimes = 2;
    for (int time = 0; time < kTimes; ++time)
      for (const Link& link : links_) {
        const std::size_t from = block_of(link.from);
        const std::size_t to = block_of(link.to);
        Block& target = layout_.blocks[to];
        const bool free = target.column >= 2 && !uses(to, from);
        if (from != to && free && target.column == layout_.blocks[from].column) ++target.column;
      }
  }

  [[nodiscard]] bool uses(std::size_t from, std::size_t to) const {
    return std::any_of(links_.begin(), links_.end(), [&](const Link& link) {
      return block_of(link.from) == from && block_of(link.to) == to;
    });
  }

  void add_lanes() {
    for (Link& link : links_) {
      const std::size_t from = layout_.blocks[block_of(link.from)].column;
      const std::size_t to = layout_.blocks[block_of(link.to)].column;
      link.stops.push_back(link.from);
      if (from < to)
        for (std::size_t column = from + 1; column < to; ++column) add_lane(link, column);
      else
        for (std::size_t column = from; column-- > to + 1;) add_lane(link, column);
      link.stops.push_back(link.to);
    }
  }

  void add_lane(Link& link, std::size_t column) {
    columns_[column].push_back({true, lanes_.size(), 0});
    link.stops.push_back({"", "", lanes_.size(), true});
    lanes_.push_back({column, 0});
  }

  // --- sizes

  static void size(Block& block) {
    double width = std::max(box_width(block.zone), text_width(block.subtitle) + 2 * kPadding);
    double height = kPadding + kRowHeight * (block.subtitle.empty() ? 1 : 2) +
                    kRowHeight * static_cast<double>(block.zone.rows.size());
    for (Box& service : block.services) {
      service.at.width = box_width(service);
      service.at.height = kRowHeight * static_cast<double>(1 + service.rows.size()) + kPadding / 2;
      width = std::max(width, service.at.width + 2 * kPadding);
      height += kServiceGap + service.at.height;
    }
    block.zone.at.width = width;
    block.zone.at.height = height + kPadding;
  }

  void size_columns() {
    std::vector<double> arrows(columns_.size() + 1, 0);
    for (const Link& link : links_)
      for (const auto& stop : link.stops) ++arrows[column_of(stop)];
    double x = kMargin;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      double width = 0;
      for (const Slot& slot : columns_[i]) {
        if (slot.is_lane) continue;
        size(layout_.blocks[slot.index]);
        width = std::max(width, layout_.blocks[slot.index].zone.at.width);
      }
      spans_.push_back({x, 0, width, 0});
      x += width + std::min(kGutter + kGutterPerArrow * arrows[i], kWidestGutter);
    }
    for (Block& block : layout_.blocks) {
      const Rect& span = spans_[block.column];
      block.zone.at.x = span.x;
      block.zone.at.width = span.width;
      for (Box& service : block.services) {
        service.at.x = span.x + kPadding;
        service.at.width = span.width - 2 * kPadding;
      }
    }
    layout_.width = x;
    for (const auto& column : columns_) layout_.height = std::max(layout_.height, height(column));
    for (auto& column : columns_) stack(column);
  }

  [[nodiscard]] std::size_t column_of(const Stop& stop) const {
    return stop.is_lane ? lanes_[stop.lane].column : layout_.blocks[block_of(stop)].column;
  }

  [[nodiscard]] double height(const Slot& slot) const {
    return slot.is_lane ? kLaneHeight : layout_.blocks[slot.index].zone.at.height + kBlockGap;
  }

  [[nodiscard]] double height(const std::vector<Slot>& column) const {
    return std::accumulate(column.begin(), column.end(), 2 * kMargin,
                           [&](double sum, const Slot& slot) { return sum + height(slot); });
  }

  // --- heights

  static void place(Box& box, double top) {
    box.title_y = top + kRowHeight / 2;
    double y = box.title_y;
    for (Row& row : box.rows) row.y = y += kRowHeight;
  }

  static void place(Block& block, double top) {
    block.zone.at.y = top;
    place(block.zone, top + kPadding / 2);
    double y = top + kPadding / 2 + kRowHeight;
    if (!block.subtitle.empty()) {
      for (Row& row : block.zone.rows) row.y += kRowHeight;
      y += kRowHeight;
    }
    y += kRowHeight * static_cast<double>(block.zone.rows.size());
    for (Box& service : block.services) {
      y += kServiceGap;
      service.at.y = y;
      place(service, y + kPadding / 4);
      y += service.at.height;
    }
  }

  void stack(std::vector<Slot>& column) {
    double y = kMargin + (layout_.height - height(column)) / 2;
    for (const Slot& slot : column) {
      if (slot.is_lane)
        lanes_[slot.index].y = y + kLaneHeight / 2;
      else
        place(layout_.blocks[slot.index], y);
      y += height(slot);
    }
  }

  [[nodiscard]] double y_of(const Stop& stop) {
    if (stop.is_lane) return lanes_[stop.lane].y;
    const Box& owner = box(stop.box);
    for (const Row& row : owner.rows)
      if (row.key == stop.row) return row.y;
    return owner.title_y;
  }

  // What the links of a box or lane pull it by: the mean of how far the other ends are.
  struct Pull {
    double sum = 0;
    double count = 0;
    [[nodiscard]] double mean() const { return count == 0 ? 0 : sum / count; }
  };

  static std::string pull_key(const Stop& stop) {
    return stop.is_lane ? "lane " + std::to_string(stop.lane) : stop.box;
  }

  std::map<std::string, Pull> pulls() {
    std::map<std::string, Pull> pulls;
    const auto pull = [&](const Stop& what, const Stop& to) {
      Pull& one = pulls[pull_key(what)];
      one.sum += y_of(to) - y_of(what);
      one.count += 1;
    };
    for (const Link& link : links_)
      for (std::size_t i = 1; i < link.stops.size(); ++i) {
        pull(link.stops[i], link.stops[i - 1]);
        pull(link.stops[i - 1], link.stops[i]);
      }
    return pulls;
  }

  void arrange(std::size_t number) {
    auto found = pulls();
    auto& column = columns_[number];
    for (Slot& slot : column) {
      if (slot.is_lane) {
        slot.want = lanes_[slot.index].y + found["lane " + std::to_string(slot.index)].mean();
        continue;
      }
      Block& block = layout_.blocks[slot.index];
      std::map<std::string, double> wants;
      Pull whole = found[block.zone.id];
      for (const Box& service : block.services) {
        const Pull& one = found[service.id];
        wants[service.id] = service.title_y + one.mean();
        whole.sum += one.sum;
        whole.count += one.count;
      }
      std::stable_sort(block.services.begin(), block.services.end(),
                       [&](const Box& a, const Box& b) { return wants[a.id] < wants[b.id]; });
      for (std::size_t i = 0; i < block.services.size(); ++i)
        where_[block.services[i].id].second = i;
      slot.want = block.zone.at.y + block.zone.at.height / 2 + whole.mean();
    }
    std::stable_sort(column.begin(), column.end(),
                     [](const Slot& a, const Slot& b) { return a.want < b.want; });
    stack(column);
  }

  // --- arrows

  [[nodiscard]] Point side(const Stop& stop, bool right) {
    const Rect& at = box(stop.box).at;
    return {right ? at.x + at.width : at.x, y_of(stop)};
  }

  Arrow arrow_of(const Link& link) {
    const std::size_t from = column_of(link.from);
    const std::size_t to = column_of(link.to);
    const bool backward = to < from;
    Arrow arrow{link.from.box, link.door, link.admin, {}};
    if (!link.from.row.empty()) arrow.from += " " + link.from.row;
    arrow.points.push_back(side(link.from, !backward));
    for (const Stop& stop : link.stops) {
      if (!stop.is_lane) continue;
      const Rect& span = spans_[lanes_[stop.lane].column];
      const double y = lanes_[stop.lane].y;
      const double xs[] = {span.x, span.x + span.width};
      arrow.points.push_back({xs[backward ? 1 : 0], y});
      arrow.points.push_back({xs[backward ? 0 : 1], y});
    }
    arrow.points.push_back(side(link.to, backward || to == from));
    return arrow;
  }

  static constexpr auto kWhole = std::numeric_limits<std::size_t>::max();

  Layout layout_;
  std::vector<bool> outside_;                                         // by block
  std::map<std::string, std::pair<std::size_t, std::size_t>> where_;  // id -> block, service
  std::vector<Link> links_;
  std::set<std::tuple<std::string, std::string, std::string, std::string>> known_;
  std::vector<Lane> lanes_;
  std::vector<std::vector<Slot>> columns_;
  std::vector<Rect> spans_;  // of the columns: x and width
};

}  // namespace

Layout lay_out(const Graph& graph) {
  return Layouter{graph}.run();
}

}  // namespace fw::graph
