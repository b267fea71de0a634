// SPDX-License-Identifier: GPL-2.0-only
#include "tests/bench/tool.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <thread>

namespace fw::bench {

volatile std::sig_atomic_t stop_requested = 0;

void stop_on_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { stop_requested = 1; };  // no SA_RESTART: a blocked call returns
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGALRM, &action, nullptr);
}

void sleep_until(Clock::time_point then) {
  using std::chrono::milliseconds;
  while (!stop_requested && Clock::now() < then) {
    const auto left = then - Clock::now();
    std::this_thread::sleep_for(std::min<Clock::duration>(left, milliseconds(50)));
  }
}

Result<Endpoint> parse_endpoint(const std::string& text) {
  const auto colon = text.rfind(':');
  std::string host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (colon == std::string::npos || host.find(':') != std::string::npos) {
    return Error{"'" + text + "' has no port; write ADDRESS:PORT, or [ADDRESS]:PORT for IPv6"};
  }
  auto address = Address::parse(host);
  if (!address) return address.error();
  Endpoint endpoint{*address, 0};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, endpoint.port);
  if (error != std::errc{} || stop != end) {
    return Error{"'" + text.substr(colon + 1) + "' is not a port; write a number up to 65535"};
  }
  return endpoint;
}

Result<Mac> parse_mac(const std::string& text) {
  Mac mac{};
  int used = 0;
  const int fields = std::sscanf(text.c_str(), "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0],
                                 &mac[1], &mac[2], &mac[3], &mac[4], &mac[5], &used);
  if (fields != 6 || static_cast<std::size_t>(used) != text.size()) {
    return Error{"'" + text + "' is not a MAC address; write it as 02:00:00:00:00:01"};
  }
  return mac;
}

// By ioctl and not from /sys, which shows another namespace after `nsenter --net`.
Result<Mac> interface_mac(const std::string& name) {
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const bool known = socket >= 0 && ioctl(socket, SIOCGIFHWADDR, &request) == 0;
  const int error = errno;
  if (socket >= 0) close(socket);
  if (!known) return Error::from_errno("reading the MAC address of '" + name + "'", error);
  Mac mac{};
  std::memcpy(mac.data(), request.ifr_hwaddr.sa_data, mac.size());
  return mac;
}

Result<unsigned> interface_index(const std::string& name) {
  const unsigned index = if_nametoindex(name.c_str());
  if (index == 0) return Error::from_errno("looking for interface '" + name + "'");
  return index;
}

void prepare_libbpf() {
  libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
  libbpf_set_print([](libbpf_print_level level, const char* format, va_list arguments) {
    return level == LIBBPF_WARN ? std::vfprintf(stderr, format, arguments) : 0;
  });
}

int fail(const char* tool, const Error& error) {
  std::fprintf(stderr, "%s: %s\n", tool, error.message.c_str());
  return 1;
}

}  // namespace fw::bench
