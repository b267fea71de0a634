// SPDX-License-Identifier: GPL-2.0-only
// Typed reading of a tree: known keys, lists, booleans and names, with a message for all else.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "loader/config/diagnostic.h"
#include "loader/config/model.h"
#include "loader/config/word.h"
#include "loader/config/yaml.h"

namespace fw::config {

// The keys that one kind of map may have, and those of the contract that this version refuses.
struct Keys {
  std::vector<std::string> known;
  std::vector<std::string> later;
  std::vector<std::string> refused{};  // never suggested; the reader says why it takes none
};

// A map with fixed keys. Keys that do not belong there are reported when it is made.
class Fields {
 public:
  Fields(const Node& map, const Keys& keys, std::string_view what, Report& report);
  // The value of a known key; nullptr when it is absent or was reported.
  const Node* operator[](std::string_view key) const;
  // Was the key written, perhaps misspelled? Then its absence needs no message of its own.
  [[nodiscard]] bool attempted(std::string_view key) const;

 private:
  const Node& map_;
  std::vector<std::string> misspelled_;  // the keys that were probably meant
};

// Each returns false (or nothing) after reporting what is wrong. `what` names the value in the
// message: "'subnets'".
bool is_map(const Node& node, std::string_view what, Report& report);
bool is_text(const Node& node, std::string_view what, Report& report);
std::optional<bool> read_bool(const Node& node, std::string_view what, Report& report);
// allow -> true, deny -> false.
std::optional<bool> read_verdict(const Node& node, std::string_view what, Report& report);

// RFC 3339.
std::optional<Time> read_until(const Node& node, Report& report);

enum class Single { kRefused, kAccepted };  // whether one text stands for a list of one
// The texts of a list.
std::vector<Word> read_words(const Node& node, std::string_view what, Report& report,
                             Single single = Single::kRefused);

// Is this an interface name that Linux accepts?
bool check_interface(const Word& word, Report& report);

}  // namespace fw::config
