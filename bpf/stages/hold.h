/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* hold: a later fragment that came before its first.
 *
 * Runs at TC only, where packets come in. Nothing is known of such a fragment, so it waits
 * in a map; the first one, when it comes, arrives at the interface once more with those
 * that waited behind it, and each is judged then. What waits in vain is counted as
 * FRAGMENT by the sweep. Why not the kernel's reassembly: docs/decisions/0017.
 */
#pragma once

#include "bpf/stages/fragment.h"

/* The network reorders within milliseconds. */
#define HOLD_NS (1000ull * 1000 * 1000)

FW_INLINE int put_into_slot(struct fw_scratch *s)
{
	for (__u32 slot = 0; slot < FW_HELD_SLOTS; slot++) {
		s->held_key.slot = slot;
		if (!bpf_map_update_elem(&fw_held, &s->held_key, &s->held, BPF_NOEXIST))
			return 1;
	}
	return 0;
}

FW_OUTLINE int hold(fw_ctx *ctx, struct fw_pkt *pkt)
{
	struct fw_scratch *s = scratch();
	__u32 length = ctx->len;
	enum fw_verdict verdict;

	/* The stack sends them in order. */
	if (!s || pkt->origin == FW_FROM_HOST || !length || length > FW_HELD_BYTES ||
	    bpf_skb_load_bytes(ctx, 0, s->held.frame, length))
		return (int)drop(pkt, FW_REASON_FRAGMENT);
	s->held.length = length;
	s->held.expires_ns = pkt->now_ns + HOLD_NS;
	held_key(s, pkt);
	if (!put_into_slot(s))
		return (int)drop(pkt, FW_REASON_FRAGMENT);
	/* The first one may have come meanwhile, on another CPU, and found nothing. */
	verdict = follow_first(pkt);
	if (verdict != FW_HELD && !bpf_map_delete_elem(&fw_held, &s->held_key))
		return (int)verdict;
	return FW_HELD;
}

struct release {
	fw_ctx *ctx;
	struct fw_scratch *s;
	__u64 now_ns;
};

/* Makes the packet a copy of a held one. */
FW_INLINE int become(fw_ctx *ctx, const struct fw_held *held)
{
	__u32 length = held->length;

	if (!length || length > FW_HELD_BYTES)
		return 0;
	return !bpf_skb_change_tail(ctx, length, 0) &&
	       !bpf_skb_store_bytes(ctx, 0, held->frame, length, BPF_F_RECOMPUTE_CSUM);
}

static long release_slot(__u32 slot, struct release *r)
{
	struct fw_held *held;

	r->s->held_key.slot = slot;
	held = bpf_map_lookup_elem(&fw_held, &r->s->held_key);
	if (!held)
		return 0;
	if (held->expires_ns > r->now_ns && become(r->ctx, held))
		bpf_clone_redirect(r->ctx, r->ctx->ifindex, BPF_F_INGRESS);
	bpf_map_delete_elem(&fw_held, &r->s->held_key);
	return 0;
}

/* What the interface receives by bpf_clone_redirect waits in the CPU's queue, in order,
 * until this packet is done with.
 */
FW_OUTLINE int release(fw_ctx *ctx, struct fw_pkt *pkt)
{
	struct release r = {.ctx = ctx, .s = scratch(), .now_ns = pkt->now_ns};

	if (!r.s || pkt->origin == FW_FROM_HOST)
		return FW_NEXT;
	held_key(r.s, pkt);
	if (!bpf_map_lookup_elem(&fw_held, &r.s->held_key) ||
	    bpf_clone_redirect(ctx, ctx->ifindex, BPF_F_INGRESS))
		return FW_NEXT;
	bpf_loop(FW_HELD_SLOTS, release_slot, &r, 0);
	return FW_HELD;
}
