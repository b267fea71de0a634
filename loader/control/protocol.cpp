// SPDX-License-Identifier: GPL-2.0-only
// Requests and answers to JSON and back. The only file in which nlohmann's exceptions are caught.
#include "loader/control/protocol.h"

#include <algorithm>
#include <array>
#include <utility>

#include "loader/control/json.h"

namespace fw::control {
namespace {

// Deeper than any message of ours; nlohmann recurses when it destroys and prints.
constexpr int kMaxDepth = 16;

struct VerbName {
  Verb verb;
  std::string_view name;
  bool changes;
};
constexpr std::array kVerbs = {
    VerbName{Verb::kStatus, "status", false},    VerbName{Verb::kCounters, "counters", false},
    VerbName{Verb::kFlows, "flows", false},      VerbName{Verb::kExplain, "explain", false},
    VerbName{Verb::kPolicy, "policy", false},    VerbName{Verb::kVersion, "version", false},
    VerbName{Verb::kApply, "apply", true},       VerbName{Verb::kReload, "reload", true},
    VerbName{Verb::kTeardown, "teardown", true},
};

const VerbName& entry(Verb verb) {
  return *std::ranges::find(kVerbs, verb, &VerbName::verb);
}

// Looked at before parsing, so that a hostile message costs no memory.
bool too_deep(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kMaxDepth) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

template <class J>
Result<J> parse(std::string_view text) {
  if (too_deep(text)) return Error{"the message is nested too deeply"};
  try {
    return J::parse(text);
  } catch (const typename J::parse_error& error) {
    return Error{"the message is not JSON from byte " + std::to_string(error.byte) + " on"};
  } catch (const typename J::exception&) {
    return Error{"the message is not JSON"};
  }
}

template <class J>
std::string dump(const J& json, int indent = -1) {
  return json.dump(indent, ' ', false, J::error_handler_t::replace);
}

// Checks that `json` is an object of our schema.
template <class J>
Result<void> check_schema(const J& json) {
  if (!json.is_object()) return Error{"the message is not a JSON object"};
  const auto schema = json.find("schema");
  if (schema == json.end()) return Error{"the message has no 'schema'"};
  if (*schema != kSchema)
    return Error{"the message is of schema " + dump(*schema) + ", and this version speaks " +
                 std::to_string(kSchema) + "; use fwd and fwctl of the same version"};
  return {};
}

template <class T, class J>
Result<T> read(const J& json, const std::string& path, Unknown unknown) {
  T value;
  std::string error;
  Reader<J> reader(json, path, unknown, error);
  if (error.empty()) {
    fields(reader, value);
    reader.finish();
  }
  if (!error.empty()) return Error{std::move(error)};
  return value;
}

// The arguments of a verb that takes none.
struct Nothing {};
void fields(Reader<SortedJson>&, Nothing&) {}

template <class T>
Result<void> read_args(const SortedJson& request, T& args) {
  const auto found = request.find("args");
  auto parsed =
      read<T>(found == request.end() ? SortedJson::object() : *found, "args", Unknown::kRefused);
  if (!parsed) return parsed.error();
  args = *std::move(parsed);
  return {};
}

OrderedJson envelope() {
  OrderedJson json = OrderedJson::object();
  json["schema"] = kSchema;
  return json;
}

}  // namespace

std::string_view to_string(Verb verb) {
  return entry(verb).name;
}

bool changes(Verb verb) {
  return entry(verb).changes;
}

Result<std::string> encode(const Request& request) {
  OrderedJson json = envelope();
  json["verb"] = entry(request.verb).name;
  OrderedJson& args = json["args"] = OrderedJson::object();
  Writer writer(args);
  if (request.verb == Verb::kFlows) fields(writer, request.flows);
  if (request.verb == Verb::kExplain) fields(writer, request.explain);
  if (request.verb == Verb::kApply) fields(writer, request.apply);
  try {
    return json.dump();
  } catch (const OrderedJson::exception&) {
    return Error{"the request is not UTF-8 text; save a policy as UTF-8"};
  }
}

std::string encode(const Answer& answer) {
  if (answer.code == Code::kOk) return R"({"schema":1,"ok":true,"result":)" + answer.result + "}";
  OrderedJson json = envelope();
  json["ok"] = false;
  json["code"] = static_cast<int>(answer.code);
  json["error"] = answer.error;
  Writer writer(json);
  writer("diagnostics", answer.diagnostics);
  return dump(json);
}

Result<Request> decode_request(std::string_view line) {
  const auto json = parse<SortedJson>(line);
  if (!json) return json.error();
  if (const auto ours = check_schema(*json); !ours) return ours.error();
  for (const auto& [name, value] : json->items())
    if (name != "schema" && name != "verb" && name != "args")
      return Error{"'" + name + "' is not known to this version"};

  const auto word = json->find("verb");
  if (word == json->end() || !word->is_string()) return Error{"'verb' must be a string"};
  const auto& name = word->get_ref<const std::string&>();
  const auto* verb = std::ranges::find(kVerbs, name, &VerbName::name);
  if (verb == kVerbs.end())
    return Error{"this version of fwd does not know the verb '" + name + "'"};

  Request request{.verb = verb->verb};
  Nothing nothing;
  const auto args = request.verb == Verb::kFlows     ? read_args(*json, request.flows)
                    : request.verb == Verb::kExplain ? read_args(*json, request.explain)
                    : request.verb == Verb::kApply   ? read_args(*json, request.apply)
                                                     : read_args(*json, nothing);
  if (!args) return args.error();
  return request;
}

Result<Answer> decode_answer(std::string_view line) {
  const auto json = parse<OrderedJson>(line);
  if (!json) return json.error();
  if (const auto ours = check_schema(*json); !ours) return ours.error();
  const auto ok = json->find("ok");
  if (ok == json->end() || !ok->is_boolean()) return Error{"'ok' must be true or false"};

  Answer answer;
  if (ok->get<bool>()) {
    const auto result = json->find("result");
    if (result == json->end() || !result->is_object()) return Error{"'result' must be an object"};
    answer.result = dump(*result);
    return answer;
  }
  int code = 0;
  std::string error;
  Reader<OrderedJson> reader(*json, "", Unknown::kIgnored, error);
  reader("code", code);
  reader("error", answer.error);
  reader.optional("diagnostics", answer.diagnostics);
  if (!error.empty()) return Error{std::move(error)};
  if (code < static_cast<int>(Code::kNo) || code > static_cast<int>(Code::kApplyFailed))
    return Error{"'code' must be 1 to 5"};
  answer.code = static_cast<Code>(code);
  return answer;
}

template <class Report>
std::string to_json(const Report& report) {
  OrderedJson json = envelope();
  Writer writer(json);
  fields(writer, report);
  return dump(json);
}

template <class Report>
Result<Report> from_json(std::string_view text) {
  const auto json = parse<OrderedJson>(text);
  if (!json) return json.error();
  if (const auto ours = check_schema(*json); !ours) return ours.error();
  return read<Report>(*json, "", Unknown::kIgnored);
}

std::string pretty(std::string_view json) {
  const auto parsed = parse<OrderedJson>(json);
  return parsed ? dump(*parsed, 2) : std::string{json};
}

template std::string to_json(const StatusReport&);
template std::string to_json(const CountersReport&);
template std::string to_json(const FlowsReport&);
template std::string to_json(const ExplainReport&);
template std::string to_json(const PolicyReport&);
template std::string to_json(const DiffReport&);
template std::string to_json(const ExposureReport&);
template std::string to_json(const GraphReport&);
template std::string to_json(const ApplyReport&);
template std::string to_json(const CheckReport&);
template std::string to_json(const TestReport&);
template std::string to_json(const TeardownReport&);
template std::string to_json(const VersionReport&);
template Result<StatusReport> from_json(std::string_view);
template Result<CountersReport> from_json(std::string_view);
template Result<FlowsReport> from_json(std::string_view);
template Result<ExplainReport> from_json(std::string_view);
template Result<PolicyReport> from_json(std::string_view);
template Result<DiffReport> from_json(std::string_view);
template Result<ExposureReport> from_json(std::string_view);
template Result<ApplyReport> from_json(std::string_view);
template Result<CheckReport> from_json(std::string_view);
template Result<TestReport> from_json(std::string_view);
template Result<TeardownReport> from_json(std::string_view);
template Result<VersionReport> from_json(std::string_view);

}  // namespace fw::control
