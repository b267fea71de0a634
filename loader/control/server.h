// SPDX-License-Identifier: GPL-2.0-only
// The daemon's end of the control channel: takes requests from the Unix socket, knows who asks, and
// never lets a slow or hostile client hold up the daemon.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "loader/base/fd.h"
#include "loader/base/result.h"
#include "loader/control/protocol.h"

namespace fw::control {

// Who asks, as the kernel says (SO_PEERCRED at the time of connect()).
struct Peer {
  pid_t pid = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  bool may_change = false;  // root, the daemon's own user, or a member of the server's group
};

// Called for each well-formed request that the peer is permitted to make.
using Handler = std::function<Answer(const Request&, const Peer&)>;

struct ServerOptions {
  std::string path = kDefaultSocket;
  std::string group = "fwd";  // its members may change things
  std::size_t max_connections = 64;
  // A client that asks nothing, or does not take its answer, is dropped after this long.
  std::chrono::milliseconds patience{10'000};
};

// Runs on the daemon's own thread. The daemon watches fd() for reading and calls dispatch().
class Server {
 public:
  static Result<std::unique_ptr<Server>> start(ServerOptions options, Handler handler);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();  // removes the socket's file, if it is still this server's

  // Readable when dispatch() has something to do, time-outs included.
  [[nodiscard]] int fd() const { return epoll_.get(); }
  // Does what can be done without waiting. Handlers run in here.
  void dispatch();
  // Before the daemon exits: sends what clients have not taken yet, for at most `limit`.
  void drain(std::chrono::milliseconds limit);

  [[nodiscard]] std::size_t connections() const { return connections_.size(); }

 private:
  using Clock = std::chrono::steady_clock;

  struct Connection {
    Fd fd;
    Peer peer;
    std::string in;   // bytes after the last whole line
    std::string out;  // what the client has not taken yet, from `sent` on
    std::size_t sent = 0;
    std::size_t progress = 0;  // bytes moved since the deadline was set
    bool ended = false;        // the client has sent its last byte
    bool closing = false;      // close once `out` is sent
    bool writing = false;      // epoll waits for room rather than for bytes
    Clock::time_point deadline;

    [[nodiscard]] bool pending() const { return sent < out.size(); }
  };

  Server(ServerOptions options, Handler handler, Fd listener, Fd epoll, Fd timer);

  Result<void> watch_all();
  void accept_all();
  void admit(Fd fd);
  void serve(int fd);
  bool advance(Connection& connection);
  bool flush(Connection& connection);
  bool receive(Connection& connection);
  bool answer_lines(Connection& connection);
  Answer answer(std::string_view line, const Peer& peer) const;
  bool refuse(Connection& connection, const Answer& why);
  void moved(Connection& connection, std::size_t bytes) const;
  void expire();
  void set_listening(bool on);
  void update_timer();

  ServerOptions options_;
  Handler handler_;
  Fd listener_;
  Fd epoll_;
  Fd timer_;
  bool listening_ = false;
  bool ticking_ = false;
  dev_t device_ = 0;  // of the socket's file
  ino_t inode_ = 0;
  std::map<int, Connection> connections_;  // by file descriptor
};

}  // namespace fw::control
