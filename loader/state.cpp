// SPDX-License-Identifier: GPL-2.0-only
#include "loader/state.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "loader/base/fd.h"

namespace fw {
namespace {

using compile::AccountName;
using nlohmann::json;

constexpr int kStateSchema = 2;

// FNV-1a: stable over versions. Nobody gains by forging it who may write the file.
std::uint64_t digest_of(std::string_view text) {
  std::uint64_t digest = 0xcbf29ce484222325U;
  for (const char c : text) digest = (digest ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return digest;
}

std::string file_in(const std::string& directory) {
  return directory + "/state.json";
}

json to_json(const State& state) {
  json names = json::array();
  for (const auto& name : state.accounts.names())
    names.push_back({static_cast<int>(name.kind), name.subject, name.from_zone, name.to_zone});
  json layers = json::array();
  for (const auto& layer : state.layers)
    layers.push_back({{"name", layer.name}, {"text", layer.text}});
  json attachments = json::array();
  for (const auto& mark : state.attachments)
    attachments.push_back({{"name", mark.name}, {"digest", mark.digest}});
  return {{"schema", kStateSchema},
          {"generation", state.generation},
          {"applied_at", state.applied_at},
          {"comment", state.comment},
          {"layers", layers},
          {"attachments", attachments},
          {"accounts", {{"names", names}, {"blocks", state.accounts.block_starts()}}}};
}

bool is_account_name(const json& name) {
  return name.is_array() && name.size() == 4 && name[0].is_number_integer() &&
         name[1].is_string() && name[2].is_string() && name[3].is_string();
}

std::optional<compile::AccountBook> accounts_from(const json& accounts) {
  if (!accounts.is_object()) return std::nullopt;
  const auto names = accounts.find("names");
  const auto blocks = accounts.find("blocks");
  if (names == accounts.end() || blocks == accounts.end() || !names->is_array() ||
      !blocks->is_array())
    return std::nullopt;
  std::vector<AccountName> parsed;
  for (const auto& name : *names) {
    if (!is_account_name(name)) return std::nullopt;
    parsed.push_back({static_cast<AccountName::Kind>(name[0].get<int>()),
                      name[1].get<std::string>(), name[2].get<std::string>(),
                      name[3].get<std::string>()});
  }
  std::vector<std::uint32_t> starts;
  for (const auto& start : *blocks) {
    if (!start.is_number_unsigned() || start.get<std::uint64_t>() >= parsed.size())
      return std::nullopt;
    starts.push_back(start.get<std::uint32_t>());
  }
  return compile::AccountBook::from_names(std::move(parsed), starts);
}

std::optional<std::string> text_at(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

std::optional<std::vector<config::Source>> layers_from(const json& layers) {
  if (!layers.is_array()) return std::nullopt;
  std::vector<config::Source> result;
  for (const auto& layer : layers) {
    if (!layer.is_object()) return std::nullopt;
    const auto name = text_at(layer, "name");
    const auto text = text_at(layer, "text");
    if (!name || !text) return std::nullopt;
    result.push_back({*name, *text});
  }
  return result;
}

std::optional<std::vector<AttachmentMark>> marks_from(const json& marks) {
  if (!marks.is_array()) return std::nullopt;
  std::vector<AttachmentMark> result;
  for (const auto& mark : marks) {
    if (!mark.is_object()) return std::nullopt;
    const auto name = text_at(mark, "name");
    const auto digest = mark.find("digest");
    if (!name || digest == mark.end() || !digest->is_number_unsigned()) return std::nullopt;
    result.push_back({*name, digest->get<std::uint64_t>()});
  }
  return result;
}

std::optional<State> from_json(const json& root) {
  if (!root.is_object() || root.value("schema", json()) != kStateSchema) return std::nullopt;
  const auto generation = root.find("generation");
  if (generation == root.end() || !generation->is_number_unsigned()) return std::nullopt;
  const auto applied_at = text_at(root, "applied_at");
  const auto comment = text_at(root, "comment");
  auto layers = layers_from(root.value("layers", json()));
  auto attachments = marks_from(root.value("attachments", json()));
  auto accounts = accounts_from(root.value("accounts", json()));
  if (!applied_at || !comment || !layers || !attachments || !accounts) return std::nullopt;
  return State{.generation = generation->get<std::uint64_t>(),
               .applied_at = *applied_at,
               .comment = *comment,
               .layers = *std::move(layers),
               .attachments = *std::move(attachments),
               .accounts = std::move(*accounts)};
}

Result<void> write_whole(const std::string& path, const std::string& text) {
  const Fd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!fd) return Error::from_errno("writing " + path);
  for (std::size_t done = 0; done < text.size();) {
    const auto written = write(fd.get(), text.data() + done, text.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Error::from_errno("writing " + path);
    done += static_cast<std::size_t>(written);
  }
  if (fsync(fd.get()) != 0) return Error::from_errno("writing " + path);
  return {};
}

}  // namespace

std::vector<AttachmentMark> marks_of(const std::vector<config::Attachment>& attachments) {
  std::vector<AttachmentMark> marks;
  marks.reserve(attachments.size());
  for (const auto& attachment : attachments)
    marks.push_back({attachment.name, digest_of(attachment.text)});
  return marks;
}

bool State::is_of(const config::Sources& sources) const {
  const auto same_text = [](const config::Source& a, const config::Source& b) {
    return a.text == b.text;
  };
  return std::ranges::equal(layers, sources.layers, same_text) &&
         attachments == marks_of(sources.attachments);
}

Result<State> load_state(const std::string& directory) {
  if (mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    return Error::from_errno("creating the state folder " + directory);
  std::ifstream file(file_in(directory), std::ios::binary);
  if (!file) return State{};
  std::ostringstream text;
  text << file.rdbuf();
  const auto root = json::parse(text.str(), nullptr, /*allow_exceptions=*/false);
  auto state = from_json(root);
  if (!state)
    return Error{"reading " + file_in(directory) +
                 ": it is not a state file of this version of fwd; move it away to start anew"};
  return std::move(*state);
}

Result<void> save_state(const std::string& directory, const State& state) {
  const auto path = file_in(directory);
  const auto beside = path + ".new";
  const auto text = to_json(state).dump(-1, ' ', false, json::error_handler_t::replace);
  if (auto written = write_whole(beside, text); !written) {
    unlink(beside.c_str());
    return written;
  }
  if (rename(beside.c_str(), path.c_str()) != 0) return Error::from_errno("replacing " + path);
  return {};
}

}  // namespace fw
