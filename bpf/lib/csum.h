/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Internet checksums, incrementally (RFC 1071, RFC 1624). */
#pragma once

#include "bpf/lib/kernel.h"

FW_INLINE __u16 csum_fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (__u16)sum;
}

/* A finished checksum field after the data it covers changed by `difference`, a folded
 * sum of (new - old) in one's complement, or a few of them (RFC 1624 equation 3).
 */
FW_INLINE __u16 csum_apply(__u16 field, __u32 difference)
{
	__u32 sum = (__u16)~field + difference;

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (__u16)~sum;
}

/* What replacing one 16-bit word adds to a sum. */
FW_INLINE __u32 csum_change16(__u16 from, __u16 to)
{
	return (__u32)(__u16)~from + to;
}
