// SPDX-License-Identifier: GPL-2.0-only
#include "tests/support/sockets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace fw::test {
namespace {

constexpr int kPollMs = 20;
constexpr milliseconds kUdpRetry{200};

using Clock = std::chrono::steady_clock;

int socket_type(Transport transport) {
  return transport == Transport::kTcp ? SOCK_STREAM : SOCK_DGRAM;
}

// An IPv4 peer of an IPv6 socket is written as IPv4.
Endpoint to_endpoint(const sockaddr_storage& storage) {
  char text[INET6_ADDRSTRLEN] = "";
  if (storage.ss_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &storage, sizeof(in));
    inet_ntop(AF_INET, &in.sin_addr, text, sizeof(text));
    return {text, ntohs(in.sin_port)};
  }
  sockaddr_in6 in6{};
  std::memcpy(&in6, &storage, sizeof(in6));
  if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr))
    inet_ntop(AF_INET, &in6.sin6_addr.s6_addr[12], text, sizeof(text));
  else
    inet_ntop(AF_INET6, &in6.sin6_addr, text, sizeof(text));
  return {text, ntohs(in6.sin6_port)};
}

Result<socklen_t> to_sockaddr(const Endpoint& endpoint, sockaddr_storage& storage) {
  sockaddr_in in{};
  if (inet_pton(AF_INET, endpoint.address.c_str(), &in.sin_addr) == 1) {
    in.sin_family = AF_INET;
    in.sin_port = htons(endpoint.port);
    std::memcpy(&storage, &in, sizeof(in));
    return socklen_t{sizeof(in)};
  }
  sockaddr_in6 in6{};
  if (inet_pton(AF_INET6, endpoint.address.c_str(), &in6.sin6_addr) != 1)
    return Error{"'" + endpoint.address + "' is not an address", EINVAL};
  in6.sin6_family = AF_INET6;
  in6.sin6_port = htons(endpoint.port);
  std::memcpy(&storage, &in6, sizeof(in6));
  return socklen_t{sizeof(in6)};
}

Result<Fd> listen_on(Transport transport, std::uint16_t port) {
  Fd fd{socket(AF_INET6, socket_type(transport) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  const int on = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  sockaddr_in6 any{};
  any.sin6_family = AF_INET6;
  any.sin6_port = htons(port);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&any), sizeof(any)) != 0 ||
      (transport == Transport::kTcp && listen(fd.get(), SOMAXCONN) != 0))
    return Error::from_errno("listening on port " + std::to_string(port));
  return fd;
}

bool wait_for(int fd, short events, Clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now()).count();
  pollfd ready{fd, events, 0};
  return left > 0 && poll(&ready, 1, static_cast<int>(left)) > 0;
}

}  // namespace

void PrintTo(const Endpoint& endpoint, std::ostream* out) {
  *out << endpoint.address << " port " << endpoint.port;
}

Result<std::unique_ptr<EchoServer>> EchoServer::start(const NetNs& netns, Transport transport,
                                                      std::uint16_t port) {
  auto socket = netns.enter([&] { return listen_on(transport, port); });
  if (!socket) return socket.error();
  return std::unique_ptr<EchoServer>{new EchoServer{*std::move(socket), transport}};
}

EchoServer::EchoServer(Fd socket, Transport transport)
    : listener_(std::move(socket)), transport_(transport), thread_([this] { serve(); }) {}

EchoServer::~EchoServer() {
  stopping_ = true;
  thread_.join();
}

std::vector<Endpoint> EchoServer::peers() const {
  const std::scoped_lock lock{mutex_};
  return peers_;
}

void EchoServer::remember(const Endpoint& peer) {
  const std::scoped_lock lock{mutex_};
  peers_.push_back(peer);
}

void EchoServer::serve() {
  while (!stopping_) {
    std::vector<pollfd> ready{{listener_.get(), POLLIN, 0}};
    for (const auto& connection : connections_) ready.push_back({connection.get(), POLLIN, 0});
    if (poll(ready.data(), ready.size(), kPollMs) <= 0) continue;
    for (const auto& one : ready)
      if (one.revents != 0) serve_readable(one.fd);
  }
}

void EchoServer::serve_readable(int fd) {
  sockaddr_storage peer{};
  socklen_t length = sizeof(peer);
  auto* const name = reinterpret_cast<sockaddr*>(&peer);
  if (fd == listener_.get() && transport_ == Transport::kTcp) {
    Fd connection{accept4(fd, name, &length, SOCK_CLOEXEC)};
    if (!connection) return;
    // A client that a firewall cut off must not hold up the end of the test.
    const timeval patience{1, 0};
    setsockopt(connection.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    remember(to_endpoint(peer));
    connections_.push_back(std::move(connection));
    return;
  }
  std::array<char, 65536> buffer;
  const ssize_t got = recvfrom(fd, buffer.data(), buffer.size(), 0, name, &length);
  if (transport_ == Transport::kUdp) {
    if (got < 0) return;
    remember(to_endpoint(peer));
    sendto(fd, buffer.data(), static_cast<std::size_t>(got), 0, name, length);
    return;
  }
  if (got <= 0)
    std::erase_if(connections_, [fd](const Fd& connection) { return connection.get() == fd; });
  else
    send(fd, buffer.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL);
}

Result<Client> Client::connect(const NetNs& netns, Transport transport, const Endpoint& to,
                               milliseconds timeout) {
  const std::string doing = "connecting to " + to.address + " port " + std::to_string(to.port);
  sockaddr_storage storage{};
  const auto length = to_sockaddr(to, storage);
  if (!length) return length.error().during(doing);
  Fd fd{netns.enter([&] {
    return socket(storage.ss_family, socket_type(transport) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  })};
  if (!fd) return Error::from_errno("making a socket");
  const auto deadline = Clock::now() + timeout;
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&storage), *length) != 0) {
    if (errno != EINPROGRESS) return Error::from_errno(doing);
    if (!wait_for(fd.get(), POLLOUT, deadline)) return Error::from_errno(doing, ETIMEDOUT);
    int error = 0;
    socklen_t size = sizeof(error);
    getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return Error::from_errno(doing, error);
  }
  return Client{std::move(fd), transport};
}

Result<std::string> Client::echo(std::string_view text, milliseconds timeout, Resend resend) {
  const auto deadline = Clock::now() + timeout;
  std::string back;
  std::array<char, 65536> buffer;
  std::size_t sent = 0;
  // A late answer to a datagram that was sent twice is not the answer to this one.
  if (transport_ == Transport::kUdp)
    while (recv(socket_.get(), buffer.data(), buffer.size(), 0) >= 0) continue;
  while (back.size() < text.size()) {
    if (Clock::now() > deadline)
      return Error::from_errno("waiting for an echo, " + std::to_string(back.size()) + " of " +
                                   std::to_string(text.size()) + " bytes came",
                               ETIMEDOUT);
    if (sent < text.size()) {
      const ssize_t put = send(socket_.get(), text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (put > 0) sent += static_cast<std::size_t>(put);
      if (put < 0 && errno != EAGAIN) return Error::from_errno("sending");
    }
    const auto pause = transport_ == Transport::kUdp ? kUdpRetry : milliseconds{50};
    if (!wait_for(socket_.get(), POLLIN, std::min(deadline, Clock::now() + pause))) {
      if (transport_ == Transport::kUdp && resend == Resend::kYes) sent = 0;
      continue;
    }
    const ssize_t got = recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EAGAIN) continue;
    if (got < 0) return Error::from_errno("receiving");
    if (got == 0) return Error{"the other side closed the connection", ECONNRESET};
    back.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return back;
}

void Client::hang_up() const {
  shutdown(socket_.get(), SHUT_RDWR);
}

Endpoint Client::local() const {
  sockaddr_storage storage{};
  socklen_t length = sizeof(storage);
  getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&storage), &length);
  return to_endpoint(storage);
}

Endpoint Client::peer() const {
  sockaddr_storage storage{};
  socklen_t length = sizeof(storage);
  getpeername(socket_.get(), reinterpret_cast<sockaddr*>(&storage), &length);
  return to_endpoint(storage);
}

Result<Endpoint> source_of_answer(const NetNs& from, const Endpoint& to, milliseconds timeout) {
  sockaddr_storage storage{};
  const auto length = to_sockaddr(to, storage);
  if (!length) return length.error();
  const Fd fd{from.enter(
      [&] { return socket(storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); })};
  const auto deadline = Clock::now() + timeout;
  while (Clock::now() < deadline) {
    const auto* name = reinterpret_cast<const sockaddr*>(&storage);
    if (sendto(fd.get(), "?", 1, 0, name, *length) != 1) return Error::from_errno("sending");
    if (!wait_for(fd.get(), POLLIN, std::min(deadline, Clock::now() + kUdpRetry))) continue;
    char byte = 0;
    sockaddr_storage source{};
    socklen_t size = sizeof(source);
    if (recvfrom(fd.get(), &byte, 1, 0, reinterpret_cast<sockaddr*>(&source), &size) == 1)
      return to_endpoint(source);
  }
  return Error::from_errno("waiting for an answer", ETIMEDOUT);
}

std::string why_unreachable(const NetNs& from, Transport transport, const Endpoint& to,
                            milliseconds timeout) {
  constexpr std::string_view kText = "hello";
  auto client = Client::connect(from, transport, to, timeout);
  if (!client) return client.error().message;
  const auto back = client->echo(kText, timeout);
  if (!back) return back.error().message;
  return *back == kText ? "" : "the echo said '" + *back + "'";
}

}  // namespace fw::test
