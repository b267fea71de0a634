/* SPDX-License-Identifier: GPL-2.0-only */
/* The generator's inner loop: turns whatever frame the kernel hands in into the next packet of
 * the next flow and redirects it out of the interface under test.
 *
 * BPF_F_TEST_XDP_LIVE_FRAMES recycles pages, and a frame comes back as the machine under test left
 * it (addresses translated, TTL lowered), so nothing in the old header is believed.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "tests/bench/frame.h"

/* Written by user space before the first run. One thread at a time runs the program. */
struct fw_bench_frame frame;
struct fw_bench_cursor cursor;

static __always_inline __u16 fold(__u32 sum) {
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return (__u16)~sum;
}

static __always_inline void advance(void) {
  cursor.packets++;
  if (++cursor.flow == frame.flows) {
    cursor.flow = 0;
    cursor.port = 0;
    cursor.address = 0;
  } else if (++cursor.port == frame.ports) {
    cursor.port = 0;
    cursor.address++;
  }
}

static __always_inline void write_udp(struct udphdr* udp, __be32 address) {
  __be16 port = bpf_htons((__u16)(frame.first_port + cursor.port));
  __u16 check = fold(frame.udp_sum + (address & 0xffff) + (address >> 16) + port);

  udp->source = port;
  udp->check = check ? check : 0xffff; /* 0 means "no checksum" (RFC 768) */
}

/* The header is copied by constant lengths so that it becomes a few wide stores. */
SEC("xdp")
int fw_generate4(struct xdp_md* ctx) {
  void* data = (void*)(long)ctx->data;
  void* end = (void*)(long)ctx->data_end;
  struct iphdr* ip = data + sizeof(struct ethhdr);
  struct udphdr* udp = (void*)(ip + 1);
  __be32 source = bpf_htonl(frame.first_address + cursor.address);

  if ((void*)(udp + 1) > end) return XDP_ABORTED;
  __builtin_memcpy(data, frame.header, sizeof(struct ethhdr) + sizeof(*ip) + sizeof(*udp));
  ip->saddr = source;
  ip->check = fold(frame.ip_sum + (source & 0xffff) + (source >> 16));
  write_udp(udp, source);
  advance();
  return (int)bpf_redirect(frame.ifindex, 0);
}

SEC("xdp")
int fw_generate6(struct xdp_md* ctx) {
  void* data = (void*)(long)ctx->data;
  void* end = (void*)(long)ctx->data_end;
  struct ipv6hdr* ip = data + sizeof(struct ethhdr);
  struct udphdr* udp = (void*)(ip + 1);
  __be32 source = bpf_htonl(frame.first_address + cursor.address);

  if ((void*)(udp + 1) > end) return XDP_ABORTED;
  __builtin_memcpy(data, frame.header, FW_BENCH_HEADER_MAX);
  ip->saddr.in6_u.u6_addr32[3] = source;
  write_udp(udp, source);
  advance();
  return (int)bpf_redirect(frame.ifindex, 0);
}

char LICENSE[] SEC("license") = "GPL";
