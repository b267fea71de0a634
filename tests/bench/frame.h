/* SPDX-License-Identifier: GPL-2.0-only */
/* What the generator's BPF program and its user-space half agree on: the frame to send, and how
 * it differs from flow to flow.
 */
#pragma once

#include <linux/types.h>

#define FW_BENCH_HEADER_MAX 62 /* Ethernet + IPv6 + UDP */

/* Every packet is this header with the source address, the source port and the checksums filled
 * in. The sums are ones' complement sums of 16-bit words as they lie in memory, not folded, over
 * all that stays the same from packet to packet.
 */
struct fw_bench_frame {
  __u8 header[FW_BENCH_HEADER_MAX];
  __u16 first_port;    /* host byte order */
  __u32 first_address; /* host byte order: the IPv4 source, or the last 32 bits of the IPv6
                          one */
  __u32 ip_sum;        /* IPv4 header */
  __u32 udp_sum;       /* pseudo-header, UDP header and payload */
  __u32 flows;         /* flow n is (first_address + n / ports, first_port + n % ports) */
  __u32 ports;         /* source ports to an address */
  __u32 ifindex;       /* where the frames leave */
};

/* Where the next packet is in the cycle of flows, and how many there have been. */
struct fw_bench_cursor {
  __u64 packets;
  __u32 flow;
  __u32 port;    /* offset from first_port */
  __u32 address; /* offset from first_address */
  __u32 pad;
};
