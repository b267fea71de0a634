// SPDX-License-Identifier: GPL-2.0-only
#include "loader/engine/events.h"

#include <optional>
#include <utility>

#include "loader/engine/curl.h"

namespace fw::engine {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kMaxEventBytes = 1U << 20U;
constexpr std::size_t kMaxPending = 10000;  // events; beyond, the rest of a flood says nothing new

struct RequestsCleanup {
  void operator()(CURLM* requests) const { curl_multi_cleanup(requests); }
};

}  // namespace

struct EventStream::Connection {
  std::string doing;
  std::string text;  // of the event that is not complete yet
  std::vector<nlohmann::json> events;
  // The request goes before the multi handle that it is in, which libcurl allows.
  std::unique_ptr<CURLM, RequestsCleanup> requests{curl_multi_init()};
  Request request;

  ~Connection() {
    if (requests && request) curl_multi_remove_handle(requests.get(), request.get());
  }

  static std::size_t receive(char* bytes, std::size_t /*one*/, std::size_t length, void* receiver) {
    auto& self = *static_cast<Connection*>(receiver);
    self.text.append(bytes, length);
    self.take_lines();
    return self.text.size() > kMaxEventBytes ? 0 : length;
  }

  // docker and podman end each event with '\n', and have none within.
  void take_lines() {
    std::size_t begin = 0;
    for (std::size_t end = text.find('\n'); end != std::string::npos;
         end = text.find('\n', begin)) {
      auto event =
          nlohmann::json::parse(text.begin() + static_cast<std::ptrdiff_t>(begin),
                                text.begin() + static_cast<std::ptrdiff_t>(end), nullptr, false);
      if (!event.is_discarded() && events.size() < kMaxPending) events.push_back(std::move(event));
      begin = end + 1;
    }
    text.erase(0, begin);
  }

  // Unset while it goes on.
  [[nodiscard]] std::optional<Error> ended() const {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(requests.get(), &left))
      if (message->msg == CURLMSG_DONE) {
        const CURLcode code = message->data.result;
        if (code == CURLE_OK) return Error{doing + ": the engine closed the connection"};
        return request_error(request.get(), code, doing);
      }
    return std::nullopt;
  }
};

EventStream::EventStream(std::unique_ptr<Connection> connection)
    : connection_(std::move(connection)) {}
EventStream::EventStream(EventStream&&) noexcept = default;
EventStream& EventStream::operator=(EventStream&&) noexcept = default;
EventStream::~EventStream() = default;

Result<EventStream> EventStream::open(const std::string& socket,
                                      std::chrono::system_clock::time_point since) {
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(since.time_since_epoch()).count();
  const std::string path = "/events?since=" + std::to_string(seconds);
  auto connection = std::make_unique<Connection>();
  connection->doing = asking(socket, "/events");
  connection->request = make_request(socket, path, Connection::receive, connection.get());
  if (!connection->requests || !connection->request ||
      curl_multi_add_handle(connection->requests.get(), connection->request.get()) != CURLM_OK)
    return Error{connection->doing + ": out of memory"};
  return EventStream{std::move(connection)};
}

Result<std::vector<nlohmann::json>> EventStream::wait(milliseconds timeout) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + timeout;
  Connection& connection = *connection_;
  for (;;) {
    int running = 0;
    curl_multi_perform(connection.requests.get(), &running);
    if (!connection.events.empty()) return std::exchange(connection.events, {});
    if (const auto end = connection.ended()) return *end;
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return std::vector<nlohmann::json>{};
    curl_multi_poll(connection.requests.get(), nullptr, 0, static_cast<int>(left.count()), nullptr);
  }
}

}  // namespace fw::engine
