/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the stages need of an XDP frame. ctx_tc.h gives the same names for an skb. */
#pragma once

#include "bpf/lib/csum.h"
#include "bpf/lib/packet.h"
#include "maps/topology.h"

typedef struct xdp_md fw_ctx;

#define CTX_IS_XDP 1
#define CTX_SHARED(name) FW_SHARED int fw_xdp_##name
#define CTX_CALL(name) fw_xdp_##name

#include "bpf/lib/ctx.h"

/* The length of the frame without its later fragments; see ctx_has_more. */
FW_INLINE __u32 ctx_len(fw_ctx *ctx)
{
	return (__u32)(ctx_data_end(ctx) - ctx_data(ctx));
}

/* Headers are always in the first buffer of a frame. */
FW_INLINE void ctx_pull(fw_ctx *ctx, __u32 len)
{
	(void)ctx;
	(void)len;
}

FW_INLINE int ctx_load(fw_ctx *ctx, __u32 off, void *to, __u32 len)
{
	return !bpf_xdp_load_bytes(ctx, off, to, len);
}

FW_INLINE int ctx_store(fw_ctx *ctx, __u32 off, const void *from, __u32 len)
{
	return !bpf_xdp_store_bytes(ctx, off, (void *)from, len);
}

/* Does the frame have bytes beyond data_end (a frame of several buffers)? */
FW_INLINE int ctx_has_more(fw_ctx *ctx)
{
	return bpf_xdp_get_buff_len(ctx) > ctx_len(ctx);
}

FW_INLINE __u32 ctx_packets(const fw_ctx *ctx)
{
	(void)ctx;
	return 1;
}

FW_INLINE int ctx_is_gso(const fw_ctx *ctx)
{
	(void)ctx;
	return 0;
}

FW_INLINE int ctx_segments_fit(fw_ctx *ctx, __u32 ifindex)
{
	(void)ctx;
	(void)ifindex;
	return 1;
}

/* A frame from a wire has none. */
FW_INLINE __u32 ctx_mark(const fw_ctx *ctx)
{
	(void)ctx;
	return 0;
}

/* A VLAN tag is part of the frame. */
FW_INLINE int ctx_took_tag(const fw_ctx *ctx)
{
	(void)ctx;
	return 0;
}

FW_INLINE void ctx_taken_tag(const fw_ctx *ctx, struct fw_vlan *vlan)
{
	(void)ctx;
	(void)vlan;
}

/* Updates a finished checksum at l4_off + check. A UDP checksum of 0 means "none" and
 * stays; one that becomes 0 is written as 0xffff (RFC 768).
 */
FW_INLINE int ctx_update_csum(fw_ctx *ctx, __u32 l4_off, __u32 check, __u32 addr_csum,
			      __u32 port_csum, int udp)
{
	__u16 *field = ctx_data(ctx) + (l4_off & 0x1ff) + check;

	if ((void *)(field + 1) > ctx_data_end(ctx))
		return 0;
	if (udp && !*field)
		return 1;
	*field = csum_apply(*field, addr_csum + port_csum);
	if (udp && !*field)
		*field = 0xffff;
	return 1;
}

FW_INLINE enum fw_verdict ctx_send(fw_ctx *ctx, struct fw_pkt *pkt, const struct fw_hop *hop)
{
	(void)ctx;
	pkt->action = (__s32)bpf_redirect(hop->ifindex, 0);
	return FW_SEND;
}

FW_INLINE __u64 sum_address(const struct fw_addr *addr, const enum fw_family family)
{
	__u64 sum = addr->w[3];

	if (family == FW_IPV6)
		sum += (__u64)addr->w[0] + addr->w[1] + addr->w[2];
	return sum;
}

/* Did the sender leave the checksum to its NIC (CHECKSUM_PARTIAL)? A frame from another
 * kernel over veth or virtio may come like that, and XDP is not told. But the field then
 * holds the folded pseudo-header sum. A finished checksum that equals it by chance (one in
 * 65,536) only takes the way through TC.
 */
FW_INLINE int ctx_is_unfinished(fw_ctx *ctx, const struct fw_pkt *pkt, const enum fw_family family)
{
	__u32 check = pkt->tuple.proto == IPPROTO_TCP ? 16 : 6;
	const __u16 *field = ctx_data(ctx) + (pkt->l4_off & 0x1ff) + check;
	__u32 length = pkt->l3_len + ETH_HEADER - pkt->l4_off;

	if ((pkt->tuple.proto != IPPROTO_TCP && pkt->tuple.proto != IPPROTO_UDP) ||
	    !has_transport(pkt))
		return 0;
	if ((void *)(field + 1) > ctx_data_end(ctx))
		return 1;
	return *field == csum_fold(sum_address(&pkt->tuple.src, family) +
				   sum_address(&pkt->tuple.dst, family) +
				   bpf_htonl(pkt->tuple.proto) + bpf_htonl(length));
}
