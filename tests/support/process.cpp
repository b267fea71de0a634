// SPDX-License-Identifier: GPL-2.0-only
#include "tests/support/process.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <thread>
#include <utility>

extern char** environ;  // NOLINT: POSIX names it

namespace fw::test {
namespace {

constexpr int kCouldNotStart = 127;  // as a shell says it

// All that the child needs, made before the fork: after it, only async-signal-safe calls.
struct Image {
  std::vector<char*> argv;
  std::vector<char*> env;
  int netns = -1;
  int in = -1;
  int out = -1;
  int err = -1;
  pid_t parent = -1;

  Image() = default;
  Image(const Image&) = delete;
  Image& operator=(const Image&) = delete;
  ~Image() {
    for (const int fd : {netns, in, out, err})
      if (fd >= 0) close(fd);
  }
};

[[noreturn]] void become(const Image& image) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != image.parent) _exit(kCouldNotStart);  // it died before the line above
  const bool ready = (image.netns < 0 || setns(image.netns, CLONE_NEWNET) == 0) &&
                     dup2(image.in, STDIN_FILENO) >= 0 && dup2(image.out, STDOUT_FILENO) >= 0 &&
                     dup2(image.err, STDERR_FILENO) >= 0;
  if (ready) execvpe(image.argv[0], image.argv.data(), image.env.data());
  dprintf(image.err, "%s could not be started: errno %d\n", image.argv[0], errno);
  _exit(kCouldNotStart);
}

Result<void> fill(Image& image, const Argv& argv, const Spawn& spawn, const Scratch& files) {
  for (const auto& argument : argv) image.argv.push_back(const_cast<char*>(argument.c_str()));
  image.argv.push_back(nullptr);
  // First, so that they win over the inherited ones.
  for (const auto& setting : spawn.env) image.env.push_back(const_cast<char*>(setting.c_str()));
  for (char** inherited = environ; *inherited != nullptr; inherited++)
    image.env.push_back(*inherited);
  image.env.push_back(nullptr);

  if (auto written = write_file(files / "in", spawn.stdin_text); !written) return written;
  constexpr int kOutput = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC;
  image.in = open((files / "in").c_str(), O_RDONLY | O_CLOEXEC);
  image.out = open((files / "out").c_str(), kOutput, 0600);
  image.err = open((files / "err").c_str(), kOutput, 0600);
  if (image.in < 0 || image.out < 0 || image.err < 0)
    return Error::from_errno("opening the files of " + argv[0]);
  if (!spawn.netns.empty()) {
    image.netns = open(spawn.netns.c_str(), O_RDONLY | O_CLOEXEC);
    if (image.netns < 0) return Error::from_errno("opening " + spawn.netns);
  }
  image.parent = getpid();
  return {};
}

}  // namespace

bool eventually(milliseconds deadline, const std::function<bool()>& condition) {
  constexpr milliseconds kPause{3};
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(kPause);
  }
  return true;
}

std::string Output::describe() const {
  return (timed_out ? "timed out" : "exit status " + std::to_string(status)) + "\nstdout: " + out +
         "\nstderr: " + err;
}

Result<Process> Process::start(const Argv& argv, const Spawn& spawn) {
  auto files = Scratch::create("process");
  if (!files) return files.error();
  Process process{*std::move(files)};
  Image image;
  if (auto filled = fill(image, argv, spawn, process.files_); !filled) return filled.error();
  process.pid_ = fork();
  if (process.pid_ == 0) become(image);
  if (process.pid_ < 0) return Error::from_errno("starting " + argv[0]);
  return process;
}

Process::Process(Process&& other) noexcept
    : files_(std::move(other.files_)),
      pid_(std::exchange(other.pid_, -1)),
      status_(std::exchange(other.status_, std::nullopt)) {}

Process& Process::operator=(Process&& other) noexcept {
  std::swap(files_, other.files_);
  std::swap(pid_, other.pid_);
  std::swap(status_, other.status_);
  return *this;
}

Process::~Process() {
  if (running()) stop();
}

bool Process::running() {
  if (pid_ <= 0 || status_) return false;
  int wait_status = 0;
  const pid_t reaped = waitpid(pid_, &wait_status, WNOHANG);
  if (reaped == pid_) reap(wait_status);
  return reaped == 0;
}

void Process::reap(int wait_status) {
  status_ = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

void Process::signal(int number) const {
  if (pid_ > 0 && !status_) kill(pid_, number);
}

Output Process::wait(milliseconds timeout) {
  const bool ended = eventually(timeout, [this] { return !running(); });
  return {status_.value_or(-1), !ended, out(), err()};
}

Output Process::stop(milliseconds grace) {
  signal(SIGTERM);
  auto output = wait(grace);
  if (!output.timed_out) return output;
  signal(SIGKILL);
  output = wait(milliseconds{10000});
  output.timed_out = true;
  return output;
}

std::string Process::out() const {
  return read_file(files_ / "out");
}
std::string Process::err() const {
  return read_file(files_ / "err");
}

Output run(const Argv& argv, const Spawn& spawn, milliseconds timeout) {
  auto process = Process::start(argv, spawn);
  if (!process) return {-1, false, "", process.error().message};
  auto output = process->wait(timeout);
  if (!output.timed_out) return output;
  process->signal(SIGKILL);
  output = process->wait(milliseconds{10000});
  output.timed_out = true;
  return output;
}

}  // namespace fw::test
