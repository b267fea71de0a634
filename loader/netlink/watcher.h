// SPDX-License-Identifier: GPL-2.0-only
// Says that the network changed, and roughly what, so that the daemon reads it anew.
#pragma once

#include "loader/netlink/socket.h"

namespace fw::netlink {

struct Changes {
  bool interfaces = false;  // links or addresses: roles and identities may differ
  bool routes = false;      // routes, neighbours, forwarding tables: only next hops may differ

  [[nodiscard]] bool any() const { return interfaces || routes; }
};

// Subscribed in the network namespace of the thread that opens it. Subscribe first and read the
// topology after, so that no change falls in between.
class Watcher {
 public:
  static Result<Watcher> open();

  // Readable when drain() has something to say.
  [[nodiscard]] int fd() const { return nl_socket_get_fd(socket_.get()); }

  // Takes all that is pending; never blocks. When the kernel dropped messages (ENOBUFS),
  // everything counts as changed.
  Result<Changes> drain();

 private:
  explicit Watcher(Socket socket) : socket_(std::move(socket)) {}

  Socket socket_;
};

}  // namespace fw::netlink
