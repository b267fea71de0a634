// SPDX-License-Identifier: GPL-2.0-only
// What fwd and fwctl tell each other, as values: the arguments of a request and the result of an
// answer. Passive data; control/protocol.h turns it into JSON and back.
//
// Units are in the names; times are RFC 3339 in UTC; words for people (role, mode, state) are the
// ones that `fwctl` prints.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "loader/config/parse.h"

namespace fw::control {

struct Count {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;  // whole frames

  bool operator==(const Count&) const = default;
};

// --- status

struct InterfaceStatus {
  std::string name;
  std::string role;  // "uplink", "lan", "container"
  std::string mode;  // "xdp", "xdp-generic", "tc", or "off" when nothing is attached
  std::string why;   // why this mode: "veth: XDP would copy every GSO packet"

  bool operator==(const InterfaceStatus&) const = default;
};

struct PolicyStatus {
  std::string name;
  std::uint64_t generation = 0;
  std::string applied_at;
  std::string comment;  // of the apply; may be empty

  bool operator==(const PolicyStatus&) const = default;
};

// An address that a service names, or a container of an engine, and where it was found.
struct ContainerStatus {
  std::string name;     // of the container; empty: no engine knows it
  std::string service;  // empty: none names it
  std::string zone;
  std::string address;    // empty: it has none that fwd could guard
  std::string interface;  // empty: not placed
  bool enforced = false;  // the policy decides what it sends and receives
  std::string why;        // not enforced or not placed; may be empty

  bool operator==(const ContainerStatus&) const = default;
};

struct EngineStatus {
  std::string socket;   // "unix:///run/docker.sock"
  std::string version;  // "docker 20.10.24"; empty: it never answered
  std::string trouble;  // empty: it is followed

  bool operator==(const EngineStatus&) const = default;
};

struct FlowUsage {
  std::uint64_t in_use = 0;  // flows, not entries
  std::uint64_t capacity = 0;

  bool operator==(const FlowUsage&) const = default;
};

// May this machine's own processes use doors, those on loopback addresses among them?
struct LocalDoorsStatus {
  bool open = false;
  std::string why;  // not; where the hooks are while they are open

  bool operator==(const LocalDoorsStatus&) const = default;
};

struct StatusReport {
  bool enforcing = false;
  std::string why;  // why not enforcing; empty while enforcing
  std::string version;
  std::optional<PolicyStatus> policy;  // unset: none was ever applied
  std::vector<InterfaceStatus> interfaces;
  LocalDoorsStatus local_doors;
  FlowUsage flows;
  std::vector<EngineStatus> engines;
  std::vector<ContainerStatus> containers;
  std::vector<std::string> next;  // what to do next, one sentence each; fwctl adds the obvious ones

  bool operator==(const StatusReport&) const = default;
};

// --- counters

struct RuleCounter {
  std::string text;
  std::string file;
  int line = 0;
  Count count;
  std::uint64_t limited = 0;  // packets over its limit; not in count

  bool operator==(const RuleCounter&) const = default;
};

struct PublishCounter {
  std::string name;
  Count count;
  std::uint64_t limited = 0;

  bool operator==(const PublishCounter&) const = default;
};

struct DropCounter {
  std::string reason;  // a name of FW_REASONS
  Count count;

  bool operator==(const DropCounter&) const = default;
};

struct ZoneCounter {
  std::string from;
  std::string to;
  Count count;

  bool operator==(const ZoneCounter&) const = default;
};

struct CountersReport {
  std::vector<RuleCounter> rules;
  std::vector<PublishCounter> publish;
  std::vector<DropCounter> drops;
  std::vector<ZoneCounter> zones;

  bool operator==(const CountersReport&) const = default;
};

// --- flows

struct FlowsRequest {
  std::uint64_t limit = 1000;  // 0: all

  bool operator==(const FlowsRequest&) const = default;
};

struct FlowTuple {
  std::string src;
  std::string dst;
  std::uint16_t sport = 0;  // 0 where the protocol has no ports
  std::uint16_t dport = 0;

  bool operator==(const FlowTuple&) const = default;
};

// Both directions of one flow; `original` is the tuple of its first packet as it arrived,
// `translated` the same packet as it leaves (equal to `original` without NAT).
struct FlowReport {
  std::string proto;
  FlowTuple original;
  FlowTuple translated;
  std::string state;  // "half-open", "established", "closing", "closed"
  Count sent;         // in the direction of the first packet
  Count replies;
  std::uint64_t generation = 0;
  std::uint64_t expires_s = 0;  // seconds from now
  std::string rule;             // text of the rule or name of the door that admitted it
  std::string from_zone;
  std::string to_zone;

  bool operator==(const FlowReport&) const = default;
};

struct FlowsReport {
  std::uint64_t total = 0;  // how many there are; more than flows.size() when the limit cut
  std::vector<FlowReport> flows;

  bool operator==(const FlowsReport&) const = default;
};

// --- explain, policy

struct ExplainRequest {
  std::string from;
  std::string to;  // with its port, as typed

  bool operator==(const ExplainRequest&) const = default;
};

struct RuleRef {
  std::string text;
  std::string file;
  int line = 0;  // 0: a default, written nowhere

  bool operator==(const RuleRef&) const = default;
};

struct EndRef {
  std::string zone;
  std::optional<std::string> service;

  bool operator==(const EndRef&) const = default;
};

// "198.51.100.1:8080" becomes "172.20.1.10:80".
struct Translation {
  std::string from;
  std::string to;

  bool operator==(const Translation&) const = default;
};

// What a part of the question is answered, where the parts differ.
struct ExplainCase {
  std::string from;  // names, joined by ", "
  std::string to;
  std::string ports;  // "80/tcp", or "" for every port and protocol
  std::string verdict;
  std::string reason;
  std::optional<RuleRef> rule;

  bool operator==(const ExplainCase&) const = default;
};

struct NearRule {
  RuleRef rule;
  std::string differs;  // "another port"

  bool operator==(const NearRule&) const = default;
};

// A test of the policy that would fail.
struct BrokenTest {
  std::string name;
  std::string file;
  int line = 0;

  bool operator==(const BrokenTest&) const = default;
};

struct ExplainReport {
  std::string verdict;          // "allow" or "deny"
  std::string reason;           // a name of FW_REASONS; empty when allowed
  std::optional<RuleRef> rule;  // that decides; unset: none does
  EndRef from;
  EndRef to;                         // behind a door, the service
  std::vector<Translation> nat;      // of what FROM sends
  std::uint64_t generation = 0;      // 0: of a file
  std::string asked;                 // "kernel": its programs; "image": what a file compiles to
  std::string flow;                  // the question: "backend -> redis:6379/tcp"
  std::string help;                  // the reason in words; empty when allowed
  std::string router;                // "router:80": maps to this door; empty: none
  std::vector<Translation> replies;  // of what comes back
  std::vector<std::string> allow;    // lines of a policy that would allow it
  std::vector<BrokenTest> breaks;    // tests that fail once `allow` is in the policy
  std::vector<std::string> advice;   // sentences
  std::vector<NearRule> nearest;     // of a denied flow
  std::vector<ExplainCase> cases;    // empty where the whole question has one answer
  std::vector<std::string> notes;    // on the answer itself: who was asked

  bool operator==(const ExplainReport&) const = default;
};

// The texts that the policy in force was made of.
struct PolicyReport {
  std::uint64_t generation = 0;
  std::vector<config::Source> sources;          // later ones overlay earlier ones
  std::vector<config::Attachment> attachments;  // the files that they name
};

// --- diff: made by fwctl; no request asks for it

struct ReachChange {
  bool opens = false;  // else it closes
  std::string from;
  std::string to;
  std::string ports;             // "443/tcp"; "" for every port and protocol
  std::string by;                // the door's side: "host:8443"; empty: directly
  std::uint64_t live_flows = 0;  // that would be cut

  bool operator==(const ReachChange&) const = default;
};

struct DiffReport {
  bool differs = false;
  std::vector<ReachChange> changes;

  bool operator==(const DiffReport&) const = default;
};

// --- exposure: made by fwctl; no request asks for it

// What holds a door open.
struct DoorOpener {
  std::string kind;  // "process", "container", "rule" of nft, "policy"
  std::string name;  // of it; "" for a process out of sight
  std::string text;  // for people: "sshd (pid 812)"

  bool operator==(const DoorOpener&) const = default;
};

struct ExposedDoor {
  std::string address;    // "*", "0.0.0.0" and "::" for every one, of its family
  std::string interface;  // "": every one
  std::string proto;
  std::uint16_t port = 0;
  std::uint16_t last_port = 0;  // the same, but for a range
  bool local = false;           // only this machine's own processes get to it
  bool declared = false;        // the policy names it
  std::optional<RuleRef> declared_by;
  bool reachable = false;              // by somebody else
  std::vector<std::string> from;       // zones that may; empty without a policy that is enforced
  std::vector<std::string> unguarded;  // interfaces without fwd by which anybody may
  std::string denied;                  // a name of FW_REASONS, where fwd keeps everybody out
  std::vector<DoorOpener> opened_by;
  std::vector<std::string> declare;  // lines of a policy that would name it
  std::string close;                 // how to close it instead

  bool operator==(const ExposedDoor&) const = default;
};

struct ExposedInterface {
  std::string name;
  std::vector<std::string> addresses;
  bool guarded = false;  // fwd judges what comes in by it

  bool operator==(const ExposedInterface&) const = default;
};

struct ExposureReport {
  std::string policy;     // whose word counts: a file, or "NAME@GENERATION" in force; "": none
  bool enforced = false;  // by it `from` and `denied` were judged
  std::uint64_t declared = 0;
  std::uint64_t undeclared = 0;
  std::uint64_t local = 0;
  std::vector<ExposedDoor> doors;  // the undeclared first
  std::vector<ExposedInterface> interfaces;
  std::vector<std::string> unseen;  // sentences on what could not be looked at

  bool operator==(const ExposureReport&) const = default;
};

// What `fwctl graph --json` prints; no request asks for it.
struct GraphReport {
  std::string name;    // of the policy
  std::string format;  // "svg", "mermaid", "dot"
  std::string graph;   // the picture in that format

  bool operator==(const GraphReport&) const = default;
};

// --- apply, reload, teardown, version

struct ApplyRequest {
  std::vector<config::Source> sources;          // later ones overlay earlier ones
  std::vector<config::Attachment> attachments;  // the files that they name
  std::string comment;
  // SSH_CONNECTION of whoever asks; a policy that would cut it is refused. Empty: not asked for.
  std::string ssh;
};

// Also the result of reload.
struct ApplyReport {
  std::string name;
  std::uint64_t generation = 0;
  bool changed = false;       // false: this very policy was already in force
  std::uint64_t entries = 0;  // elements written into the kernel's policy maps
  std::vector<config::Diagnostic> warnings;
};

// What `fwctl check --json` prints of a policy that is right; no request asks for it.
struct MapUsage {
  std::string map;
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;  // of keys and values
};

struct CompiledSize {
  std::vector<MapUsage> maps;
  std::uint64_t identities = 0;
  std::uint64_t port_classes = 0;
  std::uint64_t counters = 0;
  std::uint64_t compile_us = 0;
};

struct CheckReport {
  bool ok = true;
  std::string name;
  std::vector<config::Diagnostic> diagnostics;  // warnings
  std::optional<CompiledSize> size;             // only when asked for
};

// What `fwctl test --json` prints; no request asks for it.
struct TestFailure {
  std::string file;
  int line = 0;
  std::string message;
};

struct TestResult {
  std::string name;
  std::string file;
  int line = 0;
  bool passed = false;
  std::uint64_t expectations = 0;
  std::vector<TestFailure> failures;
};

struct TestReport {
  std::string name;  // of the policy
  std::uint64_t passed = 0;
  std::uint64_t failed = 0;
  std::vector<TestResult> tests;
};

struct TeardownReport {
  bool was_enforcing = false;

  bool operator==(const TeardownReport&) const = default;
};

struct VersionReport {
  std::string version;
  std::uint32_t abi = 0;  // FW_ABI_VERSION

  bool operator==(const VersionReport&) const = default;
};

}  // namespace fw::control
