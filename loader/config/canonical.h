// SPDX-License-Identifier: GPL-2.0-only
// One spelling for everything that means the same.
#pragma once

#include <string>
#include <vector>

#include "loader/config/model.h"

namespace fw::config {

// Sorted, each peer once; with Anyone among them, Anyone alone.
void normalize(std::vector<Peer>& peers);
// Sorted, overlapping and adjacent ranges of a protocol joined.
void normalize(std::vector<PortSet>& ports);

std::string to_string(const Peer& peer);

// "ping,25,465/tcp,53/tcp+udp": a protocol belongs to the ports before it that have none.
std::string ports_text(const std::vector<PortSet>& ports);

// "backend -> db:5432/tcp", "lan -> host:ping", "{a,b} -> [fd00::1]:25,465/tcp,53/tcp+udp",
// "internet (list drop) -> *". Reads back as the same rule when it has no list. The peers and ports
// must be normalized.
std::string rule_text(const Rule& rule);

// What follows "->" in a rule: "db:5432/tcp".
std::string target_text(const std::vector<Peer>& to, const std::vector<PortSet>& ports);

// "200/s per source".
std::string to_string(const Rate& rate);

// "dns: host:53/tcp+udp -> dns:53".
std::string door_text(const std::string& name, const Door& door);

}  // namespace fw::config
