// SPDX-License-Identifier: GPL-2.0-only
#include "loader/inventory/command.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <array>

#include "loader/base/fd.h"

namespace fw::inventory {
namespace {

// Files in memory instead of pipes, so that no child waits for a reader.
Fd scratch_file() {
  return Fd{::memfd_create("output", MFD_CLOEXEC)};
}

std::string text_of(const Fd& file) {
  std::string text;
  std::array<char, 1U << 16U> chunk;
  ssize_t got = 0;
  while ((got = ::pread(file.get(), chunk.data(), chunk.size(), static_cast<off_t>(text.size()))) >
         0)
    text.append(chunk.data(), static_cast<std::size_t>(got));
  return text;
}

int spawn(std::vector<char*>& argv, const Fd& out, const Fd& err, pid_t& child) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, out.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files, err.get(), STDERR_FILENO);
  const int failed = posix_spawnp(&child, argv.front(), &files, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  return failed;
}

}  // namespace

Result<Output> run(const std::vector<std::string>& argv) {
  std::vector<char*> words;
  words.reserve(argv.size() + 1);
  for (const auto& word : argv) words.push_back(const_cast<char*>(word.c_str()));  // NOLINT: C
  words.push_back(nullptr);
  const Fd out = scratch_file();
  const Fd err = scratch_file();
  if (!out || !err) return Error::from_errno("running " + argv.front());
  pid_t child = 0;
  if (const int failed = spawn(words, out, err, child); failed != 0)
    return Error::from_errno("running " + argv.front(), failed);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return Error::from_errno("waiting for " + argv.front());
  return Output{WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), text_of(out),
                text_of(err)};
}

}  // namespace fw::inventory
