// SPDX-License-Identifier: GPL-2.0-only
// Names that a container engine gave: of containers, compose services and networks. Only an engine
// knows whether there is one; here they are checked for being names at all.
#pragma once

#include "loader/config/diagnostic.h"
#include "loader/config/model.h"
#include "loader/config/word.h"
#include "loader/config/yaml.h"

namespace fw::config {

void read_container(const Node& node, Service& service, Report& report);  // `container: NAME`
void read_compose(const Node& node, Service& service, Report& report);    // `compose: PROJECT/NAME`

// False after reporting that no engine calls a network so.
bool check_network(const Word& word, Report& report);

}  // namespace fw::config
