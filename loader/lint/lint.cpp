// SPDX-License-Identifier: GPL-2.0-only
#include "loader/lint/lint.h"

#include "loader/compile/bind.h"
#include "loader/config/names.h"
#include "loader/lint/lints.h"

namespace fw::lint {

std::string called(const std::string& text, const config::Location& there,
                   const config::Location& here) {
  return config::quote(text) + " (" + config::place_of(there, here) + ")";
}

std::vector<config::Diagnostic> lint(const config::Policy& written,
                                     const config::Sources& sources) {
  const config::Policy policy = compile::with_assumed_members(written);
  config::Report report;
  for (const auto& layer : sources.layers) report.add_source(layer);
  for (const auto question : {shadowed_lines, impossible_lines, forgotten_ipv6, empty_zones,
                              hidden_subnets, idle_masquerade, undeclared_ports, unused_services,
                              echoing_tests, closed_host, idle_egress_rules})
    question(policy, report);
  return std::move(report).take();
}

}  // namespace fw::lint
