// SPDX-License-Identifier: GPL-2.0-only
// The checks that every section of a policy shares.
#include "loader/config/reader.h"

#include <net/if.h>

#include <algorithm>
#include <array>

#include "loader/config/names.h"
#include "loader/config/until.h"

namespace fw::config {
namespace {

bool contains(const std::vector<std::string>& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

std::string kind_of(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kNull:
      return "nothing";
    case Node::Kind::kScalar:
      return quote(node.text);
    case Node::Kind::kSequence:
      return "a list";
    default:
      return "a map";
  }
}

void report_key(const Node& key, const Keys& keys, std::string_view what, Report& report) {
  const std::string name = quote(key.text);
  if (contains(keys.later, key.text)) {
    report.error(key.where, name + " is not supported by this version of fwd");
    return;
  }
  std::string hint = did_you_mean(key.text, keys.known);
  if (key.text.find("->") != std::string::npos) {
    hint = "a flow has no space after ':', as in 'lan -> db:5432'";
  } else if (hint.empty()) {
    hint = std::string{what} + " has the keys";
    for (const auto& known : keys.known) hint += (hint.ends_with("keys") ? " " : ", ") + known;
  }
  report.error(key.where, "unknown key " + name, hint);
}

// What YAML 1.1 took for a boolean and 1.2 does not.
bool is_old_boolean(std::string_view text) {
  static constexpr std::array kOld = {"yes", "no", "on", "off"};
  std::string lower{text};
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return std::find(kOld.begin(), kOld.end(), lower) != kOld.end();
}

}  // namespace

Fields::Fields(const Node& map, const Keys& keys, std::string_view what, Report& report)
    : map_(map) {
  for (const Entry& entry : map.entries) {
    if (contains(keys.known, entry.key.text) || contains(keys.refused, entry.key.text)) continue;
    report_key(entry.key, keys, what, report);
    misspelled_.push_back(nearest(entry.key.text, keys.known));
  }
}

bool Fields::attempted(std::string_view key) const {
  const bool written = std::any_of(map_.entries.begin(), map_.entries.end(),
                                   [&](const Entry& entry) { return entry.key.text == key; });
  return written || contains(misspelled_, key);
}

const Node* Fields::operator[](std::string_view key) const {
  for (const Entry& entry : map_.entries) {
    if (entry.key.text != key) continue;
    return entry.value.kind == Node::Kind::kInvalid ? nullptr : &entry.value;
  }
  return nullptr;
}

bool is_map(const Node& node, std::string_view what, Report& report) {
  if (node.kind == Node::Kind::kMap) return true;
  if (node.kind == Node::Kind::kInvalid) return false;
  const bool glued = node.plain && node.text.find(':') != std::string::npos;
  report.error(node.where,
               std::string{what} + " must be a map of 'key: value', not " + kind_of(node),
               glued ? "is a space missing after ':'?" : "");
  return false;
}

bool is_text(const Node& node, std::string_view what, Report& report) {
  if (node.kind == Node::Kind::kScalar && !node.text.empty()) return true;
  if (node.kind == Node::Kind::kInvalid) return false;
  const bool empty = node.kind == Node::Kind::kScalar || node.kind == Node::Kind::kNull;
  report.error(
      node.where,
      std::string{what} + (empty ? " has no value" : " must be one value, not " + kind_of(node)));
  return false;
}

std::optional<bool> read_bool(const Node& node, std::string_view what, Report& report) {
  if (!is_text(node, what, report)) return std::nullopt;
  const std::string& text = node.text;
  if (node.plain && (text == "true" || text == "True" || text == "TRUE")) return true;
  if (node.plain && (text == "false" || text == "False" || text == "FALSE")) return false;
  report.error(node.where, std::string{what} + " must be true or false, not " + quote(text),
               !node.plain            ? "leave the quotes out"
               : is_old_boolean(text) ? "yes, no, on and off are no booleans in YAML 1.2"
                                      : did_you_mean(text, {"true", "false"}));
  return std::nullopt;
}

std::optional<bool> read_verdict(const Node& node, std::string_view what, Report& report) {
  if (!is_text(node, what, report)) return std::nullopt;
  if (node.text == "allow") return true;
  if (node.text == "deny") return false;
  report.error(node.where, std::string{what} + " must be allow or deny, not " + quote(node.text),
               did_you_mean(node.text, {"allow", "deny"}));
  return std::nullopt;
}

std::optional<Time> read_until(const Node& node, Report& report) {
  if (!is_text(node, "'until'", report)) return std::nullopt;
  const auto time = parse_time(node.text);
  if (time) return *time;
  report.error(node.where, time.error().message);
  return std::nullopt;
}

std::vector<Word> read_words(const Node& node, std::string_view what, Report& report,
                             Single single) {
  std::vector<Word> words;
  if (node.kind == Node::Kind::kInvalid) return words;
  if (node.kind == Node::Kind::kScalar && single == Single::kAccepted) {
    if (is_text(node, what, report)) words.emplace_back(node);
    return words;
  }
  if (node.kind != Node::Kind::kSequence) {
    const bool one = node.kind == Node::Kind::kScalar && !node.text.empty();
    report.error(node.where, std::string{what} + " must be a list, not " + kind_of(node),
                 one ? "write [" + node.text + "]" : "");
    return words;
  }
  for (const Node& item : node.items) {
    if (is_text(item, "an item of " + std::string{what}, report)) words.emplace_back(item);
  }
  return words;
}

bool check_interface(const Word& word, Report& report) {
  const bool legal =
      !word.empty() && word.text.size() < IFNAMSIZ && word.text != "." && word.text != ".." &&
      std::all_of(word.text.begin(), word.text.end(),
                  [](char c) { return c > ' ' && c < 0x7f && c != '/' && c != ':' && c != '%'; });
  if (!legal) {
    report.error(word.where(), quote(word.text) + " cannot be the name of a network interface",
                 "'ip link' lists the interfaces; a name has at most 15 characters");
  }
  return legal;
}

}  // namespace fw::config
