# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Which files of the repository are ours to judge. Paths are relative to the root, one a line.

# cpp_sources: C++ that is formatted the Google way.
cpp_sources() {
  (cd "$FW_ROOT" && find loader ctl tests -name '*.h' -o -name '*.cpp') | sort
}

# kernel_sources: C that is formatted the kernel's way.
kernel_sources() {
  (cd "$FW_ROOT" && find maps bpf tests -name '*.bpf.c' -o -name '*.h' -path 'maps/*' \
    -o -name '*.h' -path 'bpf/*') | sort
}

# shell_sources: every script, by its first line or its name.
shell_sources() {
  (cd "$FW_ROOT" && find scripts .ci -type f ! -path '*/cmake/*' -print0 |
    xargs -0 awk 'FNR == 1 && (/^#!.*sh$/ || FILENAME ~ /\.sh$/) {print FILENAME} {nextfile}') | sort
}

# tidy_sources: what clang-tidy judges.
tidy_sources() {
  (cd "$FW_ROOT" && find loader ctl -name '*.cpp') | sort
}
