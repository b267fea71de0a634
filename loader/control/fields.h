// SPDX-License-Identifier: GPL-2.0-only
// Which JSON member each field of a report is. Named once, for both directions: a Writer and a
// Reader (control/json.h) visit the same list.
#pragma once

#include <type_traits>

#include "loader/control/protocol.h"

namespace fw::control {

template <class Io, class T>
using Of = std::conditional_t<Io::kReads, T, const T>;

template <class Io>
void fields(Io& io, Of<Io, Count>& count) {
  io("packets", count.packets);
  io("bytes", count.bytes);
}

template <class Io>
void fields(Io& io, Of<Io, InterfaceStatus>& interface) {
  io("name", interface.name);
  io("role", interface.role);
  io("mode", interface.mode);
  io("why", interface.why);
}

template <class Io>
void fields(Io& io, Of<Io, PolicyStatus>& policy) {
  io("name", policy.name);
  io("generation", policy.generation);
  io("applied_at", policy.applied_at);
  io("comment", policy.comment);
}

template <class Io>
void fields(Io& io, Of<Io, ContainerStatus>& container) {
  io("name", container.name);
  io("service", container.service);
  io("zone", container.zone);
  io("address", container.address);
  io("interface", container.interface);
  io("enforced", container.enforced);
  io("why", container.why);
}

template <class Io>
void fields(Io& io, Of<Io, LocalDoorsStatus>& doors) {
  io("open", doors.open);
  io("why", doors.why);
}

template <class Io>
void fields(Io& io, Of<Io, EngineStatus>& engine) {
  io("socket", engine.socket);
  io("version", engine.version);
  io("trouble", engine.trouble);
}

template <class Io>
void fields(Io& io, Of<Io, FlowUsage>& usage) {
  io("in_use", usage.in_use);
  io("capacity", usage.capacity);
}

template <class Io>
void fields(Io& io, Of<Io, StatusReport>& status) {
  io("enforcing", status.enforcing);
  io("why", status.why);
  io("version", status.version);
  io("policy", status.policy);
  io("interfaces", status.interfaces);
  io("local_doors", status.local_doors);
  io("flows", status.flows);
  io("engines", status.engines);
  io("containers", status.containers);
  io("next", status.next);
}

// The contract has packets and bytes beside the name, not in an object of their own.
template <class Io>
void fields(Io& io, Of<Io, RuleCounter>& counter) {
  io("text", counter.text);
  io("file", counter.file);
  io("line", counter.line);
  fields(io, counter.count);
  io("limited", counter.limited);
}

template <class Io>
void fields(Io& io, Of<Io, PublishCounter>& counter) {
  io("name", counter.name);
  fields(io, counter.count);
  io("limited", counter.limited);
}

template <class Io>
void fields(Io& io, Of<Io, DropCounter>& counter) {
  io("reason", counter.reason);
  fields(io, counter.count);
}

template <class Io>
void fields(Io& io, Of<Io, ZoneCounter>& counter) {
  io("from", counter.from);
  io("to", counter.to);
  fields(io, counter.count);
}

template <class Io>
void fields(Io& io, Of<Io, CountersReport>& counters) {
  io("rules", counters.rules);
  io("publish", counters.publish);
  io("drops", counters.drops);
  io("zones", counters.zones);
}

template <class Io>
void fields(Io& io, Of<Io, FlowsRequest>& request) {
  io.optional("limit", request.limit);
}

template <class Io>
void fields(Io& io, Of<Io, FlowTuple>& tuple) {
  io("src", tuple.src);
  io("dst", tuple.dst);
  io("sport", tuple.sport);
  io("dport", tuple.dport);
}

template <class Io>
void fields(Io& io, Of<Io, FlowReport>& flow) {
  io("proto", flow.proto);
  io("original", flow.original);
  io("translated", flow.translated);
  io("state", flow.state);
  io("sent", flow.sent);
  io("replies", flow.replies);
  io("generation", flow.generation);
  io("expires_s", flow.expires_s);
  io("rule", flow.rule);
  io("from_zone", flow.from_zone);
  io("to_zone", flow.to_zone);
}

template <class Io>
void fields(Io& io, Of<Io, FlowsReport>& report) {
  io("total", report.total);
  io("flows", report.flows);
}

template <class Io>
void fields(Io& io, Of<Io, config::Source>& source) {
  io("name", source.name);
  io("text", source.text);
}

// One that could not be read is never sent.
template <class Io>
void fields(Io& io, Of<Io, config::Attachment>& attachment) {
  io("name", attachment.name);
  io("text", attachment.text);
}

template <class Io>
void fields(Io& io, Of<Io, ExplainRequest>& request) {
  io("from", request.from);
  io("to", request.to);
}

template <class Io>
void fields(Io& io, Of<Io, RuleRef>& rule) {
  io("text", rule.text);
  io("file", rule.file);
  io("line", rule.line);
}

template <class Io>
void fields(Io& io, Of<Io, EndRef>& end) {
  io("zone", end.zone);
  io("service", end.service);
}

template <class Io>
void fields(Io& io, Of<Io, Translation>& translation) {
  io("from", translation.from);
  io("to", translation.to);
}

template <class Io>
void fields(Io& io, Of<Io, ExplainCase>& part) {
  io("from", part.from);
  io("to", part.to);
  io("ports", part.ports);
  io("verdict", part.verdict);
  io("reason", part.reason);
  io("rule", part.rule);
}

template <class Io>
void fields(Io& io, Of<Io, NearRule>& near) {
  fields(io, near.rule);
  io("differs", near.differs);
}

template <class Io>
void fields(Io& io, Of<Io, BrokenTest>& test) {
  io("name", test.name);
  io("file", test.file);
  io("line", test.line);
}

template <class Io>
void fields(Io& io, Of<Io, ExplainReport>& report) {
  io("verdict", report.verdict);
  io("reason", report.reason);
  io("rule", report.rule);
  io("from", report.from);
  io("to", report.to);
  io("nat", report.nat);
  io("generation", report.generation);
  io("asked", report.asked);
  io("flow", report.flow);
  io("help", report.help);
  io("router", report.router);
  io("replies", report.replies);
  io("allow", report.allow);
  io("breaks", report.breaks);
  io("advice", report.advice);
  io("nearest", report.nearest);
  io("cases", report.cases);
  io("notes", report.notes);
}

template <class Io>
void fields(Io& io, Of<Io, ReachChange>& change) {
  io("opens", change.opens);
  io("from", change.from);
  io("to", change.to);
  io("ports", change.ports);
  io("by", change.by);
  io("live_flows", change.live_flows);
}

template <class Io>
void fields(Io& io, Of<Io, DiffReport>& report) {
  io("differs", report.differs);
  io("changes", report.changes);
}

template <class Io>
void fields(Io& io, Of<Io, DoorOpener>& opener) {
  io("kind", opener.kind);
  io("name", opener.name);
  io("text", opener.text);
}

template <class Io>
void fields(Io& io, Of<Io, ExposedDoor>& door) {
  io("address", door.address);
  io("interface", door.interface);
  io("proto", door.proto);
  io("port", door.port);
  io("last_port", door.last_port);
  io("local", door.local);
  io("declared", door.declared);
  io("declared_by", door.declared_by);
  io("reachable", door.reachable);
  io("from", door.from);
  io("unguarded", door.unguarded);
  io("denied", door.denied);
  io("opened_by", door.opened_by);
  io("declare", door.declare);
  io("close", door.close);
}

template <class Io>
void fields(Io& io, Of<Io, ExposedInterface>& interface) {
  io("name", interface.name);
  io("addresses", interface.addresses);
  io("guarded", interface.guarded);
}

template <class Io>
void fields(Io& io, Of<Io, ExposureReport>& report) {
  io("policy", report.policy);
  io("enforced", report.enforced);
  io("declared", report.declared);
  io("undeclared", report.undeclared);
  io("local", report.local);
  io("doors", report.doors);
  io("interfaces", report.interfaces);
  io("unseen", report.unseen);
}

template <class Io>
void fields(Io& io, Of<Io, GraphReport>& report) {
  io("name", report.name);
  io("format", report.format);
  io("graph", report.graph);
}

template <class Io>
void fields(Io& io, Of<Io, PolicyReport>& report) {
  io("generation", report.generation);
  io("sources", report.sources);
  io.optional("attachments", report.attachments);
}

template <class Io>
void fields(Io& io, Of<Io, ApplyRequest>& request) {
  io("sources", request.sources);
  io.optional("attachments", request.attachments);
  io.optional("comment", request.comment);
  io.optional("ssh", request.ssh);
}

template <class Io>
void fields(Io& io, Of<Io, config::Diagnostic>& diagnostic) {
  io("severity", diagnostic.severity);
  io("file", diagnostic.where.file);
  io("line", diagnostic.where.line);
  io("column", diagnostic.where.column);
  io("message", diagnostic.message);
  io.optional("hint", diagnostic.hint);
  io.optional("source_line", diagnostic.source_line);
}

template <class Io>
void fields(Io& io, Of<Io, ApplyReport>& report) {
  io("name", report.name);
  io("generation", report.generation);
  io("changed", report.changed);
  io("entries", report.entries);
  io("warnings", report.warnings);
}

template <class Io>
void fields(Io& io, Of<Io, MapUsage>& usage) {
  io("map", usage.map);
  io("entries", usage.entries);
  io("bytes", usage.bytes);
}

template <class Io>
void fields(Io& io, Of<Io, CompiledSize>& size) {
  io("maps", size.maps);
  io("identities", size.identities);
  io("port_classes", size.port_classes);
  io("counters", size.counters);
  io("compile_us", size.compile_us);
}

template <class Io>
void fields(Io& io, Of<Io, CheckReport>& report) {
  io("ok", report.ok);
  io("name", report.name);
  io("diagnostics", report.diagnostics);
  io("size", report.size);
}

template <class Io>
void fields(Io& io, Of<Io, TestFailure>& failure) {
  io("file", failure.file);
  io("line", failure.line);
  io("message", failure.message);
}

template <class Io>
void fields(Io& io, Of<Io, TestResult>& test) {
  io("name", test.name);
  io("file", test.file);
  io("line", test.line);
  io("passed", test.passed);
  io("expectations", test.expectations);
  io("failures", test.failures);
}

template <class Io>
void fields(Io& io, Of<Io, TestReport>& report) {
  io("name", report.name);
  io("passed", report.passed);
  io("failed", report.failed);
  io("tests", report.tests);
}

template <class Io>
void fields(Io& io, Of<Io, TeardownReport>& report) {
  io("was_enforcing", report.was_enforcing);
}

template <class Io>
void fields(Io& io, Of<Io, VersionReport>& report) {
  io("version", report.version);
  io("abi", report.abi);
}

}  // namespace fw::control
