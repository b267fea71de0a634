/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* parse: what is this packet?
 *
 * Fills the parse group of struct fw_pkt. Ends with FW_UP for what is not IP, and drops
 * as MALFORMED what is truncated, contradicts itself, or hides its transport header
 * behind more than it cares to follow.
 */
#pragma once

#include "bpf/lib/tuple.h"

#define IPV6_EXTENSIONS_MAX 6
/* Ethernet, the longest IPv4 header or IPv6 with a few extensions, and TCP. */
#define HEADERS_MAX 128u

#define IP_DONT_FRAGMENT 0x4000
#define IP_MORE_FRAGMENTS 0x2000
#define IP_OFFSET_MASK 0x1fff

FW_INLINE enum fw_verdict parse_icmp(struct fw_pkt *pkt, const __u8 *icmp, __u8 request, __u8 reply)
{
	__be16 id = *(const __be16 *)(icmp + 4);

	pkt->icmp_type = icmp[0];
	pkt->tuple.proto = IPPROTO_ICMP;
	if (pkt->flags & (FW_PKT_ICMP_ERROR | FW_PKT_NEIGHBOUR))
		return FW_NEXT;
	if (icmp[0] == request) {
		pkt->flags |= FW_PKT_PING;
		pkt->tuple.sport = id;
	} else if (icmp[0] == reply) {
		pkt->tuple.dport = id;
	} else {
		pkt->tuple.proto = IPPROTO_RAW;
	}
	return FW_NEXT;
}

/* RFC 792 and 1812: errors quote the packet they are about. Redirect (5) is not among
 * them: nobody on the wire tells this machine where to send.
 */
FW_INLINE int icmp4_is_error(__u8 type)
{
	return type == ICMP_DEST_UNREACH || type == ICMP_TIME_EXCEEDED ||
	       type == ICMP_PARAMETERPROB;
}

/* RFC 4443: types below 128. */
FW_INLINE int icmp6_is_error(__u8 type)
{
	return type < 128;
}

/* Router and neighbour discovery (RFC 4861; not Redirect, 137) and multicast listeners
 * (RFC 2710, 3810).
 */
FW_INLINE int icmp6_is_neighbour(__u8 type)
{
	return (type >= 130 && type <= 136) || type == 143;
}

FW_INLINE enum fw_verdict parse_transport(fw_ctx *ctx, struct fw_pkt *pkt, __u8 proto,
					  const enum fw_family family)
{
	void *end = ctx_data_end(ctx);
	__u8 *l4 = ctx_data(ctx) + (pkt->l4_off & 0x1ff);
	/* Behind what the IP header announces is padding. */
	__u32 from = pkt->l4_off, until = pkt->l3_len + ETH_HEADER;

	pkt->tuple.proto = proto;
	if (proto == IPPROTO_TCP) {
		const struct tcphdr *tcp = (void *)l4;

		if ((void *)(tcp + 1) > end || tcp->doff < 5 || from + tcp->doff * 4u > until)
			return drop(pkt, FW_REASON_MALFORMED);
		*(__u32 *)&pkt->tuple.sport = *(const __u32 *)l4;
		pkt->tcp_flags = l4[13];
		return FW_NEXT;
	}
	if (proto == IPPROTO_UDP) {
		const struct udphdr *udp = (void *)l4;

		if ((void *)(udp + 1) > end)
			return drop(pkt, FW_REASON_MALFORMED);
		if (bpf_ntohs(udp->len) < sizeof(*udp) || from + bpf_ntohs(udp->len) > until)
			return drop(pkt, FW_REASON_MALFORMED);
		*(__u32 *)&pkt->tuple.sport = *(const __u32 *)l4;
		return FW_NEXT;
	}
	if (family == FW_IPV4 && proto == IPPROTO_ICMP) {
		if ((void *)(l4 + 8) > end || from + 8 > until)
			return drop(pkt, FW_REASON_MALFORMED);
		if (icmp4_is_error(l4[0]))
			pkt->flags |= FW_PKT_ICMP_ERROR;
		return parse_icmp(pkt, l4, ICMP_ECHO, ICMP_ECHOREPLY);
	}
	if (family == FW_IPV6 && proto == IPPROTO_ICMPV6) {
		if ((void *)(l4 + 8) > end || from + 8 > until)
			return drop(pkt, FW_REASON_MALFORMED);
		if (icmp6_is_error(l4[0]))
			pkt->flags |= FW_PKT_ICMP_ERROR;
		if (icmp6_is_neighbour(l4[0]))
			pkt->flags |= FW_PKT_NEIGHBOUR;
		return parse_icmp(pkt, l4, ICMPV6_ECHO_REQUEST, ICMPV6_ECHO_REPLY);
	}
	return FW_NEXT; /* no ports: only a rule for every protocol allows it */
}

FW_INLINE enum fw_verdict parse_ipv4(fw_ctx *ctx, struct fw_pkt *pkt)
{
	const struct iphdr *ip = ctx_data(ctx) + ETH_HEADER;
	__u32 header;

	if ((void *)(ip + 1) > ctx_data_end(ctx))
		return drop(pkt, FW_REASON_MALFORMED);
	header = ip->ihl * 4u;
	pkt->l3_len = bpf_ntohs(ip->tot_len);
	if (ip->version != 4 || header < sizeof(*ip) || pkt->l3_len < header ||
	    (pkt->l3_len + ETH_HEADER > pkt->frame_len && !ctx_has_more(ctx)))
		return drop(pkt, FW_REASON_MALFORMED);

	addr_from_ipv4(&pkt->tuple.src, ip->saddr);
	addr_from_ipv4(&pkt->tuple.dst, ip->daddr);
	pkt->ttl = ip->ttl;
	pkt->l4_off = (__u16)(ETH_HEADER + header);
	if (ip->frag_off & bpf_htons(IP_MORE_FRAGMENTS | IP_OFFSET_MASK)) {
		pkt->flags |= FW_PKT_FRAGMENT;
		pkt->tuple.proto = ip->protocol;
		return FW_NEXT;
	}
	return parse_transport(ctx, pkt, ip->protocol, FW_IPV4);
}

/* Walks the extension headers from pkt->l4_off. Returns the transport protocol with
 * pkt->l4_off moved to its header, or -1. Sets FW_PKT_FRAGMENT at a fragment header.
 */
FW_OUTLINE int skip_extensions(fw_ctx *ctx, struct fw_pkt *pkt, __u32 next)
{
	__u32 off = pkt->l4_off;

	for (int i = 0; i < IPV6_EXTENSIONS_MAX; i++) {
		const __u8 *header = ctx_data(ctx) + (off & 0x1ff);

		if (next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING && next != IPPROTO_DSTOPTS &&
		    next != IPPROTO_FRAGMENT) {
			pkt->l4_off = (__u16)off;
			return (int)next;
		}
		if ((void *)(header + 8) > ctx_data_end(ctx))
			return -1;
		if (next == IPPROTO_FRAGMENT) {
			pkt->flags |= FW_PKT_FRAGMENT;
			return header[0];
		}
		next = header[0];
		off += (header[1] + 1u) * 8;
		if (off > 256)
			return -1;
	}
	return -1;
}

/* In words as wide as the hash table loads them (see to_tuple4). */
FW_INLINE void copy_addr(struct fw_addr *to, const void *from)
{
	const __u64 *words = from;

	((__u64 *)to)[0] = words[0];
	((__u64 *)to)[1] = words[1];
}

FW_INLINE enum fw_verdict parse_ipv6(fw_ctx *ctx, struct fw_pkt *pkt)
{
	const struct ipv6hdr *ip = ctx_data(ctx) + ETH_HEADER;
	__u8 next;

	if ((void *)(ip + 1) > ctx_data_end(ctx))
		return drop(pkt, FW_REASON_MALFORMED);
	pkt->l3_len = bpf_ntohs(ip->payload_len) + (__u32)sizeof(*ip);
	if (ip->version != 6 || (pkt->l3_len + ETH_HEADER > pkt->frame_len && !ctx_has_more(ctx)))
		return drop(pkt, FW_REASON_MALFORMED);

	copy_addr(&pkt->tuple.src, &ip->saddr);
	copy_addr(&pkt->tuple.dst, &ip->daddr);
	pkt->ttl = ip->hop_limit;
	pkt->l4_off = ETH_HEADER + sizeof(*ip);
	next = ip->nexthdr;
	if (next != IPPROTO_TCP && next != IPPROTO_UDP && next != IPPROTO_ICMPV6) {
		int proto = skip_extensions(ctx, pkt, next);

		if (proto < 0 || pkt->l4_off > pkt->l3_len + ETH_HEADER)
			return drop(pkt, FW_REASON_MALFORMED);
		next = (__u8)proto;
		if (pkt->flags & FW_PKT_FRAGMENT) {
			pkt->tuple.proto = next;
			return FW_NEXT;
		}
	}
	return parse_transport(ctx, pkt, next, FW_IPV6);
}

/* Reads the link header: which family follows? Tagged frames belong to VLAN devices,
 * which are interfaces of their own; here they are not understood.
 */
FW_INLINE enum fw_verdict parse_link(fw_ctx *ctx, struct fw_pkt *pkt, __be16 *type)
{
	const struct fw_eth *eth;

	ctx_pull(ctx, HEADERS_MAX);
	eth = ctx_data(ctx);
	if ((void *)(eth + 1) > ctx_data_end(ctx))
		return drop(pkt, FW_REASON_MALFORMED);
	pkt->frame_len = ctx_len(ctx);
	if (*(const __u8 *)eth & 1)
		pkt->flags |= FW_PKT_GROUP;
	*type = eth->type;
	if (ctx_is_tagged(ctx, *type))
		return drop(pkt, FW_REASON_MALFORMED);
	return FW_NEXT;
}
