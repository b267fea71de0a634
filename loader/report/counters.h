// SPDX-License-Identifier: GPL-2.0-only
// Accounts -> what an operator counts: rules, doors, reasons, zone pairs. Pure.
#pragma once

#include <vector>

#include "loader/compile/image.h"
#include "loader/config/model.h"
#include "loader/control/reports.h"
#include "maps/account.h"

namespace fw::report {

// `counts` by account number, as the kernel has them; it may be longer or shorter than the book.
// Every rule and door of the policy is in the report, also those that never matched.
control::CountersReport counters(const config::Policy& policy, const compile::AccountBook& book,
                                 const std::vector<fw_account>& counts);

}  // namespace fw::report
