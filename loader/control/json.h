// SPDX-License-Identifier: GPL-2.0-only
// Typed values into JSON and, checked, out of it. Included by protocol.cpp only.
//
// nlohmann's own get<T>() turns -1 into 2^64-1 and 1e300 into anything; the Reader refuses a number
// that does not fit, and says which member is wrong.
#pragma once

#include <concepts>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "loader/control/fields.h"

namespace fw::control {

// Keeps "schema" first. Its look-up is linear, so what an unknown peer sends is parsed as
// SortedJson.
using OrderedJson = nlohmann::ordered_json;
using SortedJson = nlohmann::json;

class Writer {
 public:
  static constexpr bool kReads = false;
  explicit Writer(OrderedJson& object) : object_(object) {}

  template <class T>
  void operator()(const char* name, const T& value) {
    object_[name] = to(value);
  }
  template <class T>
  void optional(const char* name, const T& value) {
    (*this)(name, value);
  }

 private:
  static OrderedJson to(const std::string& value) { return value; }
  template <class T>
  requires std::is_arithmetic_v<T>
  static OrderedJson to(T value) { return value; }
  static OrderedJson to(config::Severity value) {
    return value == config::Severity::kError ? "error" : "warning";
  }
  template <class T>
  static OrderedJson to(const std::optional<T>& value) {
    return value ? to(*value) : OrderedJson(nullptr);
  }
  template <class T>
  static OrderedJson to(const std::vector<T>& values) {
    OrderedJson array = OrderedJson::array();
    for (const T& value : values) array.push_back(to(value));
    return array;
  }
  template <class T>
  requires std::is_class_v<T>
  static OrderedJson to(const T& value) {
    OrderedJson object = OrderedJson::object();
    Writer writer(object);
    fields(writer, value);
    return object;
  }

  OrderedJson& object_;
};

// Reads one object of J, a kind of nlohmann::json. The first thing wrong is kept in `error`, and
// nothing is read after it.
enum class Unknown { kIgnored, kRefused };

template <class J>
class Reader {
 public:
  static constexpr bool kReads = true;
  Reader(const J& object, std::string path, Unknown unknown, std::string& error)
      : object_(object), path_(std::move(path)), unknown_(unknown), error_(error) {
    if (!object.is_object()) fail(path_, "must be an object");
  }

  template <class T>
  void operator()(const char* name, T& value) {
    if (!read(name, value)) fail(member(name), "is missing");
  }
  template <class T>
  void optional(const char* name, T& value) {
    read(name, value);
  }
  // An object that was asked for everything it may have; the rest is unknown.
  void finish() {
    if (unknown_ == Unknown::kIgnored || !error_.empty()) return;
    for (const auto& [name, value] : object_.items()) {
      bool known = false;
      for (const auto& seen : seen_) known = known || seen == name;
      if (!known) return fail(member(name), "is not known to this version");
    }
  }

 private:
  // Whether the member is there; a wrong one is there, and an error.
  template <class T>
  bool read(const char* name, T& value) {
    if (!error_.empty()) return true;
    seen_.emplace_back(name);
    const auto found = object_.find(name);
    if (found == object_.end()) return false;
    from(*found, member(name), value);
    return true;
  }

  void from(const J& json, const std::string& path, std::string& value) {
    if (!json.is_string()) return fail(path, "must be a string");
    value = json.template get_ref<const std::string&>();
  }
  void from(const J& json, const std::string& path, bool& value) {
    if (!json.is_boolean()) return fail(path, "must be true or false");
    value = json.template get<bool>();
  }
  template <std::integral T>
  void from(const J& json, const std::string& path, T& value) {
    if (json.is_number_unsigned() && std::in_range<T>(json.template get<std::uint64_t>()))
      value = static_cast<T>(json.template get<std::uint64_t>());
    else if (json.is_number_integer() && !json.is_number_unsigned() &&
             std::in_range<T>(json.template get<std::int64_t>()))
      value = static_cast<T>(json.template get<std::int64_t>());
    else
      fail(path,
           "must be a whole number of at most " + std::to_string(std::numeric_limits<T>::max()));
  }
  void from(const J& json, const std::string& path, config::Severity& value) {
    if (json != "error" && json != "warning") return fail(path, "must be error or warning");
    value = json == "error" ? config::Severity::kError : config::Severity::kWarning;
  }
  template <class T>
  void from(const J& json, const std::string& path, std::optional<T>& value) {
    if (json.is_null()) return;
    from(json, path, value.emplace());
  }
  template <class T>
  void from(const J& json, const std::string& path, std::vector<T>& values) {
    if (!json.is_array()) return fail(path, "must be a list");
    values.reserve(json.size());
    for (std::size_t i = 0; i < json.size() && error_.empty(); ++i)
      from(json[i], path + "[" + std::to_string(i) + "]", values.emplace_back());
  }
  template <class T>
  requires std::is_class_v<T>
  void from(const J& json, const std::string& path, T& value) {
    Reader reader(json, path, unknown_, error_);
    if (!error_.empty()) return;
    fields(reader, value);
    reader.finish();
  }

  [[nodiscard]] std::string member(const std::string& name) const {
    return path_.empty() ? name : path_ + "." + name;
  }
  void fail(const std::string& path, const std::string& what) {
    if (error_.empty()) error_ = "'" + (path.empty() ? "the message" : path) + "' " + what;
  }

  const J& object_;
  std::string path_;
  Unknown unknown_;
  std::string& error_;
  std::vector<std::string> seen_;
};

}  // namespace fw::control
