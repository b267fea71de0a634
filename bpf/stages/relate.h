/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* relate: which flow is this ICMP error about?
 *
 * Runs at TC only. An error travels with the answers of the packet that it quotes, so the
 * flow is found under the reverse of the quoted tuple. The error is translated as that
 * flow's packets are, outside and inside (RFC 5508 section 4, RFC 5382 REQ-4): outer
 * destination, quoted addresses and ports, and every checksum that covers them. An error
 * about nothing that fwd knows is dropped.
 */
#pragma once

#include "bpf/stages/admit.h"

/* The quoted packet's offsets, from the start of the frame. */
struct fw_quote {
	__u32 ip_off;
	__u32 l4_off;
};

FW_INLINE void quote_ports(struct fw_tuple *quoted, const __u8 *l4, __u8 proto, __u8 request,
			   __u8 reply)
{
	const __be16 *words = (const __be16 *)l4;

	quoted->proto = proto;
	if (proto == IPPROTO_TCP || proto == IPPROTO_UDP) {
		quoted->sport = words[0];
		quoted->dport = words[1];
	} else if (l4[0] == request) {
		quoted->sport = words[2];
	} else if (l4[0] == reply) {
		quoted->dport = words[2];
	}
}

/* Reads the quoted headers; 8 bytes of its transport header suffice (RFC 792). */
FW_INLINE int read_quote(fw_ctx *ctx, const struct fw_pkt *pkt, struct fw_tuple *quoted,
			 struct fw_quote *at)
{
	void *data = ctx_data(ctx), *end = ctx_data_end(ctx);
	const __u8 *l4;

	at->ip_off = (pkt->l4_off & 0x1ff) + 8u;
	__builtin_memset(quoted, 0, sizeof(*quoted));
	quoted->family = pkt->family;
	if (pkt->family == FW_IPV4) {
		const struct iphdr *ip = data + at->ip_off;
		__u32 header;

		if ((void *)(ip + 1) > end || ip->version != 4 || ip->ihl < 5)
			return 0;
		header = ip->ihl * 4u;
		at->l4_off = at->ip_off + header;
		l4 = data + at->ip_off + (header & 0x3c);
		if ((void *)(l4 + 8) > end || ip->frag_off & bpf_htons(IP_OFFSET_MASK))
			return 0;
		addr_from_ipv4(&quoted->src, ip->saddr);
		addr_from_ipv4(&quoted->dst, ip->daddr);
		quote_ports(quoted, l4, ip->protocol, ICMP_ECHO, ICMP_ECHOREPLY);
	} else {
		const struct ipv6hdr *ip = data + at->ip_off;
		__u8 proto;

		l4 = (const __u8 *)(ip + 1);
		if ((void *)(l4 + 8) > end || ip->version != 6)
			return 0;
		at->l4_off = at->ip_off + sizeof(*ip);
		__builtin_memcpy(&quoted->src, &ip->saddr, sizeof(quoted->src));
		__builtin_memcpy(&quoted->dst, &ip->daddr, sizeof(quoted->dst));
		proto = ip->nexthdr;
		if (proto == IPPROTO_FRAGMENT) { /* only a first one has ports */
			if (l4[2] || l4[3] & 0xf8 || (void *)(l4 + 16) > end)
				return 0;
			proto = l4[0];
			l4 += 8;
			at->l4_off += 8;
		}
		proto = proto == IPPROTO_ICMPV6 ? IPPROTO_ICMP : proto;
		quote_ports(quoted, l4, proto, ICMPV6_ECHO_REQUEST, ICMPV6_ECHO_REPLY);
	}
	return 1;
}

/* Replaces 2 bytes that the ICMP checksum covers, and keeps it true. */
FW_INLINE int put16(fw_ctx *ctx, __u32 check_off, __u32 off, __u16 to)
{
	__u16 from;

	if (bpf_skb_load_bytes(ctx, off, &from, sizeof(from)))
		return 0;
	if (from == to)
		return 1;
	return !bpf_skb_store_bytes(ctx, off, &to, sizeof(to), 0) &&
	       !bpf_l4_csum_replace(ctx, check_off, from, to, sizeof(to));
}

FW_INLINE int put_address(fw_ctx *ctx, __u32 check_off, __u32 off, const struct fw_addr *to,
			  __u8 family)
{
	const __u16 *words = (const __u16 *)to;

	if (family == FW_IPV4)
		return put16(ctx, check_off, off, words[6]) &&
		       put16(ctx, check_off, off + 2, words[7]);
	for (__u32 i = 0; i < 8; i++)
		if (!put16(ctx, check_off, off + i * 2, words[i]))
			return 0;
	return 1;
}

/* Changes a checksum inside the quoted packet by what its addresses and ports changed. */
FW_INLINE int put_quoted_csum(fw_ctx *ctx, __u32 check_off, __u32 off, __u32 change, int udp)
{
	__u16 field;

	/* The quotation may end before it. */
	if (bpf_skb_load_bytes(ctx, off, &field, sizeof(field)) || (udp && !field))
		return 1;
	field = csum_apply(field, change);
	return put16(ctx, check_off, off, udp && !field ? 0xffff : field);
}

/* The quoted packet went the other way: what the flow does to a packet, reversed, and
 * the changes of its checksums are the same sums.
 */
FW_INLINE int rewrite_quote(fw_ctx *ctx, const struct fw_pkt *pkt, const struct fw_flow *flow,
			    const struct fw_quote *at, __u8 proto)
{
	__u32 check = pkt->l4_off + ICMP_CHECK_OFFSET;
	__u32 change = flow->addr_csum + flow->port_csum;

	if (pkt->family == FW_IPV4) {
		if (!put_address(ctx, check, at->ip_off + 12, &flow->dst, FW_IPV4) ||
		    !put_address(ctx, check, at->ip_off + 16, &flow->src, FW_IPV4) ||
		    !put_quoted_csum(ctx, check, at->ip_off + 10, flow->addr_csum, 0))
			return 0;
	} else if (!put_address(ctx, check, at->ip_off + 8, &flow->dst, FW_IPV6) ||
		   !put_address(ctx, check, at->ip_off + 24, &flow->src, FW_IPV6)) {
		return 0;
	}
	if (proto == IPPROTO_ICMP)
		return put16(ctx, check, at->l4_off + ICMP_ID_OFFSET, flow->sport | flow->dport) &&
		       put_quoted_csum(ctx, check, at->l4_off + ICMP_CHECK_OFFSET,
				       pkt->family == FW_IPV6 ? change : flow->port_csum, 0);
	if (proto != IPPROTO_TCP && proto != IPPROTO_UDP)
		return 1;
	if (!put16(ctx, check, at->l4_off, flow->dport) ||
	    !put16(ctx, check, at->l4_off + 2, flow->sport))
		return 0;
	if (proto == IPPROTO_UDP)
		return put_quoted_csum(ctx, check, at->l4_off + UDP_CHECK_OFFSET, change, 1);
	return put_quoted_csum(ctx, check, at->l4_off + TCP_CHECK_OFFSET, change, 0);
}

/* Writes one outer address; both families' checksums that cover it follow. */
FW_INLINE int rewrite_outer(fw_ctx *ctx, const struct fw_pkt *pkt, __u32 off,
			    const struct fw_addr *from, const struct fw_addr *to)
{
	__u64 sum = 0;

	if (addr_equal(from, to))
		return 1;
	for (int i = 0; i < 4; i++)
		sum += (__u64)(__u32)~from->w[i] + to->w[i];
	if (pkt->family == FW_IPV4)
		return !bpf_skb_store_bytes(ctx, off, &to->w[3], 4, 0) &&
		       !bpf_l3_csum_replace(ctx, ETH_HEADER + 10, 0, csum_fold(sum), 0);
	return !bpf_skb_store_bytes(ctx, off, to, 16, 0) &&
	       !bpf_l4_csum_replace(ctx, pkt->l4_off + ICMP_CHECK_OFFSET, 0, csum_fold(sum),
				    BPF_F_PSEUDO_HDR);
}

FW_INLINE int lower_ttl(fw_ctx *ctx, __u8 family)
{
	__u8 *data = ctx_data(ctx);

	if ((void *)(data + ETH_HEADER + 20) > ctx_data_end(ctx))
		return 0;
	if (family == FW_IPV6) {
		data[ETH_HEADER + 7]--;
		return 1;
	}
	data[ETH_HEADER + 8]--;
	*(__u16 *)(data + ETH_HEADER + 10) =
		csum_apply(*(__u16 *)(data + ETH_HEADER + 10), csum_change16(bpf_htons(0x0100), 0));
	return 1;
}

FW_INLINE int rewrite_error(fw_ctx *ctx, struct fw_pkt *pkt, const struct fw_tuple *answer,
			    const struct fw_quote *at)
{
	const struct fw_flow *flow = pkt->flow;
	__u32 src_off = ETH_HEADER + (pkt->family == FW_IPV4 ? 12 : 8);
	__u32 dst_off = ETH_HEADER + (pkt->family == FW_IPV4 ? 16 : 24);

	if (flow->action == FW_FORWARD && !(flow->flags & FW_FLOW_SWITCHED) &&
	    !lower_ttl(ctx, pkt->family))
		return 0;
	if (!(flow->flags & FW_FLOW_REWRITE))
		return 1;
	if (!rewrite_quote(ctx, pkt, flow, at, answer->proto))
		return 0;
	/* From the far end itself: it has the address that its packets have. From a router
	 * in between: its own.
	 */
	if (addr_equal(&pkt->tuple.src, &answer->src) &&
	    !rewrite_outer(ctx, pkt, src_off, &pkt->tuple.src, &flow->src))
		return 0;
	return rewrite_outer(ctx, pkt, dst_off, &pkt->tuple.dst, &flow->dst);
}

FW_OUTLINE int relate_error(fw_ctx *ctx, struct fw_pkt *pkt)
{
	__u32 zero = 0;
	struct fw_scratch *s = bpf_map_lookup_elem(&fw_scratch, &zero);
	struct fw_quote at = {};

	if (!s)
		return (int)drop(pkt, FW_REASON_INTERNAL);
	if (pkt->origin == FW_FROM_HOST || is_own_answer(ctx, pkt))
		return FW_UP; /* this host's own errors, and those that were judged already */
	ctx_pull(ctx, HEADERS_MAX + 80);
	if (!read_quote(ctx, pkt, &s->translated, &at))
		return (int)drop(pkt, FW_REASON_MALFORMED);
	tuple_reverse(&s->answer, &s->translated);
	pkt->flow = flow_find(FW_ESTABLISHED, &s->answer);
	if (!pkt->flow)
		pkt->flow = flow_find(FW_HALF_OPEN, &s->answer);
	if (!pkt->flow || pkt->flow->origin != pkt->origin ||
	    pkt->flow->generation != generation_of(pkt))
		return (int)drop(pkt, FW_REASON_INVALID_STATE);
	pkt->account = pkt->flow->account;
	if (pkt->flow->action == FW_FORWARD) {
		if (pkt->ttl <= 1 && !(pkt->flow->flags & FW_FLOW_SWITCHED))
			return (int)drop(pkt,
					 FW_REASON_INVALID_STATE); /* no error about an error */
		if (hop_is_stale(pkt, pkt->flow)) {
			s->search = s->answer;
			if (!reroute(ctx, pkt))
				return (int)drop(pkt, FW_REASON_NO_ROUTE);
			s->answer = s->search;
		}
	}
	if (!rewrite_error(ctx, pkt, &s->answer, &at))
		return (int)drop(pkt, FW_REASON_INTERNAL);
	return FW_NEXT;
}
