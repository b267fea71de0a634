/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* neighbour: may a container say that an address is its own?
 *
 * ARP and neighbour discovery believe whoever speaks. A container that claims the address
 * of another one, or this host's, would get its traffic: it is dropped as MARTIAN at its
 * own veth, and so is a router's advertisement or redirect. An address that the daemon
 * has placed nowhere yet may be claimed.
 */
#pragma once

#include "bpf/stages/classify.h"

#define ICMPV6_ROUTER_ADVERT 134
#define ICMPV6_NEIGHBOUR_ADVERT 136
#define ARP_SENDER_OFFSET 14 /* from the ARP header, for Ethernet and IPv4 (RFC 826) */
#define NA_TARGET_OFFSET 8   /* from the ICMPv6 header (RFC 4861 section 4.4) */

FW_INLINE enum fw_verdict claim_address(struct fw_pkt *pkt, const struct fw_addr *addr,
					__u32 family)
{
	const struct fw_endpoint *endpoint = bpf_map_lookup_elem(&fw_endpoints, addr);
	struct fw_ident ident = {};

	if (endpoint && endpoint->ifindex != pkt->ifindex)
		return drop(pkt, FW_REASON_MARTIAN);
	fw_identify(slot_of(pkt), family, addr, &ident);
	return ident.flags & FW_IDENT_HOST ? drop(pkt, FW_REASON_MARTIAN) : FW_UP;
}

FW_OUTLINE int arp_from_container(fw_ctx *ctx, struct fw_pkt *pkt)
{
	const __be16 *arp = ctx_data(ctx) + ETH_HEADER;
	struct fw_addr sender = {};

	if ((void *)((const __u8 *)arp + ARP_SENDER_OFFSET + 4) > ctx_data_end(ctx))
		return (int)drop(pkt, FW_REASON_MALFORMED);
	addr_from_ipv4(&sender,
		       arp[ARP_SENDER_OFFSET / 2] | (__u32)arp[ARP_SENDER_OFFSET / 2 + 1] << 16);
	return (int)claim_address(pkt, &sender, FW_IPV4);
}

FW_OUTLINE int discovery_from_container(fw_ctx *ctx, struct fw_pkt *pkt)
{
	const struct fw_addr *target = ctx_data(ctx) + (pkt->l4_off & 0x1ff) + NA_TARGET_OFFSET;
	struct fw_addr addr;

	if (pkt->icmp_type == ICMPV6_ROUTER_ADVERT)
		return (int)drop(pkt, FW_REASON_MARTIAN);
	if (pkt->icmp_type != ICMPV6_NEIGHBOUR_ADVERT)
		return FW_UP;
	if ((void *)(target + 1) > ctx_data_end(ctx))
		return (int)drop(pkt, FW_REASON_MALFORMED);
	addr = *target;
	return (int)claim_address(pkt, &addr, FW_IPV6);
}
