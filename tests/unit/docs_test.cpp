// SPDX-License-Identifier: GPL-2.0-only
// Do the documents still say what the code does, as far as a test can tell?
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "loader/compile/check.h"
#include "loader/lint/lint.h"
#include "maps/reason.h"

namespace fw {
namespace {

namespace fs = std::filesystem;

fs::path root() {
  return FW_SOURCE_DIR;
}

std::string read(const fs::path& path) {
  std::ifstream file{path};
  EXPECT_TRUE(file) << path << " cannot be read";
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<fs::path> documents() {
  std::vector<fs::path> found{root() / "README.md", root() / "CONTRIBUTING.md"};
  for (const auto& entry : fs::recursive_directory_iterator{root() / "docs"})
    if (entry.path().extension() == ".md") found.push_back(entry.path());
  return found;
}

// Each match of the first group.
std::vector<std::string> matches(const std::string& text, const char* pattern) {
  const std::regex expression{pattern};
  std::vector<std::string> found;
  for (std::sregex_iterator match{text.begin(), text.end(), expression}, end; match != end; ++match)
    found.push_back((*match)[1].str());
  return found;
}

// The texts between ```yaml and ```.
std::vector<std::string> policies(const std::string& text) {
  const std::string begin = "```yaml\n";
  std::vector<std::string> found;
  for (auto at = text.find(begin); at != std::string::npos; at = text.find(begin, at)) {
    at += begin.size();
    found.push_back(text.substr(at, text.find("```", at) - at));
  }
  return found;
}

TEST(Docs, ReasonsAreThoseOfTheKernel) {
  std::vector<std::string> wanted;
#define FW_REASON_ROW(name, help) wanted.push_back("| `" #name "` | " help " |");
  FW_REASONS(FW_REASON_ROW)
#undef FW_REASON_ROW
  wanted.erase(wanted.begin());  // NONE: nothing was dropped
  EXPECT_EQ(matches(read(root() / "docs/reasons.md"), "(\\| `[A-Z_]+` \\| [^\n|]+ \\|)"), wanted);
}

TEST(Docs, PoliciesAreAccepted) {
  std::size_t count = 0;
  for (const auto& document : documents())
    for (const auto& text : policies(read(document))) {
      ++count;
      const auto checked = compile::check({document.native(), text});
      EXPECT_TRUE(checked.accepted()) << document << ":\n" << text;
      for (const auto& diagnostic : checked.diagnostics)
        ADD_FAILURE() << config::to_string(diagnostic);
      if (!checked.policy) continue;
      for (const auto& warning : lint::lint(*checked.policy, {document.native(), text}))
        ADD_FAILURE() << config::to_string(warning);
    }
  EXPECT_GE(count, 3U);
}

TEST(Docs, ExamplesAreAcceptedWithoutAWarning) {
  std::size_t count = 0;
  for (const auto& entry : fs::recursive_directory_iterator{root() / "docs/examples"}) {
    if (entry.path().extension() != ".yaml") continue;
    const config::Source source{entry.path().native(), read(entry.path())};
    if (source.text.find("version: 1") == std::string::npos) continue;  // not a policy
    ++count;
    const auto checked = compile::check(source);
    ASSERT_TRUE(checked.accepted()) << source.name;
    for (const auto& warning : lint::lint(*checked.policy, source))
      ADD_FAILURE() << config::to_string(warning);
  }
  EXPECT_GE(count, 2U);
}

TEST(Docs, TheReadmeShowsTheDemosPolicy) {
  const std::string file = read(root() / "docs/examples/demo/host.yaml");
  EXPECT_THAT(policies(read(root() / "README.md")),
              testing::Contains(file.substr(file.find("version:"))));
}

// What is written as `bpf/stages/parse.h` or linked is there.
TEST(Docs, FilesThatAreNamedExist) {
  for (const auto& document : documents()) {
    const std::string text = read(document);
    for (const auto& path :
         matches(text, "`((?:bpf|maps|loader|ctl|tests|scripts|docs)/[A-Za-z0-9_./-]*)[ `]"))
      EXPECT_TRUE(fs::exists(root() / path)) << document << " names " << path;
    for (const auto& link : matches(text, "\\]\\(([A-Za-z0-9_./-]+)(?:#[a-z-]*)?\\)"))
      EXPECT_TRUE(fs::exists(document.parent_path() / link)) << document << " links to " << link;
  }
}

}  // namespace
}  // namespace fw
