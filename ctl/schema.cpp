// SPDX-License-Identifier: GPL-2.0-only
// fwctl schema: the policy language as JSON Schema, for editors.
#include "loader/config/schema.h"

#include "ctl/verbs.h"

namespace fw::ctl {

void add_schema(CLI::App& fwctl, Session& session) {
  auto* schema =
      fwctl.add_subcommand("schema", "The policy language as JSON Schema, for your editor");
  schema->callback([&session] { session.print(std::string{config::policy_schema()}); });
}

}  // namespace fw::ctl
