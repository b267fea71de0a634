// SPDX-License-Identifier: GPL-2.0-only
// fwctl: what an administrator types.
#include <unistd.h>

#include <iostream>

#include "ctl/app.h"

int main(int argc, char** argv) {
  return fw::ctl::run({argv + 1, argv + argc}, std::cout, std::cerr, ::isatty(STDOUT_FILENO) == 1);
}
