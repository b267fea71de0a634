/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The kernel's interface: UAPI headers, libbpf's helpers, and the few constants that
 * neither has.
 */
#pragma once

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* "Not my decision": the next TCX program or TC filter, then the stack
 * (TC_ACT_UNSPEC of linux/pkt_cls.h, TCX_NEXT since 6.6).
 */
#define TC_NEXT (-1)
#define TC_DROP 2 /* TC_ACT_SHOT */

#define AF_INET 2
#define AF_INET6 10

/* skb->pkt_type: addressed to this host, to another host (linux/if_packet.h). */
#define PACKET_HOST 0
#define PACKET_OTHERHOST 3

/* linux/icmp.h and linux/icmpv6.h pull in libc: RFC 792, RFC 4443. */
#define ICMP_ECHOREPLY 0
#define ICMP_DEST_UNREACH 3
#define ICMP_ECHO 8
#define ICMP_TIME_EXCEEDED 11
#define ICMP_PARAMETERPROB 12
#define ICMP_FRAG_NEEDED 4
#define ICMPV6_PKT_TOOBIG 2
#define ICMPV6_TIME_EXCEED 3
#define ICMPV6_ECHO_REQUEST 128
#define ICMPV6_ECHO_REPLY 129

#define ENOENT 2
#define EEXIST 17

/* Reads or writes a field that another CPU or the daemon changes at any time. */
#define READ_ONCE(x) (*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, value) (*(volatile typeof(x) *)&(x) = (value))

#define FW_INLINE static __always_inline
/* The paths a packet of a known flow does not take: called, to keep the hot path short. Not
 * every object takes them all.
 */
#define FW_OUTLINE static __noinline __attribute__((unused))
/* A global function: the verifier checks it once, on its own, instead of once for every
 * state of every caller. It takes numbers and pointers to plain memory, returns a number,
 * and is the same in every object (weak: linked once).
 */
#define FW_SHARED __weak __noinline
