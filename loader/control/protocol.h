// SPDX-License-Identifier: GPL-2.0-only
// The control channel's language: one JSON object a line, each way, over a Unix stream socket.
//
//   {"schema":1,"verb":"status","args":{...}}
//   {"schema":1,"ok":true,"result":{...}}
//   {"schema":1,"ok":false,"code":4,"error":"...","diagnostics":[...]}
//
// Pure: text in, values out. Whatever a peer sends, the worst that comes out is an Error.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "loader/base/result.h"
#include "loader/control/reports.h"

namespace fw::control {

inline constexpr int kSchema = 1;
inline constexpr const char* kDefaultSocket = "/run/fwd/fwd.sock";

// A policy of the largest size still fits when escaping makes two characters of every other one.
inline constexpr std::size_t kMaxRequestText =
    config::kMaxPolicyBytes + config::kMaxAttachmentBytes;
inline constexpr std::size_t kMaxRequestBytes =
    kMaxRequestText + kMaxRequestText / 2 + (64U << 10U);
inline constexpr std::size_t kMaxAnswerBytes = std::size_t{1} << 30U;

// fwctl's exit codes, and `code` in an answer (docs: contract, section 4).
enum class Code {
  kOk = 0,
  kNo = 1,  // the answer to the question is no
  kUsage = 2,
  kNoDaemon = 3,
  kNotPermitted = 4,
  kApplyFailed = 5,
};

enum class Verb {
  kStatus,
  kCounters,
  kFlows,
  kExplain,
  kPolicy,
  kVersion,
  kApply,
  kReload,
  kTeardown,
};

std::string_view to_string(Verb verb);
// Whether the verb changes something, and so needs root or membership of group fwd.
bool changes(Verb verb);

// Only the arguments that the verb takes mean anything.
struct Request {
  Verb verb = Verb::kStatus;
  FlowsRequest flows{};
  ExplainRequest explain{};
  ApplyRequest apply{};
};

struct Answer {
  Code code = Code::kOk;
  std::string result;                           // kOk: the report as JSON, made by success()
  std::string error;                            // else: one sentence
  std::vector<config::Diagnostic> diagnostics;  // of the policy, when that is what is wrong
};

// Each of these is one line without its newline. Text that is not UTF-8 is an error in a request
// (a policy must arrive as it was read) and replaced by U+FFFD in an answer.
Result<std::string> encode(const Request& request);
std::string encode(const Answer& answer);
Result<Request> decode_request(std::string_view line);
Result<Answer> decode_answer(std::string_view line);

// A report as a JSON object that begins with "schema":1, and back. For each of StatusReport,
// the ...Report types of control/reports.h that stand alone.
template <class Report>
std::string to_json(const Report& report);
template <class Report>
Result<Report> from_json(std::string_view text);

// The same JSON, indented for people. Text that is not JSON is returned as it is.
std::string pretty(std::string_view json);

template <class Report>
Answer success(const Report& report) {
  return {.code = Code::kOk, .result = to_json(report), .error = {}, .diagnostics = {}};
}
inline Answer failure(Code code, std::string error,
                      std::vector<config::Diagnostic> diagnostics = {}) {
  return {code, {}, std::move(error), std::move(diagnostics)};
}

}  // namespace fw::control
