// SPDX-License-Identifier: GPL-2.0-only
#include "loader/engine/api.h"

#include "loader/engine/curl.h"

namespace fw::engine {
namespace {

constexpr std::size_t kMaxAnswerBytes = 64U << 20U;
constexpr long kHttpOk = 200;
constexpr std::size_t kMaxQuotedBytes = 200;

std::size_t append(char* bytes, std::size_t /*one*/, std::size_t length, void* receiver) {
  auto& text = *static_cast<std::string*>(receiver);
  if (text.size() + length > kMaxAnswerBytes) return 0;
  text.append(bytes, length);
  return length;
}

long status_of(CURL* request) {
  long status = 0;
  curl_easy_getinfo(request, CURLINFO_RESPONSE_CODE, &status);
  return status;
}

// The engine's own sentence: {"message": "no such container"}.
std::string said(const std::string& text) {
  const auto answer = nlohmann::json::parse(text, nullptr, false);
  if (!answer.is_object()) return "";
  const auto message = answer.find("message");
  if (message == answer.end() || !message->is_string()) return "";
  return ": " + message->get_ref<const std::string&>().substr(0, kMaxQuotedBytes);
}

}  // namespace

Result<std::string> socket_path(std::string_view url) {
  constexpr std::string_view kScheme = "unix://";
  if (!url.starts_with(kScheme) || !url.substr(kScheme.size()).starts_with('/'))
    return Error{"the container engine '" + std::string{url} +
                 "' is not a Unix socket; write unix:///run/docker.sock"};
  return std::string{url.substr(kScheme.size())};
}

std::string asking(const std::string& socket, const std::string& path) {
  return "asking the container engine at " + socket + " for " + path;
}

Request make_request(const std::string& socket, const std::string& path, Receive receive,
                     void* receiver) {
  [[maybe_unused]] static const CURLcode kInitialised = curl_global_init(CURL_GLOBAL_NOTHING);
  Request request{curl_easy_init()};
  if (!request) return request;
  // The host's name is never looked up: the socket decides where the request goes.
  const std::string url = "http://engine" + std::string{kApiVersion} + path;
  curl_easy_setopt(request.get(), CURLOPT_UNIX_SOCKET_PATH, socket.c_str());
  curl_easy_setopt(request.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(request.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(request.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(request.get(), CURLOPT_WRITEFUNCTION, receive);
  curl_easy_setopt(request.get(), CURLOPT_WRITEDATA, receiver);
  return request;
}

Error request_error(CURL* request, CURLcode code, const std::string& doing) {
  if (code == CURLE_OK) return {doing + ": it answers " + std::to_string(status_of(request))};
  long system_error = 0;
  curl_easy_getinfo(request, CURLINFO_OS_ERRNO, &system_error);
  if (code == CURLE_COULDNT_CONNECT && system_error != 0)
    return Error::from_errno(doing, static_cast<int>(system_error));
  if (code == CURLE_WRITE_ERROR) return {doing + ": its answer is larger than fwd reads"};
  return {doing + ": " + curl_easy_strerror(code)};
}

Result<nlohmann::json> get(const std::string& socket, const std::string& path,
                           std::chrono::milliseconds timeout) {
  const std::string doing = asking(socket, path);
  std::string text;
  const Request request = make_request(socket, path, append, &text);
  if (!request) return Error{doing + ": out of memory"};
  curl_easy_setopt(request.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
  const CURLcode code = curl_easy_perform(request.get());
  if (code != CURLE_OK) return request_error(request.get(), code, doing);
  if (status_of(request.get()) != kHttpOk) {
    Error refused = request_error(request.get(), code, doing);
    refused.message += said(text);
    return refused;
  }
  auto answer = nlohmann::json::parse(text, nullptr, false);
  if (answer.is_discarded()) return Error{doing + ": its answer is not JSON"};
  return answer;
}

}  // namespace fw::engine
