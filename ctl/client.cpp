// SPDX-License-Identifier: GPL-2.0-only
#include "ctl/client.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "loader/control/socket.h"

namespace fw::ctl {
namespace {

using control::Answer;
using control::Code;

// An apply compiles the policy and waits for the kernel; a daemon silent for longer is stuck.
constexpr timeval kPatience{.tv_sec = 60, .tv_usec = 0};

Answer no_connection(const std::string& socket, const Error& error) {
  switch (error.code) {
    case ENOENT:
    case ECONNREFUSED:
    case ENOTDIR:
      return control::failure(Code::kNoDaemon,
                              "no fwd answers on " + socket +
                                  "; start it with 'systemctl start fwd', or name its socket with "
                                  "--socket");
    case EACCES:
    case EPERM:
      return control::failure(Code::kNotPermitted,
                              "you may not open " + socket + "; be root or join the group 'fwd'");
    case ENAMETOOLONG:
    case EINVAL:
      return control::failure(Code::kUsage, error.message);
    default:
      return control::failure(Code::kNoDaemon, error.message);
  }
}

// Stops early without a word when the daemon has closed: what it said is still there to be read.
void send_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
}

Result<std::string> receive_line(int fd) {
  std::string line;
  std::array<char, 1U << 16U> chunk;
  while (line.size() <= control::kMaxAnswerBytes) {
    const auto got = ::recv(fd, chunk.data(), chunk.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
      return Error{"fwd has not answered for " + std::to_string(kPatience.tv_sec) + " seconds"};
    if (got < 0) return Error::from_errno("reading the answer of fwd");
    if (got == 0) return Error{"fwd closed the connection before it answered"};
    const std::string_view piece{chunk.data(), static_cast<std::size_t>(got)};
    const auto end = piece.find('\n');
    line += piece.substr(0, end);
    if (end != std::string_view::npos) return line;
  }
  return Error{"the answer of fwd is too long"};
}

}  // namespace

Answer ask(const std::string& socket, const control::Request& request) {
  const auto line = control::encode(request);
  if (!line) return control::failure(Code::kUsage, line.error().message);
  const auto connection = control::connect_to(socket);
  if (!connection) return no_connection(socket, connection.error());

  ::setsockopt(connection->get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof(kPatience));
  ::setsockopt(connection->get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof(kPatience));
  send_all(connection->get(), *line + "\n");
  const auto reply = receive_line(connection->get());
  if (!reply) return control::failure(Code::kNoDaemon, reply.error().message);
  auto answer = control::decode_answer(*reply);
  if (!answer)
    return control::failure(Code::kNoDaemon,
                            "reading the answer of fwd: " + answer.error().message);
  return *std::move(answer);
}

}  // namespace fw::ctl
