// SPDX-License-Identifier: GPL-2.0-only
// Do the example policies hold, and do their tests notice when a rule lets through more than it
// should?
#include <gmock/gmock.h>

#include <filesystem>

#include "loader/compile/check.h"
#include "loader/config/load.h"

namespace fw {
namespace {

namespace fs = std::filesystem;

fs::path examples() {
  return fs::path{FW_SOURCE_DIR} / "docs/examples";
}

// A policy as an administrator would give it: the files of one `-f A -f B`.
using Files = std::vector<std::string>;

const std::vector<Files> kExamples = {
    {"podplay/host.yaml"},
    {"podplay/router.yaml"},
    {"isolation/base.yaml"},
    {"smtpy/container-proxy.yaml"},
    {"smtpy/host-proxy.yaml"},
    {"mailproxy/proxy-host.yaml"},
    {"mailproxy/genropy-host.yaml"},
    {"mailproxy/three-tiers.yaml"},
    {"sobertube/base.yaml"},
    {"isolation/base.yaml", "isolation/development.yaml"},
    {"isolation/base.yaml", "isolation/production.yaml"},
    {"sobertube/base.yaml", "sobertube/development.yaml"},
};

compile::CheckedPolicy check(const Files& files) {
  std::vector<std::string> paths;
  for (const auto& file : files) paths.push_back((examples() / file).native());
  const auto sources = config::load(paths);
  if (!sources) {
    ADD_FAILURE() << sources.error().message;
    return {};
  }
  return compile::check(*sources, config::Time{});
}

class Example : public testing::TestWithParam<Files> {};

TEST_P(Example, IsAcceptedWithoutAWord) {
  const auto checked = check(GetParam());
  EXPECT_TRUE(checked.accepted());
  for (const auto& diagnostic : checked.diagnostics) ADD_FAILURE() << config::to_string(diagnostic);
}

// One way to let through more than was meant.
struct Loosening {
  const char* name;
  bool (*applies)(const config::Rule&);
  void (*apply)(config::Rule&);
};

bool is_anyone(const std::vector<config::Peer>& peers) {
  return peers == std::vector<config::Peer>{config::Anyone{}};
}

const Loosening kLoosenings[] = {
    {"from anyone", [](const config::Rule& rule) { return !is_anyone(rule.from); },
     [](config::Rule& rule) { rule.from = {config::Anyone{}}; }},
    {"to anyone", [](const config::Rule& rule) { return !is_anyone(rule.to); },
     [](config::Rule& rule) { rule.to = {config::Anyone{}}; }},
    {"every port", [](const config::Rule& rule) { return !rule.ports.empty(); },
     [](config::Rule& rule) { rule.ports.clear(); }},
};

// The messages of the tests that fail.
std::string failures(const config::Policy& policy) {
  const auto offline = compile::compile_offline(policy);
  if (!offline) return offline.error().message;
  std::string text;
  for (const auto& test : compile::run_tests(policy, *offline))
    for (const auto& failure : test.failures) text += failure.message + "\n";
  return text;
}

TEST_P(Example, TestsNoticeEachLoosenedAllow) {
  const auto checked = check(GetParam());
  ASSERT_TRUE(checked.policy);
  for (std::size_t i = 0; i < checked.policy->rules.size(); ++i) {
    const config::Rule& rule = checked.policy->rules[i];
    if (rule.kind != config::RuleKind::kAllow) continue;
    for (const Loosening& loosening : kLoosenings) {
      if (!loosening.applies(rule)) continue;
      config::Policy loose = *checked.policy;
      loosening.apply(loose.rules[i]);
      const std::string where =
          fs::path{rule.where.file}.filename().native() + ":" + std::to_string(rule.where.line);
      EXPECT_THAT(failures(loose), testing::HasSubstr(where))
          << rule.text << ": " << loosening.name;
    }
  }
}

std::string name_of(const testing::TestParamInfo<Files>& info) {
  std::string name = fs::path{info.param.back()}.replace_extension().native();
  for (char& c : name)
    if (!isalnum(static_cast<unsigned char>(c))) c = '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(Docs, Example, testing::ValuesIn(kExamples), name_of);

// Every policy below docs/examples is in the list.
TEST(Examples, AreAllTested) {
  for (const auto& entry : fs::recursive_directory_iterator{examples()}) {
    if (entry.path().extension() != ".yaml") continue;
    const std::string name = fs::relative(entry.path(), examples()).native();
    if (name.starts_with("demo/")) continue;  // the demo itself is its test
    EXPECT_THAT(kExamples, testing::Contains(testing::Contains(name)));
  }
}

}  // namespace
}  // namespace fw
