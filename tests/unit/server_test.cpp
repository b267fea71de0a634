// SPDX-License-Identifier: GPL-2.0-only
// The daemon's end of the control channel, over a real socket in a temporary folder.
#include "loader/control/server.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "ctl/client.h"
#include "loader/control/socket.h"

namespace fw::control {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr uid_t kNobody = 65534;

class ControlSocket : public testing::Test {
 protected:
  ControlSocket() {
    std::string name = testing::TempDir() + "fwd-ctl-XXXXXX";
    folder_ = ::mkdtemp(name.data());
    ::chmod(folder_.c_str(), 0755);
    options_.path = folder_ + "/fwd.sock";
    options_.group = "no-such-group";
  }
  ~ControlSocket() override {
    stop();
    server_.reset();
    std::filesystem::remove_all(folder_);
  }

  void start() {
    auto server = Server::start(options_, [this](const Request& request, const Peer& peer) {
      return handle(request, peer);
    });
    ASSERT_TRUE(server) << server.error().message;
    server_ = *std::move(server);
    thread_ = std::thread([this] {
      pollfd poll{server_->fd(), POLLIN, 0};
      while (!stopping_)
        if (::poll(&poll, 1, 10) > 0) server_->dispatch();
    });
  }
  void stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
  }

  Answer handle(const Request& request, const Peer& peer) {
    ++handled_;
    last_uid_ = peer.uid;
    // "flows" stands for an answer as long as its limit says.
    const std::size_t length = request.verb == Verb::kFlows ? request.flows.limit : 1;
    return success(VersionReport{.version = std::string(length, 't'), .abi = 1});
  }

  [[nodiscard]] Fd connect() const {
    auto fd = connect_to(options_.path);
    EXPECT_TRUE(fd) << fd.error().message;
    const timeval patience{.tv_sec = 5, .tv_usec = 0};
    ::setsockopt(fd->get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    return *std::move(fd);
  }
  static void send(const Fd& fd, std::string_view text) {
    while (!text.empty()) {
      const auto sent = ::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL);
      if (sent < 0) return;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  // Up to the newline, or what came before the end or five seconds of silence.
  static std::string receive(const Fd& fd) {
    std::string line;
    std::array<char, 1U << 16U> chunk;
    while (true) {
      const auto got = ::recv(fd.get(), chunk.data(), chunk.size(), MSG_PEEK);
      if (got <= 0) break;
      const std::string_view piece{chunk.data(), static_cast<std::size_t>(got)};
      const auto end = piece.find('\n');
      line += piece.substr(0, end);
      const auto taken = end == std::string_view::npos ? piece.size() : end + 1;
      if (::recv(fd.get(), chunk.data(), taken, 0) <= 0 || taken != piece.size()) break;
      if (end != std::string_view::npos) break;
    }
    return line;
  }
  static Code code_of(const std::string& line) {
    const auto answer = decode_answer(line);
    EXPECT_TRUE(answer) << answer.error().message << ": " << line.substr(0, 200);
    return answer ? answer->code : Code::kNo;
  }

  std::string folder_;
  ServerOptions options_;
  std::unique_ptr<Server> server_;
  std::thread thread_;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> handled_ = 0;
  std::atomic<uid_t> last_uid_ = ~0U;
};

const std::string kVersionLine = R"({"schema":1,"verb":"version"})"
                                 "\n";
const std::string kTeardownLine = R"({"schema":1,"verb":"teardown","args":{}})"
                                  "\n";

TEST_F(ControlSocket, AnswersAndKnowsWhoAsks) {
  start();
  const auto answer = ctl::ask(options_.path, {.verb = Verb::kVersion});
  ASSERT_EQ(answer.code, Code::kOk) << answer.error;
  EXPECT_EQ(from_json<VersionReport>(answer.result)->version, "t");
  EXPECT_EQ(last_uid_, ::geteuid());
}

TEST_F(ControlSocket, IsForItsGroupOnly) {
  start();
  struct stat status {};
  ASSERT_EQ(::stat(options_.path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0660U);
}

TEST_F(ControlSocket, TwoClientsAtOnceAndSeveralRequestsEach) {
  start();
  const auto first = connect();
  const auto second = connect();
  send(first, kVersionLine.substr(0, 10));
  send(second, kVersionLine + kVersionLine);
  EXPECT_EQ(code_of(receive(second)), Code::kOk);
  EXPECT_EQ(code_of(receive(second)), Code::kOk);
  send(first, kVersionLine.substr(10));
  EXPECT_EQ(code_of(receive(first)), Code::kOk);
}

TEST_F(ControlSocket, AClientThatDoesNotReadHoldsUpNobody) {
  start();
  const auto slow = connect();
  send(slow, R"({"schema":1,"verb":"flows","args":{"limit":5000000}})"
             "\n");
  const auto quick = connect();
  send(quick, kVersionLine);
  EXPECT_EQ(code_of(receive(quick)), Code::kOk);
  EXPECT_EQ(code_of(receive(slow)), Code::kOk) << "and gets its whole answer when it does read";
}

TEST_F(ControlSocket, DropsAnIdleClient) {
  options_.patience = 100ms;
  start();
  const auto idle = connect();
  send(idle, "{");
  EXPECT_EQ(receive(idle), "");
  char c = 0;
  EXPECT_EQ(::recv(idle.get(), &c, 1, 0), 0) << "the end of the stream, not a time-out";
}

TEST_F(ControlSocket, DropsAClientThatTrickles) {
  options_.patience = 150ms;
  start();
  const auto slow = connect();
  const auto begin = std::chrono::steady_clock::now();
  while (::send(slow.get(), "x", 1, MSG_NOSIGNAL) == 1 &&
         std::chrono::steady_clock::now() - begin < 5s)
    std::this_thread::sleep_for(20ms);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 3s);
}

TEST_F(ControlSocket, RefusesAnOversizedRequestWithASentence) {
  start();
  const auto client = connect();
  const std::string piece(1U << 20U, 'x');
  for (std::size_t sent = 0; sent <= kMaxRequestBytes; sent += piece.size()) send(client, piece);
  const auto answer = decode_answer(receive(client));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->code, Code::kUsage);
  EXPECT_THAT(answer->error, HasSubstr("longer than"));
  EXPECT_EQ(handled_, 0);
}

TEST_F(ControlSocket, MalformedAndUnfinishedRequestsGetASentence) {
  start();
  const auto client = connect();
  send(client, "hello\n");
  EXPECT_EQ(code_of(receive(client)), Code::kUsage);
  send(client, "{\"schema\"");
  ::shutdown(client.get(), SHUT_WR);
  EXPECT_EQ(code_of(receive(client)), Code::kUsage);
  EXPECT_EQ(handled_, 0);
}

TEST_F(ControlSocket, AnswersAClientThatHasClosedItsWritingEnd) {
  start();
  const auto client = connect();
  send(client, kVersionLine);
  ::shutdown(client.get(), SHUT_WR);
  EXPECT_EQ(code_of(receive(client)), Code::kOk);
}

TEST_F(ControlSocket, TellsOneClientTooManySo) {
  options_.max_connections = 2;
  start();
  const auto first = connect();
  const auto second = connect();
  const auto third = connect();
  EXPECT_EQ(code_of(receive(third)), Code::kNoDaemon);
  send(second, kVersionLine);
  EXPECT_EQ(code_of(receive(second)), Code::kOk);
}

TEST_F(ControlSocket, ClientsThatVanishLeaveNothing) {
  start();
  for (int i = 0; i < 100; ++i) {
    const auto client = connect();
    send(client, R"({"schema":1,"verb":"flows","args":{"limit":1000000}})"
                 "\n");
  }
  std::this_thread::sleep_for(300ms);
  EXPECT_EQ(ctl::ask(options_.path, {.verb = Verb::kVersion}).code, Code::kOk);
  std::this_thread::sleep_for(50ms);
  stop();
  EXPECT_EQ(server_->connections(), 0U);
}

TEST_F(ControlSocket, ReplacesAStaleFileButNotALiveServer) {
  {
    const auto abandoned = listen_at(options_.path, "");
    ASSERT_TRUE(abandoned) << abandoned.error().message;
  }
  ASSERT_TRUE(std::filesystem::exists(options_.path)) << "nobody listens on it now";
  start();
  const auto second = Server::start(options_, [](const Request&, const Peer&) { return Answer{}; });
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr("another fwd answers on " + options_.path));
  EXPECT_EQ(ctl::ask(options_.path, {.verb = Verb::kVersion}).code, Code::kOk);
}

TEST_F(ControlSocket, KeepsAFileThatIsNoSocket) {
  ::close(::open(options_.path.c_str(), O_CREAT | O_WRONLY, 0600));
  const auto server = Server::start(options_, [](const Request&, const Peer&) { return Answer{}; });
  ASSERT_FALSE(server);
  EXPECT_THAT(server.error().message, HasSubstr("is not a socket"));
  EXPECT_TRUE(std::filesystem::exists(options_.path));
}

TEST_F(ControlSocket, PathTooLongIsAClearError) {
  options_.path = folder_ + "/" + std::string(200, 'x');
  const auto server = Server::start(options_, [](const Request&, const Peer&) { return Answer{}; });
  ASSERT_FALSE(server);
  EXPECT_THAT(server.error().message, HasSubstr("at most 107"));
  EXPECT_EQ(ctl::ask(options_.path, {}).code, Code::kUsage);
}

TEST_F(ControlSocket, RemovesItsFileAtTheEnd) {
  start();
  stop();
  server_.reset();
  EXPECT_FALSE(std::filesystem::exists(options_.path));
  EXPECT_EQ(ctl::ask(options_.path, {}).code, Code::kNoDaemon);
}

TEST_F(ControlSocket, DrainDeliversALargeAnswer) {
  start();
  const auto client = connect();
  send(client, R"({"schema":1,"verb":"flows","args":{"limit":5000000}})"
               "\n");
  while (handled_ == 0) std::this_thread::sleep_for(1ms);
  stop();
  std::thread reader([&] { EXPECT_EQ(code_of(receive(client)), Code::kOk); });
  server_->drain(5s);
  server_.reset();
  reader.join();
}

// The exit code of `body` in a child that has become nobody, with one supplementary group.
template <class Body>
int as_nobody(gid_t extra_group, Body body) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setgroups(1, &extra_group) != 0 || ::setgid(kNobody) != 0 || ::setuid(kNobody) != 0)
      ::_exit(99);
    ::_exit(body());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

class ControlPermission : public ControlSocket {
 protected:
  void SetUp() override {
    if (::geteuid() == 0) return;
    const char* required = std::getenv("FW_REQUIRE_PRIVILEGED");
    if (required != nullptr && std::string_view{required} == "1")
      FAIL() << "needs root (CAP_SETUID)";
    GTEST_SKIP() << "needs root (CAP_SETUID) to become another user";
  }
  [[nodiscard]] int teardown_as(gid_t group) const {
    return as_nobody(group, [&] {
      return static_cast<int>(ctl::ask(options_.path, {.verb = Verb::kTeardown}).code);
    });
  }
};

TEST_F(ControlPermission, ASocketThatMayNotBeOpenedIsNotPermitted) {
  start();
  EXPECT_EQ(teardown_as(kNobody), 4);
}

TEST_F(ControlPermission, AnotherUserMayReadAndNotChange) {
  start();
  ASSERT_EQ(::chmod(options_.path.c_str(), 0666), 0);
  EXPECT_EQ(teardown_as(kNobody), 4);
  EXPECT_EQ(handled_, 0);
  EXPECT_EQ(
      as_nobody(
          kNobody,
          [&] { return static_cast<int>(ctl::ask(options_.path, {.verb = Verb::kStatus}).code); }),
      0);
  EXPECT_EQ(last_uid_, kNobody);
}

TEST_F(ControlPermission, AMemberOfTheGroupMayChange) {
  options_.group = "daemon";  // a group that every Debian has; gid 1
  start();
  struct stat status {};
  ASSERT_EQ(::stat(options_.path.c_str(), &status), 0);
  EXPECT_EQ(teardown_as(status.st_gid), 0) << "by a supplementary group";
  EXPECT_EQ(handled_, 1);
}

}  // namespace
}  // namespace fw::control
