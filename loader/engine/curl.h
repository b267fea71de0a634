// SPDX-License-Identifier: GPL-2.0-only
// Ownership of libcurl's handles, and a request to a Unix socket. Private to loader/engine/.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>

#include "loader/base/result.h"

namespace fw::engine {

struct RequestCleanup {
  void operator()(CURL* request) const { curl_easy_cleanup(request); }
};
using Request = std::unique_ptr<CURL, RequestCleanup>;

// Receives `length` bytes; what it returns, if not `length`, ends the request.
using Receive = std::size_t (*)(char* bytes, std::size_t one, std::size_t length, void* receiver);

// Asks for `path` of the API; `receiver` must outlive the request.
Request make_request(const std::string& socket, const std::string& path, Receive receive,
                     void* receiver);

// What went wrong with a request that libcurl gave up, or that was answered other than 200.
Error request_error(CURL* request, CURLcode code, const std::string& doing);

// "asking the container engine at SOCKET for PATH"
std::string asking(const std::string& socket, const std::string& path);

}  // namespace fw::engine
