/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The clock of flows: nanoseconds in steps of the kernel's tick (1 to 10 ms), which is
 * enough to end a flow by, and costs one load where bpf_ktime_get_coarse_ns() costs a call
 * (docs/decisions/0013). Its zero is not that of CLOCK_MONOTONIC; fw_now_ns tells user
 * space how far apart they are.
 */
#pragma once

#include "bpf/lib/kernel.h"

/* Set by the daemon before loading: clock_getres(CLOCK_MONOTONIC_COARSE). */
const volatile __u64 fw_tick_ns __weak = 4000000;

/* When the sweep last ran. */
__u64 fw_now_ns __weak = 0;

FW_INLINE __u64 now_ns(void)
{
	return bpf_jiffies64() * fw_tick_ns;
}
