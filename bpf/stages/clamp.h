/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* clamp: TCP segments that fit the links on both sides.
 *
 * A SYN and its answer say how large a segment the sender takes (MSS). Where the link they
 * go out by, or came in by, is smaller, the value is lowered to it (RFC 4459 section 3.3),
 * so a connection works also where ICMP errors, and with them path MTU discovery, are lost.
 */
#pragma once

#include "bpf/lib/csum.h"
#include "bpf/lib/options.h"
#include "bpf/lib/packet.h"
#include "bpf/maps.bpf.h"

#define TCP_HEADER 20u
#define TCP_MSS_LENGTH 4

/* Returns the length of the options, which it reads. */
FW_INLINE __u32 read_tcp_options(fw_ctx *ctx, __u32 l4_off, struct fw_options *to)
{
	const __u8 *tcp = ctx_data(ctx) + (l4_off & 0x1ff);
	__u32 length;

	if ((void *)(tcp + TCP_HEADER) > ctx_data_end(ctx))
		return 0;
	length = (tcp[12] >> 4) * 4u - TCP_HEADER;
	if (!length || length > FW_OPTIONS_BYTES ||
	    !ctx_load(ctx, l4_off + TCP_HEADER, to->bytes, length))
		return 0;
	return length;
}

/* Returns 0 where the packet could not be written to. */
CTX_SHARED(lower_mss)(fw_ctx *ctx, __u32 l4_off, __u32 limit)
{
	__u32 zero = 0, length, at, change;
	struct fw_scratch *s = bpf_map_lookup_elem(&fw_scratch, &zero);
	__be16 now, wanted = bpf_htons((__u16)limit);

	if (!s)
		return 0;
	length = read_tcp_options(ctx, l4_off, &s->options);
	at = fw_find_option(&s->options, length, TCP_OPTION_MSS);
	if (at > FW_OPTIONS_BYTES - TCP_MSS_LENGTH || at + TCP_MSS_LENGTH > length ||
	    s->options.bytes[at + 1] != TCP_MSS_LENGTH)
		return 1;
	now = bpf_htons((__u16)(s->options.bytes[at + 2] << 8 | s->options.bytes[at + 3]));
	if (bpf_ntohs(now) <= limit)
		return 1;
	change = csum_fold(csum_change16(now, wanted));
	if (at & 1) /* its bytes are of two words of the sum */
		change = __builtin_bswap16((__u16)change);
	return ctx_store(ctx, l4_off + TCP_HEADER + at + 2, &wanted, sizeof(wanted)) &&
	       ctx_update_csum(ctx, l4_off, TCP_CHECK_OFFSET, 0, change, 0);
}

/* The MTU of the smaller link; 0: unknown. */
FW_INLINE __u32 smaller_mtu(const struct fw_pkt *pkt)
{
	const struct fw_iface *in = bpf_map_lookup_elem(&fw_ifaces, &pkt->ifindex);
	__u32 mtu = pkt->flow->hop.mtu;

	return in && (!mtu || in->mtu < mtu) ? in->mtu : mtu;
}

FW_INLINE enum fw_verdict clamp(fw_ctx *ctx, struct fw_pkt *pkt, const enum fw_family family)
{
	const __u32 headers = TCP_HEADER + (__u32)(family == FW_IPV4 ? sizeof(struct iphdr)
								     : sizeof(struct ipv6hdr));
	__u32 mtu;

	if (!(pkt->tcp_flags & FW_TCP_SYN) || pkt->flow->action != FW_FORWARD ||
	    pkt->flow->flags & FW_FLOW_SWITCHED)
		return FW_NEXT;
	mtu = smaller_mtu(pkt);
	if (mtu <= headers || CTX_CALL(lower_mss)(ctx, pkt->l4_off, mtu - headers))
		return FW_NEXT;
	return drop(pkt, FW_REASON_INTERNAL);
}
