// SPDX-License-Identifier: GPL-2.0-only
// What a denied flow would need: the line to add, or what stands in its way, and the rules that
// nearly let it through.
#pragma once

#include "loader/control/reports.h"
#include "loader/explain/atlas.h"
#include "loader/explain/question.h"

namespace fw::explain {

struct Denial {
  const Member& from;
  const Member& to;
  config::PortSet port;
  bool any_port = false;  // no port was asked for
  fw_reason reason = FW_REASON_NO_RULE;
  const config::Door* door = nullptr;  // that the flow met
  std::string door_name;
  std::optional<Address> backend;
  std::optional<control::RuleRef> rule;  // that denies it
};

// `allow`, `breaks` and `advice` of the report.
void advise(const Atlas& atlas, const Question& question, const Denial& denial,
            control::ExplainReport& report);
// The rules and doors that differ from the flow in one thing only, the most similar first.
std::vector<control::NearRule> nearest(const Atlas& atlas, const Denial& denial);

}  // namespace fw::explain
