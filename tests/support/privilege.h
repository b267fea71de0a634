// SPDX-License-Identifier: GPL-2.0-only
// May this process do what a test needs? If not, the test is skipped by name of what is missing, or
// fails where FW_REQUIRE_PRIVILEGED=1 says that a green run must not be an empty one.
#pragma once

#include <gtest/gtest.h>

#include <string>

namespace fw::test {

// "CAP_NET_ADMIN" and the like, joined by commas; empty when nothing is missing.
std::string missing_capabilities();

bool privileges_required();  // FW_REQUIRE_PRIVILEGED=1

}  // namespace fw::test

// The first line of a test or of SetUp(). A macro, for only the test's own function can leave it.
#define FW_REQUIRE_ROOT()                                                               \
  if (const auto fw_missing = fw::test::missing_capabilities(); !fw_missing.empty())    \
  return fw::test::privileges_required()                                                \
             ? GTEST_MESSAGE_AT_(__FILE__, __LINE__, ("missing " + fw_missing).c_str(), \
                                 testing::TestPartResult::kFatalFailure)                \
             : GTEST_MESSAGE_AT_(__FILE__, __LINE__, ("missing " + fw_missing).c_str(), \
                                 testing::TestPartResult::kSkip)

// Fails the test with the error's sentence unless the Result holds a value.
#define FW_ASSERT_OK(expression) \
  if (const auto& fw_result = (expression); !fw_result) FAIL() << fw_result.error().message

// FW_ASSIGN(auto lab, Lab::start({}));
#define FW_ASSIGN(declaration, expression) \
  FW_ASSIGN_NAMED_(FW_CONCAT_(fw_result_, __LINE__), declaration, expression)
#define FW_ASSIGN_NAMED_(name, declaration, expression) \
  auto name = (expression);                             \
  if (!name) FAIL() << name.error().message;            \
  declaration = *std::move(name)
#define FW_CONCAT_(a, b) FW_CONCAT_EXPANDED_(a, b)
#define FW_CONCAT_EXPANDED_(a, b) a##b
