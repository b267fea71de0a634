// SPDX-License-Identifier: GPL-2.0-only
#include "loader/engine/followers.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>

#include "loader/engine/follower.h"

namespace fw::engine {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kMaxLineBytes = 64U << 20U;
constexpr time_t kRestartSeconds = 1;

// In the child of a fork: nothing but system calls.
[[noreturn]] void become_follower(const char* self, const char* url, int output) {
  if (output == kFollowerOutput)
    fcntl(output, F_SETFD, 0);
  else
    dup2(output, kFollowerOutput);
  close_range(kFollowerOutput + 1, ~0U, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  execl(self, "fwd-engine", "--follow-engine", url, nullptr);
  _exit(127);
}

void set_restart_timer(const Fd& timer, time_t seconds) {
  const itimerspec times{.it_interval = {}, .it_value = {.tv_sec = seconds, .tv_nsec = 0}};
  timerfd_settime(timer.get(), 0, &times, nullptr);
}

}  // namespace

std::vector<Source> default_sources() {
  return {{.url = "unix:///run/docker.sock"}, {.url = "unix:///run/podman/podman.sock"}};
}

struct Followers::Process {
  Source source;
  pid_t pid = -1;
  Fd output;           // where its lines come from; none: it has ended
  std::string text;    // of the line that is not complete yet
  bool heard = false;  // it has said something
  Snapshot last;       // that was no trouble
  std::string trouble;

  void end() {
    if (pid > 0) {
      kill(pid, SIGKILL);
      waitpid(pid, nullptr, 0);
    }
    pid = -1;
    output = Fd{};
    text.clear();
  }
  ~Process() { end(); }
};

Followers::Followers(std::string self, Fd epoll, Fd timer)
    : self_(std::move(self)), epoll_(std::move(epoll)), timer_(std::move(timer)) {}
Followers::Followers(Followers&&) noexcept = default;
Followers& Followers::operator=(Followers&&) noexcept = default;
Followers::~Followers() = default;

Result<Followers> Followers::start(const std::vector<Source>& sources, const std::string& self) {
  Fd epoll(epoll_create1(EPOLL_CLOEXEC));
  Fd timer(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  if (!epoll || !timer) return Error::from_errno("watching the container engines");
  epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
  if (epoll_ctl(epoll.get(), EPOLL_CTL_ADD, timer.get(), &event) != 0)
    return Error::from_errno("watching the container engines");
  Followers followers{self, std::move(epoll), std::move(timer)};
  for (const Source& source : sources) {
    auto process = std::make_unique<Process>();
    process->source = source;
    if (auto spawned = followers.spawn(*process); !spawned) return spawned.error();
    followers.processes_.push_back(std::move(process));
  }
  return followers;
}

Result<void> Followers::spawn(Process& process) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return Error::from_errno("making a pipe to a follower");
  Fd output(ends[0]);
  const Fd input(ends[1]);
  fcntl(output.get(), F_SETFL, O_NONBLOCK);
  const pid_t pid = fork();
  if (pid < 0) return Error::from_errno("starting a follower of " + process.source.url);
  if (pid == 0) become_follower(self_.c_str(), process.source.url.c_str(), input.get());
  epoll_event event{.events = EPOLLIN, .data = {.ptr = &process}};
  process.pid = pid;
  process.output = std::move(output);
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, process.output.get(), &event) != 0)
    return Error::from_errno("watching a follower of " + process.source.url);
  return {};
}

bool Followers::read_lines(Process& process) {
  std::array<char, 65536> buffer;
  const ssize_t got = read(process.output.get(), buffer.data(), buffer.size());
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (got > 0) process.text.append(buffer.data(), static_cast<std::size_t>(got));
  if (got <= 0 || process.text.size() > kMaxLineBytes) {
    spdlog::warn("the follower of {} ended; it is started again", process.source.url);
    process.end();
    set_restart_timer(timer_, kRestartSeconds);
    return false;
  }
  bool changed = false;
  std::size_t begin = 0;
  for (auto end = process.text.find('\n'); end != std::string::npos;
       end = process.text.find('\n', begin)) {
    auto snapshot = from_line(process.text.substr(begin, end - begin));
    begin = end + 1;
    process.heard = true;
    process.trouble = snapshot ? snapshot->trouble : snapshot.error().message;
    if (snapshot && snapshot->code == ENOENT && !process.source.expected &&
        process.last.engine.empty())
      process.trouble.clear();
    if (!process.trouble.empty()) spdlog::warn("{}", process.trouble);
    if (!snapshot || !snapshot->trouble.empty()) continue;
    changed = changed || snapshot->endpoints != process.last.endpoints;
    process.last = *std::move(snapshot);
  }
  process.text.erase(0, begin);
  return changed;
}

void Followers::restart_ended() {
  std::uint64_t expirations = 0;
  [[maybe_unused]] const auto bytes = read(timer_.get(), &expirations, sizeof(expirations));
  for (const auto& process : processes_) {
    if (process->output) continue;
    const auto spawned = spawn(*process);
    if (spawned) continue;
    spdlog::error("{}", spawned.error().message);
    process->end();
    set_restart_timer(timer_, kRestartSeconds);
  }
}

bool Followers::dispatch() {
  std::array<epoll_event, 16> events{};
  const int count = epoll_wait(epoll_.get(), events.data(), events.size(), 0);
  bool changed = false;
  for (int i = 0; i < count; ++i) {
    auto* process = static_cast<Process*>(events.at(static_cast<std::size_t>(i)).data.ptr);
    if (process == nullptr)
      restart_ended();
    else if (process->output)
      changed = read_lines(*process) || changed;
  }
  return changed;
}

void Followers::wait_for_all(milliseconds timeout) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + timeout;
  while (!std::ranges::all_of(processes_, [](const auto& each) { return each->heard; })) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return;
    epoll_event event{};
    epoll_wait(epoll_.get(), &event, 1, static_cast<int>(left.count()));
    dispatch();
  }
}

Endpoints Followers::endpoints() const {
  Endpoints all;
  for (const auto& process : processes_) {
    const Endpoints& said = process->last.endpoints;
    all.containers.insert(all.containers.end(), said.containers.begin(), said.containers.end());
    all.networks.insert(all.networks.end(), said.networks.begin(), said.networks.end());
  }
  return all;
}

std::vector<State> Followers::states() const {
  std::vector<State> states;
  for (const auto& process : processes_) {
    if (process->last.engine.empty() && process->trouble.empty() && !process->source.expected)
      continue;
    State state{process->source.url, process->last.engine, process->trouble};
    if (state.title.empty() && state.trouble.empty()) state.trouble = "it has not answered yet";
    states.push_back(std::move(state));
  }
  return states;
}

}  // namespace fw::engine
