// SPDX-License-Identifier: GPL-2.0-only
// The policy file that a verb is given: read it and check it here, without a daemon.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "ctl/session.h"
#include "loader/compile/check.h"
#include "loader/config/until.h"

namespace fw::ctl {

inline constexpr const char* kDefaultPolicy = "/etc/fwd/fwd.yaml";

// Adds -f/--file to a verb; `meaning` is its help.
void add_files(
    CLI::App& verb, std::vector<std::string>& files,
    const std::string& meaning =
        std::string{
            "The policy; - for standard input, repeatable: a later file overlays (default "} +
        kDefaultPolicy + ")");

// Policy files as read, and what compile::check() says of it.
struct Checked {
  config::Sources sources;
  compile::CheckedPolicy result;
};

// Later files overlay earlier ones; "-" is stdin.
Result<Checked> read_policy(const std::vector<std::string>& files);

// The policy of the files, or the one that the daemon enforces, without what has ended. Unset: the
// session has failed, and the user knows why. A policy whose tests fail is one nevertheless.
std::optional<config::Policy> policy_of(Session& session, const std::vector<std::string>& files);
std::optional<config::Policy> policy_in_force(Session& session);

// The answer when `checked` is not accepted: kNo when its tests are all that is wrong.
control::Answer refusal(const Checked& checked);

}  // namespace fw::ctl
