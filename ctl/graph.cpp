// SPDX-License-Identifier: GPL-2.0-only
// fwctl graph: a policy as a picture.
#include "loader/graph/graph.h"

#include <algorithm>
#include <array>
#include <memory>

#include "ctl/policy.h"
#include "ctl/verbs.h"
#include "loader/config/names.h"

namespace fw::ctl {
namespace {

struct Options {
  std::vector<std::string> files;
  std::string format = "svg";
};

struct Format {
  const char* name;
  std::string (*write)(const graph::Graph&);
};
constexpr std::array kFormats = {Format{"svg", graph::to_svg}, Format{"mermaid", graph::to_mermaid},
                                 Format{"dot", graph::to_dot}};

void draw(Session& session, const Options& options) {
  const auto* format = std::find_if(kFormats.begin(), kFormats.end(), [&](const Format& each) {
    return options.format == each.name;
  });
  if (format == kFormats.end())
    return session.fail(control::failure(
        control::Code::kUsage,
        config::quote(options.format) + " is not a format; write svg, mermaid or dot"));
  const auto policy =
      options.files.empty() ? policy_in_force(session) : policy_of(session, options.files);
  if (!policy) return;
  const auto picture = format->write(graph::of_policy(*policy));
  if (session.json)
    session.print_json(control::to_json(
        control::GraphReport{.name = policy->name, .format = options.format, .graph = picture}));
  else
    session.print(picture);
}

}  // namespace

void add_graph(CLI::App& fwctl, Session& session) {
  auto* verb = fwctl.add_subcommand("graph", "A policy as a picture: zones, doors, allowed flows");
  auto options = std::make_shared<Options>();
  add_files(*verb, options->files,
            "Draw this policy instead of the one in force; - for standard input");
  verb->add_option("--format", options->format, "svg, mermaid or dot")->capture_default_str();
  verb->callback([&session, options] { draw(session, *options); });
}

}  // namespace fw::ctl
