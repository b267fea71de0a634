// SPDX-License-Identifier: GPL-2.0-only
// yaml-cpp's events -> Node. The only file that sees yaml-cpp, and where its exceptions end.
#include "loader/config/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <sstream>
#include <unordered_map>
#include <utility>

#include "loader/config/names.h"
#include "loader/config/text.h"

namespace fw::config {
namespace {

constexpr const char* kQuoteStar = R"(quote a value that starts with '*': "*" or "* -> db:5432")";
constexpr const char* kQuoteBrackets =
    R"(quote a value with brackets in it: "lan -> [fd00::1]:80")";

// Builds the tree while yaml-cpp reads. YAML::Node is not used because it drops what must be
// refused: duplicate keys and the difference between an alias and a copy.
class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(const Source& source, std::vector<std::string_view> lines, Report& report)
      : source_(source), lines_(std::move(lines)), report_(report) {}

  [[nodiscard]] int documents() const { return documents_; }
  [[nodiscard]] bool too_deep() const { return too_deep_; }
  [[nodiscard]] Location innermost() const {
    return frames_.empty() ? Location{source_.name, 1, 1} : frames_.back().node.where;
  }
  Node take_root() { return std::move(root_); }

  [[nodiscard]] Location location(const YAML::Mark& mark) const {
    if (mark.is_null()) return {source_.name, 0, 0};
    return {source_.name, mark.line + 1, mark.column + 1};
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ == 2) {
      report_.error(location(mark), "a policy is one YAML document, and here a second one begins",
                    "put each policy in a file of its own");
    }
  }
  void OnDocumentEnd() override {}
  void OnAnchor(const YAML::Mark& mark, const std::string& name) override {
    report_.error(location(mark), "YAML anchors (" + quote("&" + name) + ") are not accepted",
                  "write the value out where it is used");
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    report_.error(location(mark), "YAML aliases are not accepted",
                  std::string{"write the value out; or "} + kQuoteStar);
    add(make(Node::Kind::kInvalid, mark));
  }
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    Node node = make(Node::Kind::kNull, mark);
    if (!frames_.empty() && frames_.back().key) node.where = frames_.back().key->where;
    add(std::move(node));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string& value) override {
    check_tag(mark, tag);
    Node node = make(Node::Kind::kScalar, mark);
    node.text = value;
    node.plain = tag == "?";
    node.text_column = text_column(node);
    add(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    open(Node::Kind::kSequence, mark, tag);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    open(Node::Kind::kMap, mark, tag);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Frame {
    Node node;
    std::optional<Node> key;                     // a key whose value is yet to come
    std::unordered_map<std::string, int> lines;  // of the keys so far
  };

  [[nodiscard]] Node make(Node::Kind kind, const YAML::Mark& mark) const {
    Node node;
    node.kind = kind;
    node.where = location(mark);
    return node;
  }

  void check_tag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    report_.error(location(mark), "YAML tags (" + quote(tag) + ") are not accepted",
                  "leave the tag out");
  }

  // A scalar that is folded, escaped or in a block is not on its line as it is.
  [[nodiscard]] int text_column(const Node& node) const {
    const auto index = static_cast<std::size_t>(node.where.line) - 1;
    if (index >= lines_.size()) return 0;
    const int column = node.where.column + (node.plain ? 0 : 1);
    const auto start = static_cast<std::size_t>(column) - 1;
    const std::string_view line = lines_[index];
    return start <= line.size() && line.substr(start).starts_with(node.text) ? column : 0;
  }

  void open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag) {
    check_tag(mark, tag);
    if (static_cast<int>(frames_.size()) >= kMaxDepth) {
      if (!too_deep_) {
        report_.error(location(mark),
                      "the policy is nested deeper than " + std::to_string(kMaxDepth) + " levels");
      }
      too_deep_ = true;
      ++skipped_;
      return;
    }
    frames_.push_back({make(kind, mark), std::nullopt, {}});
  }

  void close() {
    if (skipped_ > 0) {
      if (--skipped_ == 0) add(make(Node::Kind::kInvalid, YAML::Mark::null_mark()));
      return;
    }
    Node node = std::move(frames_.back().node);
    frames_.pop_back();
    add(std::move(node));
  }

  void add(Node node) {
    if (skipped_ > 0) return;
    if (frames_.empty()) {
      if (documents_ == 1) root_ = std::move(node);
      return;
    }
    Frame& frame = frames_.back();
    if (frame.node.kind == Node::Kind::kSequence) {
      frame.node.items.push_back(std::move(node));
    } else if (!frame.key) {
      frame.key = std::move(node);
    } else {
      add_entry(frame, std::move(*std::exchange(frame.key, std::nullopt)), std::move(node));
    }
  }

  void add_entry(Frame& frame, Node key, Node value) {
    if (key.kind == Node::Kind::kInvalid) return;
    if (key.kind != Node::Kind::kScalar) {
      report_.error(key.where, "a key must be a name", "write 'name: value'");
      return;
    }
    if (key.plain && key.text == "<<") {
      report_.error(key.where, "YAML merge keys ('<<') are not accepted",
                    "write the entries out where they are used");
      return;
    }
    const auto [first, added] = frame.lines.emplace(key.text, key.where.line);
    if (!added) {
      report_.error(key.where, "duplicate key " + quote(key.text) + "; the first is in line " +
                                   std::to_string(first->second));
      return;
    }
    frame.node.entries.push_back({std::move(key), std::move(value)});
  }

  const Source& source_;
  std::vector<std::string_view> lines_;
  Report& report_;
  std::vector<Frame> frames_;
  Node root_;
  int documents_ = 0;
  int skipped_ = 0;  // open containers below the depth limit
  bool too_deep_ = false;
};

// yaml-cpp's sentence in words an operator can use, and what to do. `open` is the innermost
// bracket that was open.
std::pair<std::string, std::string> explain(const std::string& message, const Location& open) {
  const auto is = [&](std::string_view start) { return message.starts_with(start); };
  const std::string opened =
      "line " + std::to_string(open.line) + " column " + std::to_string(open.column);
  if (is("alias not found") || is("the referenced anchor") || is("illegal character found while")) {
    return {"a value starts with '*', which YAML takes for an alias", kQuoteStar};
  }
  if (is("end of map flow")) {
    return {"expected ',' or '}' here; the '{' of " + opened + " is still open", kQuoteBrackets};
  }
  if (is("end of sequence flow")) {
    return {"expected ',' or ']' here; the '[' of " + opened + " is still open", kQuoteBrackets};
  }
  if (is("illegal flow end")) {
    return {"this bracket does not fit the one that was opened last", ""};
  }
  if (is("illegal EOF in scalar")) return {"a quoted text is not closed", ""};
  if (is("illegal map value"))
    return {"a ':' is not expected here", "quote a value with ': ' in it"};
  if (is("end of map not found") || is("end of sequence not found")) {
    return {"this line does not fit what stands before it",
            "compare its indentation with the lines above"};
  }
  return {"this is not valid YAML: " + message, ""};
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  for (std::size_t start = 0; start <= text.size();) {
    const auto end = std::min(text.find('\n', start), text.size());
    lines.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return lines;
}

}  // namespace

Location Node::at(std::size_t offset) const {
  if (text_column == 0) return where;
  return {where.file, where.line, text_column + static_cast<int>(offset)};
}

std::optional<Node> read_yaml(const Source& source, Report& report) {
  if (!check_text(source, report)) return std::nullopt;
  std::string text = source.text;
  if (text.starts_with("\xef\xbb\xbf")) text.erase(0, 3);
  // With a newline at the end, yaml-cpp 0.7 takes the end of the file for a closing quote.
  text.erase(text.find_last_not_of(" \t\r\n") + 1);

  TreeBuilder builder{source, lines_of(text), report};
  try {
    std::istringstream stream{text};
    YAML::Parser parser{stream};
    while (builder.documents() < 2 && parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& e) {
    if (builder.too_deep()) return std::nullopt;
    auto [message, hint] = explain(e.msg, builder.innermost());
    report.error(builder.location(e.mark), std::move(message), std::move(hint));
    return std::nullopt;
  } catch (const std::exception& e) {
    report.error({source.name, 0, 0}, std::string{"the policy cannot be read: "} + e.what());
    return std::nullopt;
  }
  if (builder.too_deep()) return std::nullopt;
  return builder.take_root();
}

}  // namespace fw::config
