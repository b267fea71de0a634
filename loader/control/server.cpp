// SPDX-License-Identifier: GPL-2.0-only
#include "loader/control/server.h"

#include <grp.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "loader/control/socket.h"

namespace fw::control {
namespace {

constexpr std::size_t kChunk = 64U << 10U;
// What is read of one client before the others get their turn.
constexpr std::size_t kTurn = 16 * kChunk;
// A client that moves this much in time is slow, not stuck.
constexpr std::size_t kProgress = kChunk;
// Of peers that may only read: none of their requests is longer.
constexpr std::size_t kMaxReadOnlyRequest = kChunk;

std::size_t limit_of(const Peer& peer) {
  return peer.may_change ? kMaxRequestBytes : kMaxReadOnlyRequest;
}

bool in_group(int fd, gid_t wanted) {
  std::vector<gid_t> groups(64);
  socklen_t size = 0;
  while (true) {
    size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) == 0) break;
    if (errno != ERANGE || size <= groups.size() * sizeof(gid_t)) return false;
    groups.resize(size / sizeof(gid_t));
  }
  groups.resize(size / sizeof(gid_t));
  return std::ranges::find(groups, wanted) != groups.end();
}

Result<Peer> peer_of(int fd, const std::string& group) {
  ucred credentials{};
  socklen_t size = sizeof(credentials);
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
    return Error::from_errno("asking who is on the control socket");
  Peer peer{.pid = credentials.pid, .uid = credentials.uid, .gid = credentials.gid};
  peer.may_change = peer.uid == 0 || peer.uid == ::geteuid();
  if (const struct group* entry = ::getgrnam(group.c_str()); !peer.may_change && entry != nullptr)
    peer.may_change = peer.gid == entry->gr_gid || in_group(fd, entry->gr_gid);
  return peer;
}

Result<void> watch(int epoll, int operation, int fd, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  if (::epoll_ctl(epoll, operation, fd, &event) != 0)
    return Error::from_errno("watching the control socket");
  return {};
}

}  // namespace

Result<std::unique_ptr<Server>> Server::start(ServerOptions options, Handler handler) {
  Fd epoll{::epoll_create1(EPOLL_CLOEXEC)};
  if (!epoll) return Error::from_errno("watching the control socket");
  Fd timer{::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)};
  if (!timer) return Error::from_errno("making a timer for the control socket");
  auto listener = listen_at(options.path, options.group);
  if (!listener) return listener.error();
  std::unique_ptr<Server> server(new Server(std::move(options), std::move(handler),
                                            *std::move(listener), std::move(epoll),
                                            std::move(timer)));
  if (const auto watched = server->watch_all(); !watched) return watched.error();
  return server;
}

Server::Server(ServerOptions options, Handler handler, Fd listener, Fd epoll, Fd timer)
    : options_(std::move(options)),
      handler_(std::move(handler)),
      listener_(std::move(listener)),
      epoll_(std::move(epoll)),
      timer_(std::move(timer)) {
  struct stat status {};
  if (::lstat(options_.path.c_str(), &status) == 0) {
    device_ = status.st_dev;
    inode_ = status.st_ino;
  }
}

Server::~Server() {
  struct stat status {};
  if (::lstat(options_.path.c_str(), &status) == 0 && status.st_dev == device_ &&
      status.st_ino == inode_)
    ::unlink(options_.path.c_str());
}

Result<void> Server::watch_all() {
  if (auto watched = watch(epoll_.get(), EPOLL_CTL_ADD, timer_.get(), EPOLLIN); !watched)
    return watched;
  listening_ = true;
  return watch(epoll_.get(), EPOLL_CTL_ADD, listener_.get(), EPOLLIN);
}

void Server::dispatch() {
  std::array<epoll_event, 64> events{};
  const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
  for (int i = 0; i < count; ++i) {
    const int fd = events[static_cast<std::size_t>(i)].data.fd;
    if (fd == listener_.get())
      accept_all();
    else if (fd == timer_.get())
      expire();
    else
      serve(fd);
  }
  update_timer();
}

void Server::accept_all() {
  // As many as the backlog holds; whoever comes meanwhile waits for the next turn.
  for (std::size_t i = 0; i < options_.max_connections; ++i) {
    Fd fd{::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
    if (fd) {
      admit(std::move(fd));
      continue;
    }
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) {
      // Out of descriptors, most likely: without a pause the daemon would spin.
      spdlog::warn("{}", Error::from_errno("accepting on the control socket").message);
      set_listening(false);
    }
    return;
  }
}

void Server::admit(Fd fd) {
  const auto peer = peer_of(fd.get(), options_.group);
  if (!peer) return spdlog::warn("{}", peer.error().message);
  if (connections_.size() >= options_.max_connections) {
    const auto busy =
        encode(failure(Code::kNoDaemon, "fwd has too many clients; try again")) + "\n";
    // A fresh socket has room for one line; if not, the client sees the end of the stream.
    [[maybe_unused]] const auto sent =
        ::send(fd.get(), busy.data(), busy.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return;
  }
  const int number = fd.get();
  if (const auto watched = watch(epoll_.get(), EPOLL_CTL_ADD, number, EPOLLIN); !watched)
    return spdlog::warn("{}", watched.error().message);
  Connection connection;
  connection.fd = std::move(fd);
  connection.peer = *peer;
  connection.deadline = Clock::now() + options_.patience;
  connections_.insert_or_assign(number, std::move(connection));
}

void Server::serve(int fd) {
  const auto found = connections_.find(fd);
  if (found == connections_.end()) return;
  Connection& connection = found->second;
  bool keep = advance(connection);
  if (keep && connection.pending() != connection.writing) {
    connection.writing = connection.pending();
    keep = bool(watch(epoll_.get(), EPOLL_CTL_MOD, fd, connection.writing ? EPOLLOUT : EPOLLIN));
  }
  if (!keep) connections_.erase(found);
}

// Everything that can be done for a client now. False: the connection is over.
bool Server::advance(Connection& connection) {
  // A client takes its answer before its next request is read, so nobody can make fwd hold many.
  if (!flush(connection)) return false;
  if (connection.pending()) return true;
  if (connection.closing) return false;
  return receive(connection) && answer_lines(connection);
}

bool Server::flush(Connection& connection) {
  while (connection.pending()) {
    const auto sent = ::send(connection.fd.get(), connection.out.data() + connection.sent,
                             connection.out.size() - connection.sent, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return errno == EAGAIN || errno == EWOULDBLOCK;
    connection.sent += static_cast<std::size_t>(sent);
    moved(connection, static_cast<std::size_t>(sent));
  }
  if (!connection.out.empty()) {
    connection.out = {};  // gives a large answer's memory back
    connection.sent = 0;
    moved(connection, kProgress);
  }
  return true;
}

bool Server::receive(Connection& connection) {
  std::array<char, kChunk> chunk;
  for (std::size_t turn = 0; turn < kTurn && !connection.ended; turn += chunk.size()) {
    if (connection.in.size() > limit_of(connection.peer)) return true;
    const auto got = ::recv(connection.fd.get(), chunk.data(), chunk.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno == EAGAIN || errno == EWOULDBLOCK;
    connection.ended = got == 0;
    connection.in.append(chunk.data(), static_cast<std::size_t>(got));
    moved(connection, static_cast<std::size_t>(got));
  }
  return true;
}

bool Server::answer_lines(Connection& connection) {
  while (!connection.pending()) {
    const auto end = connection.in.find('\n');
    if (std::min(end, connection.in.size()) > limit_of(connection.peer))
      return refuse(connection, failure(Code::kUsage,
                                        "the request is longer than " +
                                            std::to_string(limit_of(connection.peer)) + " bytes"));
    if (end == std::string::npos) break;
    const std::string line = connection.in.substr(0, end);
    connection.in.erase(0, end + 1);
    connection.out = encode(answer(line, connection.peer)) + "\n";
    connection.progress = 0;
    connection.deadline = Clock::now() + options_.patience;
    if (!flush(connection)) return false;
  }
  if (connection.pending() || !connection.ended) return true;
  if (connection.in.empty()) return false;
  return refuse(connection, failure(Code::kUsage, "the request ends before its newline"));
}

Answer Server::answer(std::string_view line, const Peer& peer) const {
  const auto request = decode_request(line);
  if (!request) return failure(Code::kUsage, "reading the request: " + request.error().message);
  const std::string verb{to_string(request->verb)};
  if (changes(request->verb) && !peer.may_change) {
    spdlog::warn("refused {} to uid {} (pid {})", verb, peer.uid, peer.pid);
    return failure(Code::kNotPermitted, verb + " needs root or membership of the group '" +
                                            options_.group + "', and you are uid " +
                                            std::to_string(peer.uid));
  }
  return handler_(*request, peer);
}

// The last thing a client hears.
bool Server::refuse(Connection& connection, const Answer& why) {
  connection.in = {};
  connection.out = encode(why) + "\n";
  connection.closing = true;
  return flush(connection) && connection.pending();
}

// Gives a client that makes progress more time. A byte now and then is not progress.
void Server::moved(Connection& connection, std::size_t bytes) const {
  connection.progress += bytes;
  if (connection.progress < kProgress) return;
  connection.progress = 0;
  connection.deadline = Clock::now() + options_.patience;
}

void Server::expire() {
  std::uint64_t ticks = 0;
  [[maybe_unused]] const auto got = ::read(timer_.get(), &ticks, sizeof(ticks));
  const auto now = Clock::now();
  std::erase_if(connections_, [now](const auto& entry) { return entry.second.deadline <= now; });
  set_listening(true);
}

void Server::set_listening(bool on) {
  if (on == listening_) return;
  if (watch(epoll_.get(), EPOLL_CTL_MOD, listener_.get(), on ? EPOLLIN : 0U)) listening_ = on;
}

// Ticks only while there is somebody to lose patience with.
void Server::update_timer() {
  const bool wanted = !connections_.empty() || !listening_;
  if (wanted == ticking_) return;
  const auto tick = std::clamp(options_.patience / 4, std::chrono::milliseconds{10},
                               std::chrono::milliseconds{1000});
  itimerspec spec{};
  if (wanted) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(tick);
    spec.it_value.tv_sec = seconds.count();
    spec.it_value.tv_nsec = std::chrono::nanoseconds(tick - seconds).count();
    spec.it_interval = spec.it_value;
  }
  if (::timerfd_settime(timer_.get(), 0, &spec, nullptr) == 0) ticking_ = wanted;
}

void Server::drain(std::chrono::milliseconds limit) {
  const auto end = Clock::now() + limit;
  while (true) {
    std::vector<pollfd> waiting;
    for (const auto& [fd, connection] : connections_)
      if (connection.pending()) waiting.push_back({fd, POLLOUT, 0});
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
    if (waiting.empty() || left.count() <= 0) return;
    if (::poll(waiting.data(), waiting.size(), static_cast<int>(left.count())) < 0 &&
        errno != EINTR)
      return;
    for (const auto& poll : waiting)
      if (poll.revents != 0 && !flush(connections_.at(poll.fd))) connections_.erase(poll.fd);
  }
}

}  // namespace fw::control
