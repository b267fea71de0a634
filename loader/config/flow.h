// SPDX-License-Identifier: GPL-2.0-only
// The grammar of flows: FROM -> TO[:PORT[,PORT...][/PROTO]], as words without meaning yet.
#pragma once

#include <optional>
#include <vector>

#include "loader/config/diagnostic.h"
#include "loader/config/model.h"
#include "loader/config/word.h"

namespace fw::config {

// PORT, and the protocols that were written for it; none: whatever the port's name declares.
struct PortWord {
  Word port;
  std::vector<Proto> protos;
  Word proto;           // as written; empty without
  bool shared = false;  // the protocol was written after a later port: "22,25/tcp"
};

// TO[:PORTS]. No ports: every port and protocol.
struct TargetWord {
  Word peer;  // without brackets
  std::vector<PortWord> ports;
};

struct FlowWord {
  Word from;
  TargetWord to;
};

// Unset after reporting what is wrong.
std::optional<FlowWord> read_flow(const Word& flow, Report& report);
std::optional<TargetWord> read_target(const Word& target, Report& report);
// "tcp", "udp", "icmp" or "tcp+udp"; empty after reporting what is wrong.
std::vector<Proto> read_protos(const Word& word, Report& report);

// PEER and PORTS of "PEER:PORTS", "[IPV6]:PORTS", or of a peer alone (then `second` is unset).
std::optional<std::pair<Word, std::optional<Word>>> split_port(const Word& word, Report& report);

}  // namespace fw::config
