/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* sweep: frees the memory of flows whose time is over, counts what each source holds, and the
 * fragments that waited for their first in vain. The daemon runs it now and then; judging a
 * flow never waits for it, because an expired entry is already a miss.
 *
 * The half-open tables need no sweep: they are preallocated and push out their oldest. But
 * nobody is told what they push out, so they are counted, too.
 */
#include "bpf/lib/account.h"
#include "bpf/lib/clock.h"
#include "bpf/lib/packet.h"
#include "bpf/lib/tuple.h"

struct bpf_map;

struct sweep {
	__u64 now_ns;
	__u64 removed;
	__u32 flows; /* alive, of all sources */
	__u32 counts;
	struct fw_account *lost; /* NULL: no policy yet */
};

/* What the daemon reads back of the last run: entries removed. */
__u64 fw_swept __weak = 0;

/* Is the flow dead, seen from both sides? Then it is marked, so that a packet that comes
 * now does not revive what is about to be freed; a packet that was faster has changed the
 * expiry, and the flow lives.
 */
FW_INLINE int bury(struct fw_flow *flow, const struct fw_tuple *tuple, struct sweep *sweep)
{
	__u64 expires = READ_ONCE(flow->expires_ns);
	struct fw_flow *partner;
	struct fw_tuple key = {};

	if (expires > sweep->now_ns)
		return 0;
	partner_key(&key, flow, tuple);
	partner = flow_find(FW_ESTABLISHED, &key);
	if (partner && READ_ONCE(partner->expires_ns) > sweep->now_ns)
		return 0;
	return __sync_val_compare_and_swap(&flow->expires_ns, expires, 0) == expires;
}

/* Once for each flow, at its original direction. */
FW_INLINE void count_flow(const struct fw_flow *flow, const struct fw_tuple *tuple,
			  struct sweep *sweep)
{
	struct fw_source first = {.counted = 1}, *held;
	struct fw_addr source;

	if (!sweep->counts || !(flow->flags & FW_FLOW_ORIGINAL))
		return;
	sweep->flows++;
	source_of(&source, tuple);
	held = bpf_map_lookup_elem(&fw_sources, &source);
	if (held)
		held->counted++;
	else
		bpf_map_update_elem(&fw_sources, &source, &first, BPF_NOEXIST);
}

FW_INLINE void tuple_from4(struct fw_tuple *tuple, const struct fw_tuple4 *key)
{
	addr_from_ipv4(&tuple->src, key->src);
	tuple->proto = key->proto;
	tuple->family = FW_IPV4;
}

static long sweep4(struct bpf_map *map, const struct fw_tuple4 *key, struct fw_flow *flow,
		   struct sweep *sweep)
{
	struct fw_tuple tuple = {};

	tuple_from4(&tuple, key);
	if (!bury(flow, &tuple, sweep)) {
		count_flow(flow, &tuple, sweep);
		return 0;
	}
	bpf_map_delete_elem(map, key);
	sweep->removed++;
	return 0;
}

static long sweep6(struct bpf_map *map, const struct fw_tuple *key, struct fw_flow *flow,
		   struct sweep *sweep)
{
	if (!bury(flow, key, sweep)) {
		count_flow(flow, key, sweep);
		return 0;
	}
	bpf_map_delete_elem(map, key);
	sweep->removed++;
	return 0;
}

static long count4(struct bpf_map *map, const struct fw_tuple4 *key, struct fw_flow *flow,
		   struct sweep *sweep)
{
	struct fw_tuple tuple = {};

	(void)map;
	tuple_from4(&tuple, key);
	if (READ_ONCE(flow->expires_ns) > sweep->now_ns)
		count_flow(flow, &tuple, sweep);
	return 0;
}

static long count6(struct bpf_map *map, const struct fw_tuple *key, struct fw_flow *flow,
		   struct sweep *sweep)
{
	(void)map;
	if (READ_ONCE(flow->expires_ns) > sweep->now_ns)
		count_flow(flow, key, sweep);
	return 0;
}

static long begin(struct bpf_map *map, const struct fw_addr *source, struct fw_source *held,
		  struct sweep *sweep)
{
	(void)map;
	(void)source;
	(void)sweep;
	held->before = READ_ONCE(held->flows);
	held->counted = 0;
	return 0;
}

/* A flow that started meanwhile is in `flows`, and perhaps in `counted`, too: until the next
 * sweep its source holds one too many, never one too few.
 */
static long settle(struct bpf_map *map, const struct fw_addr *source, struct fw_source *held,
		   struct sweep *sweep)
{
	if (addr_is_zero(source))
		held->counted = sweep->flows;
	__sync_fetch_and_add(&held->flows, held->counted - held->before);
	if (!READ_ONCE(held->flows))
		bpf_map_delete_elem(map, source);
	return 0;
}

FW_INLINE int has_flow_limits(void)
{
	__u32 zero = 0;
	const struct fw_active *active = bpf_map_lookup_elem(&fw_active, &zero);
	const struct fw_generation *p;

	if (!active)
		return 0;
	p = &active->generation[READ_ONCE(active->current) & 1];
	return p->max_flows || p->max_per_source;
}

/* Where the fragments that never went on are counted: nobody knows their zones. */
FW_INLINE struct fw_account *lost_fragments(void)
{
	__u32 zero = 0;
	const struct fw_active *active = bpf_map_lookup_elem(&fw_active, &zero);

	if (!active || !(READ_ONCE(active->current) >> 1))
		return 0;
	return account_at(active->generation[READ_ONCE(active->current) & 1].denied +
			  FW_REASON_FRAGMENT);
}

static long sweep_held(struct bpf_map *map, const struct fw_held_key *key, struct fw_held *held,
		       struct sweep *sweep)
{
	__u32 length = held->length;

	if (held->expires_ns > sweep->now_ns || bpf_map_delete_elem(map, key) || !sweep->lost)
		return 0;
	/* A packet may interrupt this on the same CPU. */
	__sync_fetch_and_add(&sweep->lost->packets, 1);
	__sync_fetch_and_add(&sweep->lost->bytes, length);
	return 0;
}

SEC("syscall")
int fw_sweep(void *ctx)
{
	struct sweep sweep = {
		.now_ns = now_ns(), .counts = (__u32)has_flow_limits(), .lost = lost_fragments()};

	(void)ctx;
	if (sweep.counts)
		bpf_for_each_map_elem(&fw_sources, begin, &sweep, 0);
	bpf_for_each_map_elem(&fw_flows4, sweep4, &sweep, 0);
	bpf_for_each_map_elem(&fw_flows6, sweep6, &sweep, 0);
	if (sweep.counts) {
		bpf_for_each_map_elem(&fw_half4, count4, &sweep, 0);
		bpf_for_each_map_elem(&fw_half6, count6, &sweep, 0);
		bpf_for_each_map_elem(&fw_sources, settle, &sweep, 0);
	}
	bpf_for_each_map_elem(&fw_held, sweep_held, &sweep, 0);
	fw_swept = sweep.removed;
	fw_now_ns = sweep.now_ns;
	return 0;
}

char LICENSE[] SEC("license") __weak = "Dual BSD/GPL";
