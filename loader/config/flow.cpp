// SPDX-License-Identifier: GPL-2.0-only
// Flows are cut into words here; resolve.cpp says what the words mean.
#include "loader/config/flow.h"

#include <algorithm>

#include "loader/config/names.h"

namespace fw::config {
namespace {

constexpr const char* kFlowForm =
    "a flow reads 'FROM -> TO', 'FROM -> TO:PORT' or "
    "'FROM -> TO:PORT/PROTO'";

// A protocol stands for all ports before it that have none: "25,465/tcp" is TCP only, and
// "53/udp,80/tcp" gives each its own.
bool read_ports(const Word& list, std::vector<PortWord>& ports, Report& report) {
  std::size_t open = 0;  // the first port still without a protocol
  for (Word rest = list;;) {
    const bool more = rest.has(",");
    const auto [item, after] = rest.split(",");
    const auto [port, proto] = item.split("/");
    if (port.trimmed().empty()) {
      report.error(item.where(), "a port is missing here", kFlowForm);
      return false;
    }
    ports.push_back({port.trimmed(), {}, {}, false});
    if (item.has("/")) {
      const auto protos = read_protos(proto.trimmed(), report);
      if (protos.empty()) return false;
      for (; open < ports.size(); ++open) {
        ports[open].protos = protos;
        ports[open].proto = proto.trimmed();
        ports[open].shared = open + 1 < ports.size();
      }
    }
    if (!more) return true;
    rest = after;
  }
}

}  // namespace

std::vector<Proto> read_protos(const Word& word, Report& report) {
  if (word.text == "tcp") return {Proto::kTcp};
  if (word.text == "udp") return {Proto::kUdp};
  if (word.text == "icmp") return {Proto::kIcmp};
  if (word.text == "tcp+udp" || word.text == "udp+tcp") return {Proto::kTcp, Proto::kUdp};
  std::string hint = did_you_mean(word.text, {"tcp", "udp", "icmp", "tcp+udp"});
  if (hint.empty()) hint = "protocols are tcp, udp, icmp and tcp+udp";
  report.error(word.where(), "unknown protocol " + quote(word.text), hint);
  return {};
}

std::optional<std::pair<Word, std::optional<Word>>> split_port(const Word& word, Report& report) {
  const std::string_view text = word.text;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) {
      report.error(word.where(), "the '[' of an address is not closed", "write [fd00::1]:80");
      return std::nullopt;
    }
    const Word address = word.part(1, close - 1);
    const Word rest = word.part(close + 1);
    if (rest.empty()) return std::pair{address, std::optional<Word>{}};
    if (rest.text.front() == ':') return std::pair{address, std::optional{rest.part(1)}};
    report.error(rest.where(), "expected ':PORT' after the bracket",
                 rest.text.front() == '/' ? "write the prefix length inside: [fd00::/64]:80" : "");
    return std::nullopt;
  }
  const auto colons = std::count(text.begin(), text.end(), ':');
  if (colons == 0) return std::pair{word, std::optional<Word>{}};
  if (colons == 1) {
    const auto [peer, port] = word.split(":");
    return std::pair{peer, std::optional{port}};
  }
  if (Prefix::parse(text) || text.find("::") != std::string_view::npos) {
    return std::pair{word, std::optional<Word>{}};
  }
  report.error(word.where(), quote(text) + " has too many colons",
               "an IPv6 address with a port needs brackets: [fd00::1]:80");
  return std::nullopt;
}

std::optional<TargetWord> read_target(const Word& target, Report& report) {
  auto parts = split_port(target.trimmed(), report);
  if (!parts) return std::nullopt;
  TargetWord result{parts->first.trimmed(), {}};
  if (result.peer.empty()) {
    report.error(target.where(), "a flow's destination is missing", kFlowForm);
    return std::nullopt;
  }
  if (parts->second && !read_ports(*parts->second, result.ports, report)) return std::nullopt;
  return result;
}

std::optional<FlowWord> read_flow(const Word& flow, Report& report) {
  if (!flow.has("->")) {
    report.error(flow.where(), quote(flow.text) + " is not a flow", kFlowForm);
    return std::nullopt;
  }
  const auto [from, to] = flow.split("->");
  if (from.trimmed().empty()) {
    report.error(flow.where(), "a flow's source is missing", kFlowForm);
    return std::nullopt;
  }
  if (to.has("->")) {
    report.error(to.split("->").second.where(), "a flow has one '->'", kFlowForm);
    return std::nullopt;
  }
  auto target = read_target(to, report);
  if (!target) return std::nullopt;
  return FlowWord{from.trimmed(), std::move(*target)};
}

}  // namespace fw::config
