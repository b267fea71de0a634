// SPDX-License-Identifier: GPL-2.0-only
// What do the programs in the kernel say to the first packet of a flow? They are run on one that is
// made up (bpf/fw_explain.bpf.c): nothing is opened, counted or sent.
#pragma once

#include "loader/compile/judge.h"
#include "loader/datapath/programs.h"

namespace fw::datapath {

// Of the policy in force. `probe.ifindex` must be an interface of the placement, which is what the
// programs were told of the machine.
Result<fw_explanation> ask(const Programs& programs, const compile::Placement& placement,
                           const compile::Probe& probe);

// The same in the judge's terms. `probe` is what was asked.
Result<compile::Judgement> to_judgement(const fw_explanation& told, const compile::Probe& probe);

}  // namespace fw::datapath
