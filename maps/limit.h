/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Limits: how many flows may start, and how many may be there at once. */
#pragma once

#include "maps/tuple.h"

/* N flows per second, minute or hour, as a token bucket that holds N. Element of
 * fw_limits.
 */
struct fw_limit {
	__u64 cost_ns;	  /* what one flow takes from a bucket: the unit / N */
	__u64 burst_ns;	  /* what a full bucket holds: N * cost_ns */
	__u32 account;	  /* counts what is over the limit, and names its buckets */
	__u32 per_source; /* 1: a bucket for each source; 0: one for all */
};
FW_ASSERT_LAYOUT(struct fw_limit, 24);

/* Names of buckets beside the accounts'. */
#define FW_BUCKETS_SYN 0xffffffffu
#define FW_BUCKETS_ANSWERS 0xfffffffeu

/* A source is an IPv4 address or an IPv6 /64, its other bits zero; all zero is
 * everyone together.
 */
struct fw_bucket_key {
	__u32 limit; /* fw_limit.account, or one of the names above */
	struct fw_addr source;
};
FW_ASSERT_LAYOUT(struct fw_bucket_key, 20);

/* A bucket as one number, so that a store is atomic: the time at which it is full
 * again (the generic cell rate algorithm, ITU-T I.371).
 */
struct fw_bucket {
	__u64 full_ns; /* bpf/lib/clock.h */
};
FW_ASSERT_LAYOUT(struct fw_bucket, 8);

/* How many flows a source holds; key: struct fw_addr, as above. Flows raise it when
 * they start, and the sweep puts it right.
 */
struct fw_source {
	__u32 flows;
	__u32 before;  /* flows, when the sweep began */
	__u32 counted; /* by the sweep */
	__u32 pad;
};
FW_ASSERT_LAYOUT(struct fw_source, 16);
