/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the stages need of an skb. ctx_xdp.h gives the same names for an XDP frame. */
#pragma once

#include "bpf/lib/csum.h"
#include "bpf/lib/packet.h"
#include "maps/topology.h"

typedef struct __sk_buff fw_ctx;

#define CTX_IS_XDP 0
#define CTX_SHARED(name) FW_SHARED int fw_tc_##name
#define CTX_CALL(name) fw_tc_##name

#include "bpf/lib/ctx.h"

FW_INLINE __u32 ctx_len(fw_ctx *ctx)
{
	return ctx->len;
}

/* Makes the first `len` bytes readable through ctx_data(), as far as there are any. */
FW_INLINE void ctx_pull(fw_ctx *ctx, __u32 len)
{
	if (len > ctx->len)
		len = ctx->len;
	if (ctx_data(ctx) + len > ctx_data_end(ctx))
		bpf_skb_pull_data(ctx, len);
}

FW_INLINE int ctx_load(fw_ctx *ctx, __u32 off, void *to, __u32 len)
{
	return !bpf_skb_load_bytes(ctx, off, to, len);
}

FW_INLINE int ctx_store(fw_ctx *ctx, __u32 off, const void *from, __u32 len)
{
	return !bpf_skb_store_bytes(ctx, off, from, len, 0);
}

FW_INLINE int ctx_has_more(fw_ctx *ctx)
{
	(void)ctx;
	return 0;
}

/* How many packets the wire sees: a GSO packet is cut up later. */
FW_INLINE __u32 ctx_packets(const fw_ctx *ctx)
{
	return ctx->gso_segs ? ctx->gso_segs : 1;
}

FW_INLINE int ctx_is_gso(const fw_ctx *ctx)
{
	return ctx->gso_size != 0;
}

/* A GSO packet must be cut into packets that fit the link they leave by. */
FW_INLINE int ctx_segments_fit(fw_ctx *ctx, __u32 ifindex)
{
	__u32 mtu = 0;

	return bpf_check_mtu(ctx, ifindex, &mtu, 0, BPF_MTU_CHK_SEGS) !=
	       BPF_MTU_CHK_RET_SEGS_TOOBIG;
}

FW_INLINE __u32 ctx_mark(const fw_ctx *ctx)
{
	return ctx->mark;
}

/* Has the outer VLAN tag moved from the frame to the skb? So it has wherever a driver or the
 * stack has seen the frame before; an inner one has not.
 */
FW_INLINE int ctx_took_tag(const fw_ctx *ctx)
{
	return ctx->vlan_present != 0;
}

FW_INLINE void ctx_taken_tag(const fw_ctx *ctx, struct fw_vlan *vlan)
{
	vlan->protocol = (__be16)ctx->vlan_proto;
	vlan->id = ctx->vlan_tci & VLAN_ID_MASK;
}

/* The kernel's helper knows whether the checksum is finished, unfinished (only the
 * pseudo-header counts then, so ports must not) or verified by the NIC, and keeps a UDP
 * checksum of 0.
 */
FW_INLINE int ctx_update_csum(fw_ctx *ctx, __u32 l4_off, __u32 check, __u32 addr_csum,
			      __u32 port_csum, int udp)
{
	__u64 flags = udp ? BPF_F_MARK_MANGLED_0 : 0;

	if (addr_csum &&
	    bpf_l4_csum_replace(ctx, l4_off + check, 0, addr_csum, flags | BPF_F_PSEUDO_HDR))
		return 0;
	return !port_csum || !bpf_l4_csum_replace(ctx, l4_off + check, 0, port_csum, flags);
}

FW_INLINE enum fw_verdict ctx_send(fw_ctx *ctx, struct fw_pkt *pkt, const struct fw_hop *hop)
{
	if (hop->flags & FW_HOP_BRIDGE)
		return FW_PASS;
	if (hop->flags & FW_HOP_PEER) {
		/* A frame for another port of its bridge is "for another host" until here. */
		if (ctx->pkt_type != PACKET_HOST)
			bpf_skb_change_type(ctx, PACKET_HOST);
		pkt->action = (__s32)bpf_redirect_peer(hop->ifindex, 0);
	} else if (hop->flags & FW_HOP_RESOLVE) {
		pkt->action = (__s32)bpf_redirect_neigh(hop->ifindex, 0, 0, 0);
	} else {
		pkt->action = (__s32)bpf_redirect(hop->ifindex, 0);
	}
	return FW_SEND;
}

/* An unfinished checksum is no obstacle here: see ctx_update_csum. */
FW_INLINE int ctx_is_unfinished(fw_ctx *ctx, const struct fw_pkt *pkt, const enum fw_family family)
{
	(void)ctx;
	(void)pkt;
	(void)family;
	return 0;
}
