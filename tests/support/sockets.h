// SPDX-License-Identifier: GPL-2.0-only
// Clients and servers made of plain sockets, each in the namespace it is told: who reaches whom,
// and as whom is it seen?
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "loader/base/fd.h"
#include "loader/base/result.h"
#include "tests/support/netns.h"

namespace fw::test {

enum class Transport { kTcp, kUdp };

// An address and port as a socket sees it; the address as inet_ntop writes it.
struct Endpoint {
  std::string address;
  std::uint16_t port = 0;

  bool operator==(const Endpoint&) const = default;
};
void PrintTo(const Endpoint& endpoint, std::ostream* out);

// Sends back what it gets, on IPv4 and IPv6, until destroyed.
class EchoServer {
 public:
  static Result<std::unique_ptr<EchoServer>> start(const NetNs& netns, Transport transport,
                                                   std::uint16_t port);
  ~EchoServer();
  EchoServer(const EchoServer&) = delete;
  EchoServer& operator=(const EchoServer&) = delete;

  // Who connected (TCP) or sent a datagram (UDP), in order.
  [[nodiscard]] std::vector<Endpoint> peers() const;

 private:
  EchoServer(Fd socket, Transport transport);
  void serve();
  void serve_readable(int fd);
  void remember(const Endpoint& peer);

  Fd listener_;
  Transport transport_;
  std::vector<Fd> connections_;  // of the serving thread only
  mutable std::mutex mutex_;
  std::vector<Endpoint> peers_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

// Whether a datagram without an answer is sent again, every 200 ms.
enum class Resend { kNo, kYes };

// A client's socket, connected; for flows that must outlive something.
class Client {
 public:
  // The error's code is errno: ECONNREFUSED for a RST, ETIMEDOUT for silence.
  static Result<Client> connect(const NetNs& netns, Transport transport, const Endpoint& to,
                                milliseconds timeout = milliseconds{2000});

  // Sends `text` and waits for as many bytes to come back.
  [[nodiscard]] Result<std::string> echo(std::string_view text,
                                         milliseconds timeout = milliseconds{2000},
                                         Resend resend = Resend::kYes);
  [[nodiscard]] Endpoint local() const;
  [[nodiscard]] Endpoint peer() const;  // what getpeername says
  void hang_up() const;                 // wakes a thread that waits in echo()

 private:
  Client(Fd socket, Transport transport) : socket_(std::move(socket)), transport_(transport) {}
  Fd socket_;
  Transport transport_;
};

// A datagram from a socket that is not connected, sent every 200 ms until one comes back: who is
// its source, as the socket is told?
Result<Endpoint> source_of_answer(const NetNs& from, const Endpoint& to,
                                  milliseconds timeout = milliseconds{5000});

// One connection, one echo: "" when it worked, else why not.
std::string why_unreachable(const NetNs& from, Transport transport, const Endpoint& to,
                            milliseconds timeout = milliseconds{2000});

}  // namespace fw::test
