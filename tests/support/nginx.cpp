// SPDX-License-Identifier: GPL-2.0-only
#include "tests/support/nginx.h"

#include <spdlog/fmt/fmt.h>

#include <sstream>

#include "tests/support/sockets.h"

namespace fw::test {
namespace {

// One process in the foreground, so that ending its pid ends all of it.
constexpr const char* kConfig = R"(
daemon off;
master_process off;
pid nginx.pid;
error_log stderr;
events {{ worker_connections 4096; }}
http {{
  log_format short '$remote_addr $status $request';
  access_log access.log short;
  client_body_temp_path tmp;
  proxy_temp_path tmp;
  fastcgi_temp_path tmp;
  uwsgi_temp_path tmp;
  scgi_temp_path tmp;
  server {{
    listen {0} backlog=4096;
    listen [::]:{0} backlog=4096;
    root html;
    location = / {{ default_type text/plain; return 200 "you are $remote_addr\n"; }}
  }}
}}
)";

}  // namespace

Result<Nginx> Nginx::start(const NetNs& netns, std::uint16_t port) {
  auto prefix = Scratch::create("nginx");
  if (!prefix) return prefix.error();
  std::filesystem::create_directory(prefix->path() / "html");
  for (const auto& [file, text] : {std::pair{"nginx.conf", fmt::format(kConfig, port)},
                                   std::pair{"html/big", std::string(kBigBytes, 'b')}})
    if (auto written = write_file(prefix->path() / file, text); !written) return written.error();

  auto process = netns.start(
      {"nginx", "-p", prefix->path().string() + "/", "-c", "nginx.conf", "-e", "stderr"});
  if (!process) return process.error();
  Nginx nginx{*std::move(prefix), *std::move(process)};
  const bool up = eventually(milliseconds{5000}, [&] {
    return !nginx.process_.running() ||
           Client::connect(netns, Transport::kTcp, {"127.0.0.1", port});
  });
  if (!up || !nginx.process_.running())
    return Error{"starting nginx: " + nginx.process_.stop().describe()};
  return nginx;
}

std::vector<std::string> Nginx::access_log() const {
  std::istringstream text{read_file(prefix_ / "access.log")};
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

}  // namespace fw::test
