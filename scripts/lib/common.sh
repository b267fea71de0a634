# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# What every script here starts with: strictness, the repository's root, a way to speak and to fail.
#
#   source "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
set -euo pipefail

FW_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export FW_ROOT
# bpftool, nginx and ethtool live in sbin, which a plain user's PATH leaves out.
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

# A step that the reader waits for.
say() { printf '== %s\n' "$*"; }

# die MESSAGE [STATUS]: one sentence: what was being done, what is wrong, what to do.
die() {
  printf '%s: %s\n' "$(basename "$0")" "$1" >&2
  exit "${2:-1}"
}

# Prints the comment at the top of the calling script as its help.
usage() {
  awk 'NR > 2 && !/^#/ {exit} NR > 2 {sub(/^# ?/, ""); print}' "$0"
}

# quietly LOG COMMAND...: shows what the command said only if it failed.
quietly() {
  local log=$1
  shift
  if "$@" >"$log" 2>&1; then return 0; fi
  cat "$log"
  return 1
}
