// SPDX-License-Identifier: GPL-2.0-only
#include "loader/config/load.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "loader/base/fd.h"

namespace fw::config {
namespace {

// Also from a pipe or stdin, whose size nobody knows before.
Result<std::string> read_all(int fd, const std::string& doing, std::size_t limit) {
  std::string text;
  std::array<char, 1U << 16U> chunk;
  while (text.size() <= limit) {
    const auto got = ::read(fd, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error::from_errno(doing);
    if (got == 0) return text;
    text.append(chunk.data(), static_cast<std::size_t>(got));
  }
  return Error{doing + ": it is larger than " + std::to_string(limit >> 20U) + " MiB"};
}

// A device would never end, and a folder has no text.
Result<std::string> read_file(const std::string& name, const std::string& doing,
                              std::size_t limit) {
  // Without O_NONBLOCK a FIFO waits for its writer, which is what `<(...)` of a shell needs.
  const Fd fd{::open(name.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!fd) return Error::from_errno(doing);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return Error::from_errno(doing);
  if (!S_ISREG(info.st_mode) && !S_ISFIFO(info.st_mode)) return Error{doing + ": it is not a file"};
  return read_all(fd.get(), doing, limit);
}

Result<Source> read_layer(const std::string& name, std::size_t room) {
  const std::string doing = "reading the policy " + (name == "-" ? "on standard input" : name);
  auto text = name == "-" ? read_all(STDIN_FILENO, doing, room) : read_file(name, doing, room);
  if (!text) return text.error();
  return Source{name == "-" ? "stdin" : name, *std::move(text)};
}

}  // namespace

Result<Sources> load(const std::vector<std::string>& files) {
  Sources sources;
  std::size_t room = kMaxPolicyBytes;
  for (const std::string& file : files) {
    auto layer = read_layer(file, room);
    if (!layer) return layer.error();
    room -= layer->text.size();
    sources.layers.push_back(*std::move(layer));
  }
  room = kMaxAttachmentBytes;
  for (const std::string& name : attachment_names(sources.layers)) {
    auto text = read_file(name, "reading " + name, room);
    if (text) {
      room -= text->size();
      sources.attachments.push_back({name, *std::move(text), {}});
    } else {
      sources.attachments.push_back({name, {}, text.error().message});
    }
  }
  return sources;
}

}  // namespace fw::config
