// SPDX-License-Identifier: GPL-2.0-only
// Every pair of members is judged at every port that matters; equal answers are told once.
#include "loader/explain/explain.h"

#include <netinet/in.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "loader/config/canonical.h"
#include "loader/explain/advice.h"
#include "loader/explain/atlas.h"
#include "loader/explain/segments.h"
#include "loader/explain/verdict.h"

namespace fw::explain {
namespace {

using config::PortSet;
using control::ExplainCase;
using control::ExplainReport;

struct Case {
  const Member* from;
  const Member* to;
  PortSet port;
  bool any_port;
  Verdict verdict;
};

// What makes two answers the same to a reader.
using Outcome = std::tuple<bool, std::string, std::string, std::string>;

Outcome outcome_of(const Case& one) {
  const auto& verdict = one.verdict;
  return {verdict.allowed, verdict.reason_name(), verdict.rule ? verdict.rule->text : "",
          verdict.door_name};
}

// "a, b, c and 4 more".
std::string join(const std::set<std::string>& names) {
  constexpr std::size_t kMost = 8;
  std::string text;
  std::size_t count = 0;
  for (const auto& name : names) {
    if (count++ == kMost) return text + " and " + std::to_string(names.size() - kMost) + " more";
    text += (text.empty() ? "" : ", ") + name;
  }
  return text;
}

class Explainer {
 public:
  Explainer(const World& world, const Question& question, const Ask& kernel)
      : question_(question), kernel_(kernel), atlas_(world), jury_(world) {}

  Result<ExplainReport> run(std::uint64_t generation) {
    from_ = atlas_.members(question_.from);
    to_ = atlas_.members(question_.to);
    add_door_addresses();
    if (auto judged = judge_all(); !judged) return judged.error();
    drop_missing_family();
    if (cases_.empty()) return nobody();
    const Case& main = choose();
    ExplainReport report = report_of(main);
    report.asked = kernel_ ? "kernel" : "image";
    report.generation = generation;
    report.cases = parts();
    return report;
  }

 private:
  using Asked = std::tuple<std::string, std::string, PortSet, bool>;
  static Asked asked(const Case& one) {
    return {one.from->name, one.to->name, one.port, one.any_port};
  }

  // A door on one address makes that address differ from the host's others.
  void add_door_addresses() {
    const bool host = std::any_of(to_.begin(), to_.end(), [](const Member& member) {
      return (member.ident.flags & FW_IDENT_HOST) != 0;
    });
    if (!host || std::holds_alternative<Prefix>(question_.to)) return;
    for (const auto& named_door : atlas_.world().policy.doors) {
      const config::Door& door = named_door.second;
      if (!door.address || !opens_asked_port(door)) continue;
      const bool there = std::any_of(to_.begin(), to_.end(), [&](const Member& member) {
        return member.address == *door.address;
      });
      Member member = atlas_.member(*door.address);
      if (there || (member.ident.flags & FW_IDENT_HOST) == 0) continue;
      member.name = "host at " + door.address->to_string();
      to_.push_back(std::move(member));
    }
  }

  [[nodiscard]] bool opens_asked_port(const config::Door& door) const {
    for (const auto& mapping : door.mappings)
      for (const PortSet& set : question_.ports)
        if (set.proto == mapping.proto && set.range.first <= mapping.host.last &&
            mapping.host.first <= set.range.last)
          return true;
    return question_.ports.empty();
  }

  Result<void> judge_all() {
    const Segments segments{{&atlas_.world().policy}};
    const bool any = question_.ports.empty();
    const auto ports = any ? segments.all() : segments.within(question_.ports);
    if (from_.size() * to_.size() * (ports.size() + 1) > kMaxJudgements)
      return Error{"explaining " + to_string(question_) + ": it covers " +
                   std::to_string(from_.size()) + " by " + std::to_string(to_.size()) +
                   " kinds of addresses; ask about a smaller zone, a service or one port"};
    for (const Member& from : from_)
      for (const Member& to : to_) {
        if (from.family() != to.family() || (from.address == to.address && !to.other)) continue;
        if (any)
          if (auto added = add(from, to, {}, true); !added) return added;
        for (const PortSet& port : ports)
          if (auto added = add(from, to, port, false); !added) return added;
      }
    return {};
  }

  Result<void> add(const Member& from, const Member& to, const PortSet& port, bool any) {
    // A protocol that no rule can name alone stands for every port.
    const auto proto = any ? std::uint8_t{IPPROTO_GRE} : static_cast<std::uint8_t>(port.proto);
    auto verdict = judge(from, to, proto, port.range.first);
    if (!verdict) return verdict.error();
    cases_.push_back({&from, &to, port, any, *std::move(verdict)});
    return {};
  }

  [[nodiscard]] Result<Verdict> judge(const Member& from, const Member& to, std::uint8_t proto,
                                      std::uint16_t port) const {
    if (!kernel_) return jury_.judge(from, to, proto, port);
    const auto judgement = kernel_(probe_of(from, to, proto, port));
    if (!judgement) return judgement.error();
    return jury_.verdict(*judgement);
  }

  // A family without a backend or a route says nothing where the other one has both.
  void drop_missing_family() {
    std::set<std::string> doors;
    std::set<Asked> ways;
    for (const Case& one : cases_) {
      if (one.verdict.reason == FW_REASON_NO_ROUTE) continue;
      ways.insert(asked(one));
      if (one.verdict.door != nullptr) doors.insert(one.verdict.door_name);
    }
    std::erase_if(cases_, [&](const Case& one) {
      return one.verdict.reason == FW_REASON_NO_ROUTE &&
             (doors.contains(one.verdict.door_name) || ways.contains(asked(one)));
    });
  }

  [[nodiscard]] Error nobody() const {
    const std::string asked = "explaining " + to_string(question_) + ": ";
    if (from_.empty() || to_.empty())
      return Error{asked + "the policy knows no address of '" +
                   config::to_string(from_.empty() ? question_.from : question_.to) + "'"};
    return Error{asked +
                 "no packet can go between the two: they are the same address, or of different "
                 "families"};
  }

  // Allowed when all that the question is about are; what rules name as a part is told apart. Of
  // the denied, one that no `allow` can help is the one to know of.
  [[nodiscard]] const Case& choose() const {
    const Case* allowed = nullptr;
    const Case* denied = nullptr;
    for (const bool strict : {true, false}) {
      for (const Case& one : cases_) {
        const bool part =
            one.from->exception || one.to->exception || (question_.ports.empty() && !one.any_port);
        if (strict && part) continue;
        const bool needs_door =
            one.from->origin == FW_FROM_WIRE && one.to->origin == FW_FROM_CONTAINER;
        if (!one.verdict.allowed && needs_door) return one;
        const Case*& first = one.verdict.allowed ? allowed : denied;
        if (first == nullptr) first = &one;
      }
      if (allowed != nullptr || denied != nullptr) break;
    }
    if (denied != nullptr) return *denied;
    return allowed != nullptr ? *allowed : cases_.front();  // judge_all() has left at least one
  }

  [[nodiscard]] ExplainReport report_of(const Case& main) const {
    const Verdict& verdict = main.verdict;
    ExplainReport report;
    report.verdict = verdict.allowed ? "allow" : "deny";
    report.reason = verdict.reason_name();
    report.help = verdict.reason_help();
    report.rule = verdict.rule;
    report.from = {verdict.from_zone, named(main.from->service)};
    report.to = {verdict.to_zone, named(verdict.door ? verdict.door->service : main.to->service)};
    report.flow = to_string(question_);
    report.nat = jury_.translations(*main.from, *main.to, main.port.range.first, verdict);
    for (auto step = report.nat.rbegin(); step != report.nat.rend(); ++step)
      report.replies.push_back({step->to, step->from});
    report.router = question_.router;
    if (report.router.empty() && verdict.door != nullptr && verdict.door->router_port)
      report.router = Jury::router_port(*verdict.door, main.port);
    if (verdict.allowed) return report;
    const Denial denial{*main.from,        *main.to,        main.port,
                        main.any_port,     verdict.reason,  verdict.door,
                        verdict.door_name, verdict.backend, verdict.rule};
    advise(atlas_, question_, denial, report);
    report.nearest = nearest(atlas_, denial);
    return report;
  }

  static std::optional<std::string> named(const std::string& service) {
    return service.empty() ? std::nullopt : std::optional{service};
  }

  struct Ports {
    bool any = false;
    std::vector<PortSet> sets;
  };
  using Pairs = std::map<std::tuple<Outcome, std::string, std::string>, Ports>;

  // Outcome, from, to -> the ports. One pair of names may have an answer for each family.
  [[nodiscard]] Pairs pairs() const {
    std::map<Asked, std::set<Outcome>> answers;
    for (const Case& one : cases_) answers[asked(one)].insert(outcome_of(one));
    Pairs pairs;
    for (const Case& one : cases_) {
      const bool split = answers[asked(one)].size() > 1;
      const std::string family = !split                                ? ""
                                 : one.from->family() == Family::kIpv4 ? " (IPv4)"
                                                                       : " (IPv6)";
      Ports& ports = pairs[{outcome_of(one), one.from->name + family, one.to->name}];
      ports.any |= one.any_port;
      ports.sets.push_back(one.port);
    }
    return pairs;
  }

  // The answers by part; empty when there is only one.
  [[nodiscard]] std::vector<ExplainCase> parts() const {
    std::map<Outcome, const Case*> outcomes;
    for (const Case& one : cases_) outcomes.try_emplace(outcome_of(one), &one);
    if (outcomes.size() < 2) return {};

    using Names = std::map<std::tuple<Outcome, std::string, std::string>, std::set<std::string>>;
    Names by_from;
    for (auto& [key, ports] : pairs()) {
      auto sets = ports.sets;
      config::normalize(sets);
      const auto& [outcome, from, to] = key;
      by_from[{outcome, ports.any ? "" : config::ports_text(sets), from}].insert(to);
    }
    Names by_to;
    for (const auto& [key, names] : by_from)
      by_to[{std::get<0>(key), std::get<1>(key), join(names)}].insert(std::get<2>(key));

    std::vector<ExplainCase> parts;
    for (const auto& [key, names] : by_to) {
      const auto& [outcome, ports, to] = key;
      const Verdict& verdict = outcomes.at(outcome)->verdict;
      parts.push_back({join(names), to, ports, verdict.allowed ? "allow" : "deny",
                       verdict.reason_name(), verdict.rule});
    }
    return parts;
  }

  const Question& question_;
  const Ask& kernel_;
  Atlas atlas_;
  Jury jury_;
  std::vector<Member> from_;
  std::vector<Member> to_;
  std::vector<Case> cases_;
};

}  // namespace

Result<ExplainReport> explain(const World& world, const Question& question,
                              std::uint64_t generation, const Ask& kernel) {
  return Explainer{world, question, kernel}.run(generation);
}

}  // namespace fw::explain
