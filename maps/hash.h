/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Which backend does a flow go to? The slot of its door's pool, by the tuple of its first
 * packet, so that the same client port finds the same backend as long as the backends stay.
 */
#pragma once

#include "maps/tuple.h"

static inline __attribute__((always_inline)) __u32 fw_hash_mix(__u32 hash, __u32 word)
{
	hash ^= word;
	hash *= 0x9e3779b1U; /* 2^32 / the golden ratio: spreads each bit (Knuth, TAOCP 6.4) */
	return hash ^ (hash >> 15);
}

static inline __attribute__((always_inline)) __u32 fw_hash(const struct fw_tuple *t)
{
	__u32 hash = t->proto;

	for (int i = 0; i < 4; i++)
		hash = fw_hash_mix(hash, t->src.w[i]);
	for (int i = 0; i < 4; i++)
		hash = fw_hash_mix(hash, t->dst.w[i]);
	return fw_hash_mix(hash, (__u32)t->sport << 16 | t->dport);
}
