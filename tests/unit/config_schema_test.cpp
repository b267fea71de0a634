// SPDX-License-Identifier: GPL-2.0-only
// The schema that editors are given knows the keys that the parser knows, no more and no less.
#include "loader/config/schema.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <set>

#include "loader/config/parse.h"

namespace fw::config {
namespace {

using Json = nlohmann::json;

struct MapKind {
  const char* name;
  const char* text;     // a policy with the unknown key "zz" in a map of that kind
  const char* pointer;  // to the schema's properties of it
};

void PrintTo(const MapKind& kind, std::ostream* out) {
  *out << kind.name;
}

// Of "a zone has the keys subnets, networks": the keys.
std::set<std::string> keys_of(const std::string& hint) {
  std::set<std::string> keys;
  const std::string before = " has the keys ";
  const auto start = hint.find(before);
  if (start == std::string::npos) return keys;
  std::istringstream words{hint.substr(start + before.size())};
  for (std::string word; words >> word;) keys.insert(word.substr(0, word.find(',')));
  return keys;
}

std::set<std::string> parsed_keys(const MapKind& kind) {
  for (const auto& diagnostic : parse({"fwd.yaml", kind.text}).diagnostics)
    if (diagnostic.message == "unknown key 'zz'") return keys_of(diagnostic.hint);
  ADD_FAILURE() << "the parser accepts the key zz";
  return {};
}

class Schema : public testing::TestWithParam<MapKind> {};

TEST_P(Schema, HasTheKeysOfTheParser) {
  const auto& kind = GetParam();
  const auto properties = Json::parse(policy_schema()).at(Json::json_pointer{kind.pointer});
  std::set<std::string> in_schema;
  for (const auto& [key, value] : properties.items()) in_schema.insert(key);
  EXPECT_EQ(in_schema, parsed_keys(kind));
}

INSTANTIATE_TEST_SUITE_P(
    Maps, Schema,
    testing::Values(
        MapKind{"Policy", "zz: 1\n", "/properties"},
        MapKind{"Host", "host: {zz: 1}\n", "/$defs/host/properties"},
        MapKind{"Zone", "zones: {a: {zz: 1}}\n", "/$defs/zone/properties"},
        MapKind{"Service", "services: {a: {zz: 1}}\n", "/$defs/service/properties"},
        MapKind{"Door", "publish: {a: {zz: 1}}\n", "/$defs/door/properties"},
        MapKind{"Admin", "host: {admin: [{zz: 1}]}\n", "/$defs/admin/anyOf/1/properties"},
        MapKind{"Allow", "allow: [{zz: 1}]\n", "/$defs/allow/anyOf/1/properties"},
        MapKind{"Block", "block: [{zz: 1}]\n", "/$defs/block/anyOf/1/properties"},
        MapKind{"Limits", "limits: {zz: 1}\n", "/$defs/limits/properties"},
        MapKind{"Syn", "limits: {syn: {zz: 1}}\n", "/$defs/limits/properties/syn/properties"},
        MapKind{"Flows", "limits: {flows: {zz: 1}}\n", "/$defs/limits/properties/flows/properties"},
        MapKind{"Timeouts", "limits: {timeouts: {zz: 1}}\n",
                "/$defs/limits/properties/timeouts/properties"},
        MapKind{"Test", "tests: [{zz: 1}]\n", "/$defs/test/properties"}),
    [](const auto& kind) { return std::string{kind.param.name}; });

}  // namespace
}  // namespace fw::config
