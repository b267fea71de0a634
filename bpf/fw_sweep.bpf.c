/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* sweep: frees the memory of flows whose time is over, and counts the fragments that waited
 * for their first in vain. The daemon runs it now and then; correctness never waits for it,
 * because an expired entry is already a miss.
 *
 * The half-open tables need no sweep: they are preallocated and push out their oldest.
 */
#include "bpf/lib/account.h"
#include "bpf/lib/clock.h"
#include "bpf/lib/tuple.h"
#include "bpf/lib/packet.h"

struct bpf_map;

struct sweep {
	__u64 now_ns;
	__u64 removed;
	struct fw_account *lost; /* NULL: no policy yet */
};

/* What the daemon reads back of the last run: entries removed, and the time it was. */
__u64 fw_swept __weak = 0;
__u64 fw_now_ns __weak = 0;

/* Is the flow dead, seen from both sides? Then it is marked, so that a packet that comes
 * now does not revive what is about to be freed; a packet that was faster has changed the
 * expiry, and the flow lives.
 */
FW_INLINE int bury(struct fw_flow *flow, __u8 proto, __u8 family, struct sweep *sweep)
{
	struct fw_tuple tuple = {.proto = proto, .family = family}, key = {};
	__u64 expires = READ_ONCE(flow->expires_ns);
	struct fw_flow *partner;

	if (expires > sweep->now_ns)
		return 0;
	partner_key(&key, flow, &tuple);
	partner = flow_find(FW_ESTABLISHED, &key);
	if (partner && READ_ONCE(partner->expires_ns) > sweep->now_ns)
		return 0;
	return __sync_val_compare_and_swap(&flow->expires_ns, expires, 0) == expires;
}

static long sweep4(struct bpf_map *map, const struct fw_tuple4 *key, struct fw_flow *flow,
		   struct sweep *sweep)
{
	if (!bury(flow, key->proto, FW_IPV4, sweep))
		return 0;
	bpf_map_delete_elem(map, key);
	sweep->removed++;
	return 0;
}

static long sweep6(struct bpf_map *map, const struct fw_tuple *key, struct fw_flow *flow,
		   struct sweep *sweep)
{
	if (!bury(flow, key->proto, FW_IPV6, sweep))
		return 0;
	bpf_map_delete_elem(map, key);
	sweep->removed++;
	return 0;
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
	struct sweep sweep = {.now_ns = now_ns(), .lost = lost_fragments()};

	(void)ctx;
	bpf_for_each_map_elem(&fw_flows4, sweep4, &sweep, 0);
	bpf_for_each_map_elem(&fw_flows6, sweep6, &sweep, 0);
	bpf_for_each_map_elem(&fw_held, sweep_held, &sweep, 0);
	fw_swept = sweep.removed;
	fw_now_ns = sweep.now_ns;
	return 0;
}

char LICENSE[] SEC("license") __weak = "Dual BSD/GPL";
