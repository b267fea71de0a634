// SPDX-License-Identifier: GPL-2.0-only
// May FROM reach TO, what decides it, what is translated on the way, and what would change it?
#pragma once

#include <functional>

#include "loader/compile/judge.h"
#include "loader/control/reports.h"
#include "loader/explain/question.h"
#include "loader/explain/world.h"

namespace fw::explain {

// Questions that need more judgements are refused: the daemon does nothing else meanwhile.
inline constexpr std::size_t kMaxJudgements = 200'000;

// Somebody who judges as compile::Judge does.
using Ask = std::function<Result<compile::Judgement>(const compile::Probe&)>;

// Asks `kernel`, or where there is none, the image.
Result<control::ExplainReport> explain(const World& world, const Question& question,
                                       std::uint64_t generation, const Ask& kernel = {});

}  // namespace fw::explain
