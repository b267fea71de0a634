// SPDX-License-Identifier: GPL-2.0-only
// The policy file that a verb is given: read it and check it here, without a daemon.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "ctl/session.h"
#include "loader/compile/check.h"

namespace fw::ctl {

inline constexpr const char* kDefaultPolicy = "/etc/fwd/fwd.yaml";

// Adds -f/--file to a verb; `meaning` is its help.
void add_files(
    CLI::App& verb, std::vector<std::string>& files,
    const std::string& meaning = std::string{"The policy; - for standard input (default "} +
                                 kDefaultPolicy + ")");

// A policy file as read, and what compile::check() says of it.
struct Checked {
  config::Source source;
  compile::CheckedPolicy result;
};

// "-" is stdin. Several files are refused in this version.
Result<Checked> read_policy(const std::vector<std::string>& files);

// The policy of a file, or the one that the daemon enforces. Unset: the session has failed, and the
// user knows why. A policy whose tests fail is one nevertheless.
std::optional<config::Policy> policy_of(Session& session, const std::vector<std::string>& files);
std::optional<config::Policy> policy_in_force(Session& session);

// The answer when `checked` is not accepted: kNo when its tests are all that is wrong.
control::Answer refusal(const Checked& checked);

}  // namespace fw::ctl
