// SPDX-License-Identifier: GPL-2.0-only
#include "loader/firewall.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "loader/compile/check.h"
#include "loader/config/until.h"
#include "loader/lint/lint.h"
#include "loader/netlink/namespaces.h"
#include "loader/netlink/topology.h"

namespace fw {
namespace {

using namespace std::chrono_literals;

// A machine that starts fwd for the first time has connections open, the administrator's among
// them. One that is silent for longer than this is found by its next keep-alive only.
constexpr auto kAdoptionWindow = 5min;

std::uint64_t entries_of(const compile::Image& image) {
  return image.identities.size() + image.listed.size() + image.policy.size() + image.doors.size() +
         image.maglev.size() + image.members.size() + image.limits.size() + image.ports.size();
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
Result<compile::Bound> Firewall::look(const config::Policy& written) {
  auto topology = netlink::read_topology();
  if (!topology) return topology.error();
  auto names = written.host.uplinks;
  for (const auto& [zone, members] : written.zones)
    names.insert(names.end(), members.interfaces.begin(), members.interfaces.end());
  renamed_.clear();
  for (const auto& name : names) {
    const Interface* before = bound_.topology.by_name(name);
    if (before == nullptr || topology->by_name(name) != nullptr) continue;
    const auto now = topology->interfaces.find(before->index);
    if (now == topology->interfaces.end()) continue;
    renamed_[name] = std::exchange(now->second.name, name);
  }
  auto namespaces = netlink::read_namespaces(endpoints_);
  if (!namespaces) return namespaces.error();
  topology->namespaces = std::move(*namespaces);
  return compile::bind(config::in_force_at(written, config::now()), std::move(*topology),
                       endpoints_);
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

void Firewall::adopt(Plan plan) {
  image_ = std::move(plan.image);
  placement_ = std::move(plan.placement);
  bound_ = std::move(plan.bound);
}

Result<void> Firewall::enforce(const config::Policy& written, Plan plan) {
  // What the accounts mean is on disk before the first packet is counted at them.
  auto state = state_;
  state.accounts = std::move(plan.book);
  if (auto saved = save_state(options_.state_directory, state); !saved) return saved;
  const auto generation = datapath_.generation() + 1;
  if (auto applied = datapath_.apply(plan.image, generation); !applied) return applied;

  state_ = std::move(state);
  adopt(std::move(plan));
  written_ = written;
  generations_[static_cast<std::uint32_t>(generation)] = state_.generation;
  const auto updated = datapath_.update(placement_, bound_.topology, bound_.policy.host.datapath);
  trouble_ = updated ? "" : updated.error().message;
  if (!updated) spdlog::error("{}", trouble_);
  return {};
}

std::variant<control::ApplyReport, Refusal> Firewall::apply(
    const config::Sources& sources, const std::string& comment,
    const std::optional<explain::Session>& session) {
  auto checked = compile::check(sources, config::now());
  if (!checked.accepted())
    return Refusal{.sentence = "the policy " + config::names_of(sources) +
                               (checked.policy ? " fails its tests" : " has mistakes") +
                               "; nothing was changed",
                   .diagnostics = std::move(checked.diagnostics),
                   .tests_failed = checked.policy.has_value()};
  const config::Policy& policy = *checked.policy;
  auto warnings = std::move(checked.diagnostics);
  std::ranges::move(lint::lint(policy, sources), std::back_inserter(warnings));

  const bool same = state_.generation > 0 && state_.is_of(sources);
  control::ApplyReport report{.name = policy.name,
                              .generation = state_.generation,
                              .changed = !same,
                              .entries = 0,
                              .warnings = std::move(warnings)};
  if (same && written_) {
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
      return Refusal{.sentence = "the policy " + config::names_of(sources) +
                                 " would lock you out; nothing was changed. 'fwctl apply --force' "
                                 "puts it in force all the same",
                     .diagnostics = {*std::move(cut)},
                     .tests_failed = false};

  const auto before = state_;
  if (!same) {
    state_.generation++;
    state_.applied_at = config::to_string(config::now());
    state_.comment = comment;
  }
  state_.layers = sources.layers;
  state_.attachments = marks_of(sources.attachments);
  if (auto enforced = enforce(policy, *std::move(plan)); !enforced) {
    state_ = before;
    return unchanged(enforced.error());
  }
  sources_ = sources;
  report.generation = state_.generation;
  report.entries = entries_of(image_);
  return report;
}

Result<void> Firewall::interfaces_changed() {
  if (!written_) return {};
  auto bound = look(*written_);
  if (!bound) return bound.error();
  auto plan = this->plan(*std::move(bound));
  if (!plan) return plan.error();
  if (plan->image != image_) return enforce(config::Policy{*written_}, *std::move(plan));

  adopt(*std::move(plan));
  auto updated = datapath_.update(placement_, bound_.topology, bound_.policy.host.datapath);
  trouble_ = updated ? "" : updated.error().message;
  return updated;
}

std::optional<config::Time> Firewall::next_end() const {
  if (!written_) return std::nullopt;
  // From what was put in force, not from now: an end that came meanwhile is not lost.
  return config::next_end(bound_.policy, config::Time::min());
}

Result<void> Firewall::endpoints_changed() {
  datapath_.next_hops_changed();
  return interfaces_changed();
}

Result<void> Firewall::teardown(Firewall firewall) {
  return datapath::Datapath::teardown(std::move(firewall.datapath_));
}

}  // namespace fw
