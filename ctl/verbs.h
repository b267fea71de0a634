// SPDX-License-Identifier: GPL-2.0-only
// Every verb of fwctl, one file each, and the pure function that renders what it prints.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "ctl/session.h"

namespace fw::ctl {

void add_status(CLI::App& fwctl, Session& session);
void add_check(CLI::App& fwctl, Session& session);
void add_test(CLI::App& fwctl, Session& session);
void add_apply(CLI::App& fwctl, Session& session);
void add_counters(CLI::App& fwctl, Session& session);
void add_flows(CLI::App& fwctl, Session& session);
void add_explain(CLI::App& fwctl, Session& session);
void add_diff(CLI::App& fwctl, Session& session);
void add_exposure(CLI::App& fwctl, Session& session);
void add_graph(CLI::App& fwctl, Session& session);
void add_schema(CLI::App& fwctl, Session& session);
void add_teardown(CLI::App& fwctl, Session& session);
void add_version(CLI::App& fwctl, Session& session);

std::string render(const control::StatusReport& report, const Style& style);
// Counters at zero are left out unless `all`.
std::string render(const control::CountersReport& report, bool all, const Style& style);
std::string render(const control::FlowsReport& report, const Style& style);
std::string render(const control::CompiledSize& size, const Style& style);
std::string render(const control::TestReport& report, const Style& style);
std::string render(const control::ExplainReport& report, const Style& style);
std::string render(const control::DiffReport& report, const Style& style);
std::string render(const control::ExposureReport& report, const Style& style);
std::string render(const control::ApplyReport& report, const Style& style);

}  // namespace fw::ctl
