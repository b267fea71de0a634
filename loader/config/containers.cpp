// SPDX-License-Identifier: GPL-2.0-only
#include "loader/config/containers.h"

#include <algorithm>

#include "loader/config/names.h"
#include "loader/config/reader.h"

namespace fw::config {
namespace {

constexpr std::size_t kMaxEngineName = 255;

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// What docker and podman take for a container or a network.
bool is_engine_name(std::string_view text) {
  return !text.empty() && text.size() <= kMaxEngineName && is_alphanumeric(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alphanumeric(c) || c == '_' || c == '.' || c == '-'; });
}

bool check_name(const Word& word, const char* what, const char* hint, Report& report) {
  if (is_engine_name(word.text)) return true;
  report.error(word.where(), quote(word.text) + " cannot be the name of a " + what, hint);
  return false;
}

}  // namespace

void read_container(const Node& node, Service& service, Report& report) {
  if (!is_text(node, "'container'", report)) return;
  const Word word{node};
  if (check_name(word, "container", "'docker ps' or 'podman ps' lists the names", report))
    service.container = std::string{word.text};
}

void read_compose(const Node& node, Service& service, Report& report) {
  if (!is_text(node, "'compose'", report)) return;
  const Word word{node};
  const auto [project, name] = word.split("/");
  if (!word.has("/")) {
    report.error(word.where(), quote(word.text) + " names no service of a compose project",
                 "write PROJECT/SERVICE, as in 'compose: shop/web'");
    return;
  }
  const char* hint = "'docker compose ls' lists the projects";
  if (check_name(project, "compose project", hint, report) &&
      check_name(name, "compose service", hint, report))
    service.compose = ComposeRef{std::string{project.text}, std::string{name.text}};
}

bool check_network(const Word& word, Report& report) {
  return check_name(word, "container network",
                    "'docker network ls' or 'podman network ls' lists the names", report);
}

}  // namespace fw::config
