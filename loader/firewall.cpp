// SPDX-License-Identifier: GPL-2.0-only
#include "loader/firewall.h"

#include <spdlog/spdlog.h>

#include <ctime>
#include <utility>

#include "loader/compile/check.h"
#include "loader/lint/lint.h"
#include "loader/netlink/namespaces.h"
#include "loader/netlink/topology.h"

namespace fw {
namespace {

using namespace std::chrono_literals;

// A machine that starts fwd for the first time has connections open, the administrator's among
// them. One that is silent for longer than this is found by its next keep-alive only.
constexpr auto kAdoptionWindow = 5min;

std::string now_rfc3339() {
  const auto now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[sizeof("2026-01-01T00:00:00Z")];
  std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

std::uint64_t entries_of(const compile::Image& image) {
  return image.identities.size() + image.policy.size() + image.doors.size() + image.maglev.size() +
         image.members.size() + image.ports.size();
}

// Counters that an earlier run left in the kernel, when nothing says any more what they counted:
// their numbers stay taken.
compile::AccountBook book_of_strangers(std::size_t count) {
  compile::AccountBook book;
  if (count > 0)
    book.block(std::vector<compile::AccountName>(
        count, {compile::AccountName::Kind::kRule, "(unknown)", "none", "none"}));
  return book;
}

Refusal unchanged(const Error& error) {
  return {.sentence = error.message + "; the old policy is still in force",
          .diagnostics = {},
          .tests_failed = false};
}

Result<State> state_or_new(const std::string& directory, const datapath::Datapath& datapath) {
  auto state = load_state(directory);
  if (!state) {
    if (state.error().code != 0) return state;  // the folder cannot be used at all
    spdlog::warn("{}", state.error().message);
    state = State{};
  }
  if (datapath.generation() > 0 && state->accounts.size() == 0) {
    const auto counts = datapath.accounts();
    if (!counts) return counts.error();
    state->accounts = book_of_strangers(counts->size());
  }
  return state;
}

}  // namespace

Firewall::Firewall(FirewallOptions options, datapath::Datapath datapath, State state)
    : options_(std::move(options)), datapath_(std::move(datapath)), state_(std::move(state)) {}

Result<Firewall> Firewall::start(const FirewallOptions& options) {
  auto datapath = datapath::Datapath::start(options.datapath);
  if (!datapath) return datapath.error();
  auto state = state_or_new(options.state_directory, *datapath);
  if (!state) return state.error();
  if (datapath->generation() == 0) datapath->adopt_flows_for(kAdoptionWindow);
  return Firewall(options, std::move(*datapath), std::move(*state));
}

// A wire that somebody renames is still the wire that the policy means: it keeps its protection,
// and its old name, until another interface bears that name or fwd starts anew.
Result<compile::Bound> Firewall::look(const config::Policy& policy) {
  auto topology = netlink::read_topology();
  if (!topology) return topology.error();
  auto names = policy.host.uplinks;
  for (const auto& [zone, members] : policy.zones)
    names.insert(names.end(), members.interfaces.begin(), members.interfaces.end());
  renamed_.clear();
  for (const auto& name : names) {
    const Interface* before = bound_.topology.by_name(name);
    if (before == nullptr || topology->by_name(name) != nullptr) continue;
    const auto now = topology->interfaces.find(before->index);
    if (now == topology->interfaces.end()) continue;
    renamed_[name] = std::exchange(now->second.name, name);
  }
  std::vector<std::int32_t> pids;
  for (const Container& container : endpoints_.containers) pids.push_back(container.pid);
  auto namespaces = netlink::read_namespaces(pids);
  if (!namespaces) return namespaces.error();
  topology->namespaces = std::move(*namespaces);
  return compile::bind(policy, std::move(*topology), endpoints_);
}

Result<Firewall::Plan> Firewall::plan(compile::Bound bound) const {
  Plan plan{.bound = std::move(bound), .placement = {}, .book = state_.accounts, .image = {}};
  const auto& [policy, topology, members, troubles] = plan.bound;
  plan.placement = compile::place(policy, topology);
  auto image = compile::compile(policy, topology, plan.placement, plan.book);
  if (!image) return image.error();
  plan.image = *std::move(image);
  return plan;
}

Result<void> Firewall::enforce(const config::Policy& policy, Plan plan) {
  // What the accounts mean is on disk before the first packet is counted at them.
  auto state = state_;
  state.accounts = std::move(plan.book);
  if (auto saved = save_state(options_.state_directory, state); !saved) return saved;
  const auto generation = datapath_.generation() + 1;
  if (auto applied = datapath_.apply(plan.image, generation); !applied) return applied;

  state_ = std::move(state);
  image_ = std::move(plan.image);
  placement_ = std::move(plan.placement);
  bound_ = std::move(plan.bound);
  policy_ = policy;
  generations_[static_cast<std::uint32_t>(generation)] = state_.generation;
  const auto updated = datapath_.update(placement_, bound_.topology, policy.host.datapath);
  trouble_ = updated ? "" : updated.error().message;
  if (!updated) spdlog::error("{}", trouble_);
  return {};
}

std::variant<control::ApplyReport, Refusal> Firewall::apply(
    const config::Source& source, const std::string& comment,
    const std::optional<explain::Session>& session) {
  auto checked = compile::check(source);
  if (!checked.accepted())
    return Refusal{.sentence = "the policy " + source.name +
                               (checked.policy ? " fails its tests" : " has mistakes") +
                               "; nothing was changed",
                   .diagnostics = std::move(checked.diagnostics),
                   .tests_failed = checked.policy.has_value()};
  const config::Policy& policy = *checked.policy;

  const bool same = state_.generation > 0 && source.text == state_.policy.text;
  control::ApplyReport report{.name = policy.name,
                              .generation = state_.generation,
                              .changed = !same,
                              .entries = 0,
                              .warnings = lint::lint(policy, source)};
  if (same && policy_) {
    report.entries = entries_of(image_);
    return report;
  }
  auto bound = look(policy);
  if (!bound) return unchanged(bound.error());
  auto plan = this->plan(*std::move(bound));
  if (!plan) return unchanged(plan.error());
  if (session)
    if (auto cut = explain::lockout(
            {plan->bound.policy, plan->image, plan->placement, plan->bound.topology, plan->book},
            *session))
      return Refusal{.sentence = "the policy " + source.name +
                                 " would lock you out; nothing was changed. 'fwctl apply --force' "
                                 "puts it in force all the same",
                     .diagnostics = {*std::move(cut)},
                     .tests_failed = false};

  const auto before = state_;
  if (!same) {
    state_.generation++;
    state_.applied_at = now_rfc3339();
    state_.comment = comment;
  }
  state_.policy = source;
  if (auto enforced = enforce(policy, *std::move(plan)); !enforced) {
    state_ = before;
    return unchanged(enforced.error());
  }
  report.generation = state_.generation;
  report.entries = entries_of(image_);
  return report;
}

Result<void> Firewall::interfaces_changed() {
  if (!policy_) return {};
  auto bound = look(*policy_);
  if (!bound) return bound.error();
  auto plan = this->plan(*std::move(bound));
  if (!plan) return plan.error();
  if (plan->image != image_) return enforce(config::Policy{*policy_}, *std::move(plan));

  placement_ = std::move(plan->placement);
  bound_ = std::move(plan->bound);
  auto updated = datapath_.update(placement_, bound_.topology, policy_->host.datapath);
  trouble_ = updated ? "" : updated.error().message;
  return updated;
}

Result<void> Firewall::endpoints_changed() {
  datapath_.next_hops_changed();
  return interfaces_changed();
}

Result<void> Firewall::teardown(Firewall firewall) {
  return datapath::Datapath::teardown(std::move(firewall.datapath_));
}

}  // namespace fw
