/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* limit: may one more flow start now?
 *
 * Asked once for each flow, right before it opens: the packets of an open one never come
 * here. host.admin has no limits. Rates are token buckets; how many flows a source holds
 * is counted when they start, and put right by the sweep.
 */
#pragma once

#include "bpf/lib/clock.h"
#include "bpf/lib/tuple.h"
#include "bpf/stages/account.h"

/* Older counts are not believed: a daemon that is gone must not lock its users out. */
#define SOURCES_VALID_NS 30000000000ull

/* Takes cost_ns from a bucket that holds burst_ns, or with cost_ns 0 only looks whether
 * there is anything in it. CPUs that take at the same time may overdraw it, by one each.
 */
FW_SHARED int fw_take(const struct fw_bucket_key *key, __u64 cost_ns, __u64 burst_ns, __u64 now_ns)
{
	struct fw_bucket fresh = {.full_ns = now_ns + cost_ns};
	struct fw_bucket *bucket;
	__u64 full_ns;

	if (!key)
		return 0;
	bucket = bpf_map_lookup_elem(&fw_buckets, key);
	if (!bucket) {
		if (!cost_ns || !bpf_map_update_elem(&fw_buckets, key, &fresh, BPF_NOEXIST))
			return 1;
		bucket = bpf_map_lookup_elem(&fw_buckets, key);
		if (!bucket)
			return 0;
	}
	full_ns = READ_ONCE(bucket->full_ns);
	if (full_ns < now_ns) {
		__sync_val_compare_and_swap(&bucket->full_ns, full_ns, now_ns);
		full_ns = now_ns;
	}
	if (full_ns + (cost_ns ?: 1) > now_ns + burst_ns)
		return 0;
	__sync_fetch_and_add(&bucket->full_ns, cost_ns);
	return 1;
}

/* Counts one more flow of a source, unless it holds `max` already. */
FW_SHARED int fw_hold(const struct fw_addr *source, __u32 max)
{
	struct fw_source first = {.flows = 1}, *held;

	if (!source)
		return 0;
	held = bpf_map_lookup_elem(&fw_sources, source);
	if (!held) {
		if (!bpf_map_update_elem(&fw_sources, source, &first, BPF_NOEXIST))
			return 1;
		held = bpf_map_lookup_elem(&fw_sources, source);
		if (!held)
			return 0;
	}
	if (__sync_fetch_and_add(&held->flows, 1) < max)
		return 1;
	__sync_fetch_and_add(&held->flows, -1);
	return 0;
}

FW_INLINE int take(const struct fw_pkt *pkt, const struct fw_scratch *s,
		   const struct fw_limit *limit, __u32 name)
{
	struct fw_bucket_key key = {.limit = name};

	if (limit->per_source)
		source_of(&key.source, &s->original);
	return fw_take(&key, limit->cost_ns, limit->burst_ns, pkt->now_ns);
}

FW_INLINE int within_syn_limit(const struct fw_pkt *pkt, const struct fw_scratch *s)
{
	const struct fw_limit *syn = &parameters_of(pkt)->syn;

	if (!syn->cost_ns || !s->door.selector || s->original.proto != IPPROTO_TCP)
		return 1;
	return take(pkt, s, syn, FW_BUCKETS_SYN);
}

/* What is over the limit of a rule or door counts there, too. */
FW_INLINE int within_own_limit(const fw_ctx *ctx, const struct fw_pkt *pkt,
			       const struct fw_scratch *s)
{
	__u32 slot = slot_of(pkt), index = s->limit - 1;
	const struct fw_limit *limit;
	void *limits;

	if (!s->limit)
		return 1;
	limits = bpf_map_lookup_elem(&fw_limits, &slot);
	if (!limits)
		return 1;
	limit = bpf_map_lookup_elem(limits, &index);
	if (!limit || take(pkt, s, limit, limit->account))
		return 1;
	count_at(ctx, pkt, limit->account);
	return 0;
}

FW_INLINE int has_room(const struct fw_pkt *pkt, const struct fw_scratch *s)
{
	const struct fw_generation *p = parameters_of(pkt);
	struct fw_addr source, everyone = {};

	if (!p->max_flows && !p->max_per_source)
		return 1;
	if (pkt->now_ns > READ_ONCE(fw_now_ns) + SOURCES_VALID_NS)
		return 1;
	if (p->max_per_source && !(s->src.flags & FW_IDENT_HOST)) {
		source_of(&source, &s->original);
		if (!fw_hold(&source, p->max_per_source))
			return 0;
	}
	return !p->max_flows || fw_hold(&everyone, p->max_flows);
}

FW_OUTLINE int limit_flow(const fw_ctx *ctx, struct fw_pkt *pkt, const struct fw_scratch *s)
{
	if (!within_syn_limit(pkt, s) || !within_own_limit(ctx, pkt, s))
		return (int)drop(pkt, FW_REASON_RATE_LIMITED);
	return has_room(pkt, s) ? FW_NEXT : (int)drop(pkt, FW_REASON_FLOW_LIMIT);
}

FW_INLINE enum fw_verdict within_limits(const fw_ctx *ctx, struct fw_pkt *pkt,
					const struct fw_scratch *s)
{
	return s->admin ? FW_NEXT : (enum fw_verdict)limit_flow(ctx, pkt, s);
}
