// SPDX-License-Identifier: GPL-2.0-only
// Which backend does a hash choose? Maglev hashing: Eisenbud et al., NSDI 2016, section 3.4.
#pragma once

#include <vector>

#include "loader/base/net.h"

namespace fw::compile {

// Elements that choose between `backends` evenly: one for a single backend, else a prime number of
// them. The order of `backends` does not matter, and removing one leaves most slots of the others
// as they were. Empty for none.
std::vector<Address> maglev_table(std::vector<Address> backends);

}  // namespace fw::compile
