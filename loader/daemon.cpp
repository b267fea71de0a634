// SPDX-License-Identifier: GPL-2.0-only
#include "loader/daemon.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <ctime>

#include "loader/compile/check.h"
#include "loader/config/load.h"
#include "loader/config/names.h"
#include "loader/config/until.h"
#include "maps/abi.h"

namespace fw {
namespace {

using control::Answer;
using control::Code;
using control::Verb;
using namespace std::chrono_literals;

// Freeing the memory of ended flows; nothing but memory depends on it.
constexpr auto kSweepInterval = 5s;
// Network changes come in bursts: a container that starts makes a dozen. Short enough that the
// interface of a container, which appears 200 ms before its first packet, is served in time.
constexpr auto kSettleTime = 10ms;
// Until what failed is tried again.
constexpr auto kRetryInterval = 10s;
// For the engines' first word, before the policy is in force with what they say: a start must not
// cut the flows of containers that it has not heard of yet. An engine that hangs is not waited for.
constexpr auto kEnginesFirst = 3s;

Result<Fd> make_timer(clockid_t clock = CLOCK_MONOTONIC) {
  Fd timer(timerfd_create(clock, TFD_NONBLOCK | TFD_CLOEXEC));
  if (!timer) return Error::from_errno("creating a timer");
  return timer;
}

void set_timer(const Fd& timer, std::chrono::nanoseconds first, std::chrono::nanoseconds every) {
  const auto spec = [](std::chrono::nanoseconds time) {
    return timespec{.tv_sec = time.count() / 1'000'000'000,
                    .tv_nsec = time.count() % 1'000'000'000};
  };
  const itimerspec times{.it_interval = spec(every), .it_value = spec(first)};
  timerfd_settime(timer.get(), 0, &times, nullptr);
}

void clear_timer(const Fd& timer) {
  std::uint64_t expirations = 0;
  [[maybe_unused]] const auto bytes = read(timer.get(), &expirations, sizeof(expirations));
}

// Also expires, once, when somebody sets the clock.
void set_alarm(const Fd& timer, std::optional<config::Time> time) {
  itimerspec times{};
  if (time) times.it_value.tv_sec = std::max<std::time_t>(1, time->time_since_epoch().count());
  timerfd_settime(timer.get(), TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &times, nullptr);
}

Result<Fd> make_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  if (sigprocmask(SIG_BLOCK, &set, nullptr) != 0) return Error::from_errno("blocking signals");
  Fd fd(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd) return Error::from_errno("waiting for signals");
  return fd;
}

void log(const control::ApplyReport& report, const std::string& source) {
  for (const auto& warning : report.warnings) spdlog::warn("{}", config::to_string(warning));
  spdlog::info("enforcing {}@{} from {}", report.name, report.generation, source);
}

class Daemon {
 public:
  Daemon(DaemonOptions options, Firewall firewall, netlink::Watcher watcher,
         engine::Followers engines)
      : options_(std::move(options)),
        firewall_(std::make_unique<Firewall>(std::move(firewall))),
        watcher_(std::move(watcher)),
        engines_(std::move(engines)) {}

  Result<void> open_channels();
  void hear_engines();
  // The policy file on disk, put in force; the diagnostics are on the log.
  std::variant<control::ApplyReport, Refusal> load_config(const std::string& comment);
  Exit run();
  // A first start that failed leaves nothing in the kernel; a later one leaves what was in force.
  void undo_first_start();

 private:
  std::variant<control::ApplyReport, Refusal> apply(
      const config::Sources& sources, const std::string& comment,
      const std::optional<explain::Session>& session = std::nullopt);
  Answer handle(const control::Request& request);
  Answer apply(const control::ApplyRequest& request);
  static Answer answer_apply(const std::variant<control::ApplyReport, Refusal>& outcome);
  Answer take_down();
  void on_signal();
  void on_network();
  void on_engines();
  void on_settled();
  void on_end();
  void settle();
  [[nodiscard]] control::StatusReport status() const;
  Result<void> watch(int fd);

  DaemonOptions options_;
  std::unique_ptr<Firewall> firewall_;  // null after a teardown
  netlink::Watcher watcher_;
  engine::Followers engines_;
  std::unique_ptr<control::Server> server_;
  Fd epoll_;
  Fd signals_;
  Fd sweep_timer_;
  Fd settle_timer_;
  Fd end_timer_;  // of the next rule or door that ends by itself; by the system's clock
  netlink::Changes pending_;
  bool settling_ = false;  // the settle timer runs
  bool stopping_ = false;
};

Result<void> Daemon::watch(int fd) {
  epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0)
    return Error::from_errno("watching a file descriptor");
  return {};
}

Result<void> Daemon::open_channels() {
  epoll_ = Fd(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_) return Error::from_errno("creating the event loop");
  for (auto* fd : {&sweep_timer_, &settle_timer_}) {
    auto timer = make_timer();
    if (!timer) return timer.error();
    *fd = std::move(*timer);
  }
  auto end_timer = make_timer(CLOCK_REALTIME);
  if (!end_timer) return end_timer.error();
  end_timer_ = std::move(*end_timer);
  auto signals = make_signals();
  if (!signals) return signals.error();
  signals_ = std::move(*signals);
  auto server = control::Server::start(
      {.path = options_.socket},
      [this](const control::Request& request, const control::Peer&) { return handle(request); });
  if (!server) return server.error();
  server_ = std::move(*server);
  for (const int fd : {server_->fd(), watcher_.fd(), engines_.fd(), signals_.get(),
                       sweep_timer_.get(), settle_timer_.get(), end_timer_.get()})
    if (auto watched = watch(fd); !watched) return watched;
  set_timer(sweep_timer_, kSweepInterval, kSweepInterval);
  return {};
}

std::variant<control::ApplyReport, Refusal> Daemon::load_config(const std::string& comment) {
  const auto sources = config::load(options_.config);
  if (!sources)
    return Refusal{.sentence = sources.error().message, .diagnostics = {}, .tests_failed = false};
  auto outcome = apply(*sources, comment);
  if (const auto* refusal = std::get_if<Refusal>(&outcome)) {
    for (const auto& diagnostic : refusal->diagnostics)
      spdlog::error("{}", config::to_string(diagnostic));
    spdlog::error("{}", refusal->sentence);
    return outcome;
  }
  log(std::get<control::ApplyReport>(outcome), config::names_of(*sources));
  return outcome;
}

std::variant<control::ApplyReport, Refusal> Daemon::apply(
    const config::Sources& sources, const std::string& comment,
    const std::optional<explain::Session>& session) {
  auto outcome = firewall_->apply(sources, comment, session);
  set_alarm(end_timer_, firewall_->next_end());
  return outcome;
}

Answer Daemon::apply(const control::ApplyRequest& request) {
  if (request.sources.empty())
    return control::failure(Code::kUsage, "apply takes at least one policy");
  const config::Sources sources{request.sources, request.attachments};
  const auto session = explain::read_session(request.ssh);
  if (!request.ssh.empty() && !session)
    return control::failure(Code::kUsage,
                            "the SSH session " + config::quote(request.ssh) +
                                " is not 'CLIENT PORT SERVER PORT'; correct SSH_CONNECTION, or use "
                                "--force to apply without that check");
  const auto outcome = apply(sources, request.comment, session);
  if (const auto* report = std::get_if<control::ApplyReport>(&outcome))
    log(*report, config::names_of(sources));
  return answer_apply(outcome);
}

Answer Daemon::answer_apply(const std::variant<control::ApplyReport, Refusal>& outcome) {
  if (const auto* refusal = std::get_if<Refusal>(&outcome))
    return control::failure(refusal->tests_failed          ? Code::kNo
                            : refusal->diagnostics.empty() ? Code::kApplyFailed
                                                           : Code::kUsage,
                            refusal->sentence, refusal->diagnostics);
  return control::success(std::get<control::ApplyReport>(outcome));
}

Answer Daemon::take_down() {
  control::TeardownReport report{.was_enforcing = firewall_->enforcing()};
  auto firewall = std::move(*firewall_);
  firewall_.reset();
  stopping_ = true;
  if (auto down = Firewall::teardown(std::move(firewall)); !down)
    return control::failure(Code::kApplyFailed, down.error().message);
  spdlog::warn("the datapath was taken down by fwctl teardown: this machine is not protected");
  return control::success(report);
}

void Daemon::undo_first_start() {
  if (!firewall_ || !firewall_->unused()) return;
  auto firewall = std::move(*firewall_);
  firewall_.reset();
  if (auto down = Firewall::teardown(std::move(firewall)); !down)
    spdlog::error("{}", down.error().message);
}

template <class Report>
Answer answer_with(const Result<Report>& report, Code code = Code::kApplyFailed) {
  if (!report) return control::failure(code, report.error().message);
  return control::success(*report);
}

Answer Daemon::handle(const control::Request& request) {
  if (!firewall_) return control::failure(Code::kNoDaemon, "fwd is being taken down");
  switch (request.verb) {
    case Verb::kStatus:
      return control::success(status());
    case Verb::kCounters:
      return answer_with(firewall_->counters());
    case Verb::kFlows:
      return answer_with(firewall_->flows(request.flows.limit));
    case Verb::kExplain:
      return answer_with(firewall_->explain(request.explain), Code::kUsage);
    case Verb::kPolicy:
      return answer_with(firewall_->policy());
    case Verb::kVersion:
      return control::success(
          control::VersionReport{.version = FWD_VERSION, .abi = FW_ABI_VERSION});
    case Verb::kApply:
      return apply(request.apply);
    case Verb::kReload:
      return answer_apply(load_config("reload"));
    case Verb::kTeardown:
      return take_down();
  }
  return control::failure(Code::kUsage, "this version of fwd does not know that verb");
}

void Daemon::on_signal() {
  signalfd_siginfo info{};
  while (read(signals_.get(), &info, sizeof(info)) == sizeof(info)) {
    if (info.ssi_signo == SIGHUP) {
      sd_notify(0, "RELOADING=1");
      load_config("SIGHUP");
      sd_notify(0, "READY=1");
    } else {
      stopping_ = true;
    }
  }
}

void Daemon::on_network() {
  const auto changes = watcher_.drain();
  if (!changes) {
    spdlog::error("{}", changes.error().message);
    pending_ = {.interfaces = true, .routes = true};
  } else {
    pending_.interfaces |= changes->interfaces;
    pending_.routes |= changes->routes;
  }
  settle();
}

// Not put off by what follows: a network that never rests is followed all the same.
void Daemon::settle() {
  if (pending_.any() && !settling_) set_timer(settle_timer_, kSettleTime, 0ns);
  settling_ = settling_ || pending_.any();
}

void Daemon::hear_engines() {
  engines_.wait_for_all(kEnginesFirst);
  firewall_->set_endpoints(engines_.endpoints());
}

void Daemon::on_engines() {
  if (!engines_.dispatch() || !firewall_) return;
  firewall_->set_endpoints(engines_.endpoints());
  pending_.interfaces = true;
  settle();
}

control::StatusReport Daemon::status() const {
  auto report = firewall_->status();
  for (const auto& state : engines_.states()) {
    report.engines.push_back({state.url, state.title, state.trouble});
    if (!state.trouble.empty())
      report.next.push_back(state.trouble + "; containers that start now are denied until it does");
  }
  return report;
}

void Daemon::on_settled() {
  clear_timer(settle_timer_);
  settling_ = false;
  const auto changes = std::exchange(pending_, {});
  if (!firewall_ || !changes.any()) return;
  const auto followed =
      changes.routes ? firewall_->endpoints_changed() : firewall_->interfaces_changed();
  if (!followed) spdlog::error("following a change of the network: {}", followed.error().message);
}

void Daemon::on_end() {
  clear_timer(end_timer_);
  if (!firewall_) return;
  const auto followed = firewall_->time_passed();
  if (!followed) {
    spdlog::error("taking what has ended out of force: {}", followed.error().message);
    return set_alarm(end_timer_, config::now() + kRetryInterval);
  }
  spdlog::info("a rule has ended, or the clock was set: the policy was compiled anew");
  set_alarm(end_timer_, firewall_->next_end());
}

Exit Daemon::run() {
  std::array<epoll_event, 8> events{};
  while (!stopping_) {
    const int count = epoll_wait(epoll_.get(), events.data(), events.size(), -1);
    if (count < 0 && errno != EINTR) {
      spdlog::error("{}", Error::from_errno("waiting for events").message);
      return Exit::kFailed;
    }
    for (int i = 0; i < count; ++i) {
      const int fd = events.at(static_cast<std::size_t>(i)).data.fd;
      if (fd == server_->fd()) server_->dispatch();
      if (fd == watcher_.fd()) on_network();
      if (fd == engines_.fd()) on_engines();
      if (fd == settle_timer_.get()) on_settled();
      if (fd == end_timer_.get()) on_end();
      if (fd == signals_.get()) on_signal();
      if (fd == sweep_timer_.get()) {
        clear_timer(sweep_timer_);
        if (!firewall_) continue;
        if (const auto swept = firewall_->sweep(); !swept)
          spdlog::error("{}", swept.error().message);
        else if (*swept > 0)
          spdlog::debug("{} ended flow entries freed", *swept);
      }
    }
  }
  sd_notify(0, "STOPPING=1");
  server_->drain(1s);
  if (firewall_) spdlog::info("fwd ends; the datapath stays in force");
  return Exit::kOk;
}

Exit exit_for(const Error& error) {
  return error.code == EPERM || error.code == EACCES ? Exit::kNotPermitted : Exit::kFailed;
}

Exit give_up(const Error& error) {
  spdlog::error("{}", error.message);
  return exit_for(error);
}

}  // namespace

Exit run_daemon(const DaemonOptions& options) {
  // The policy is read before anything is touched: a mistake in it changes nothing.
  const auto sources = config::load(options.config);
  if (!sources) {
    spdlog::error("{}", sources.error().message);
    return Exit::kUsage;
  }
  const auto checked = compile::check(*sources, config::now());
  if (!checked.accepted()) {
    for (const auto& diagnostic : checked.diagnostics)
      spdlog::error("{}", config::to_string(diagnostic));
    return checked.tests_failed() ? Exit::kFailed : Exit::kUsage;
  }
  auto firewall = Firewall::start(options.firewall);
  if (!firewall) return give_up(firewall.error());
  auto watcher = netlink::Watcher::open();
  if (!watcher) return give_up(watcher.error());

  auto engines = engine::Followers::start(options.engines);
  if (!engines) return give_up(engines.error());

  Daemon daemon(options, std::move(*firewall), std::move(*watcher), std::move(*engines));
  if (auto opened = daemon.open_channels(); !opened) {
    daemon.undo_first_start();
    return give_up(opened.error());
  }
  daemon.hear_engines();
  if (std::holds_alternative<Refusal>(daemon.load_config("start"))) {
    daemon.undo_first_start();
    return Exit::kFailed;
  }
  sd_notify(0, "READY=1");
  return daemon.run();
}

}  // namespace fw
