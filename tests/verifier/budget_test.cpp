// SPDX-License-Identifier: GPL-2.0-only
// How much work is each program for the verifier? The kernel refuses one million instructions, and
// what it walks through is time at every start of fwd. Budgets are kept in budgets.csv.
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "tests/support/datapath_fixture.h"

namespace fw::test {
namespace {

// Beside this file.
std::string budgets_file() {
  return std::filesystem::path{FW_SOURCE_DIR} / "tests/verifier/budgets.csv";
}

std::map<std::string, std::uint32_t> read_budgets() {
  std::map<std::string, std::uint32_t> budgets;
  std::ifstream file(budgets_file());
  std::string line;
  std::getline(file, line);  // "program,verified_insns"
  while (std::getline(file, line)) {
    const auto comma = line.find(',');
    if (comma == std::string::npos) continue;
    std::istringstream(line.substr(comma + 1)) >> budgets[line.substr(0, comma)];
  }
  return budgets;
}

// The verifier's walk differs between kernels by some percent.
std::uint32_t with_headroom(std::uint32_t count) {
  return count + count / 10;
}

TEST(Verifier, ProgramsStayWithinTheirBudgets) {
  FW_REQUIRE_ROOT();
  FW_ASSIGN(Machine * machine, Machine::get());
  const datapath::Programs& programs = machine->datapath().programs();
  const std::map<std::string, int> loaded = {{"fw_xdp", programs.xdp()},
                                             {"fw_wire_in", programs.wire_in()},
                                             {"fw_ctr_in", programs.container_in()},
                                             {"fw_out", programs.out()},
                                             {"fw_explain", programs.explain()},
                                             {"fw_sweep", programs.sweep()}};
  std::string file = "program,verified_insns\n";
  bool over = false;
  auto budgets = read_budgets();
  for (const auto& [name, program] : loaded) {
    FW_ASSIGN(const std::uint32_t count, verified_insns(program));
    RecordProperty(name, std::to_string(count));
    EXPECT_LE(count, budgets[name]) << name << " costs the verifier more than its budget";
    over = over || count > budgets[name];
    file += name + "," + std::to_string(with_headroom(count)) + "\n";
  }
  if (over)
    ADD_FAILURE() << "If the growth is worth it, say so in the commit and put this into "
                  << budgets_file() << " (today's counts and 10 %):\n"
                  << file;
}

}  // namespace
}  // namespace fw::test
