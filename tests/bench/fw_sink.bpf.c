/* SPDX-License-Identifier: GPL-2.0-only */
/* The far end of a measurement: counts the UDP packets for one port and drops them, or answers
 * them for as long as user space asks, so that the flows become established.
 *
 * Frames that stay frames all the way are counted by the XDP program. What arrives by
 * bpf_redirect_peer enters the interface above XDP and is counted by the TC program; nothing is
 * counted twice, as XDP drops what it counts.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* Set by user space before load. */
const volatile __u16 port; /* host byte order */

/* Packets still to be answered; user space raises it. Two CPUs may both answer "the last one". */
__u32 replies;
__u64 answered;

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, __u64);
} fw_received SEC(".maps");

enum outcome {
  NOT_OURS,
  ANSWERED, /* send it back where it came from */
  COUNTED,
};

static __always_inline enum outcome count(void) {
  __u32 zero = 0;
  __u64* received = bpf_map_lookup_elem(&fw_received, &zero);

  if (received) (*received)++;
  return COUNTED;
}

/* The parts of an answer that both families have; the caller exchanges the addresses. To exchange
 * source and destination leaves every checksum as it is.
 */
static __always_inline enum outcome answer(struct ethhdr* eth, struct udphdr* udp) {
  __u8 mac[ETH_ALEN];
  __be16 source = udp->source;

  __builtin_memcpy(mac, eth->h_source, ETH_ALEN);
  __builtin_memcpy(eth->h_source, eth->h_dest, ETH_ALEN);
  __builtin_memcpy(eth->h_dest, mac, ETH_ALEN);
  udp->source = udp->dest;
  udp->dest = source;
  replies--;
  __sync_fetch_and_add(&answered, 1);
  return ANSWERED;
}

static __always_inline enum outcome receive4(struct ethhdr* eth, void* end) {
  struct iphdr* ip = (void*)(eth + 1);
  struct udphdr* udp = (void*)(ip + 1);
  __be32 source;

  if ((void*)(udp + 1) > end || ip->protocol != IPPROTO_UDP || udp->dest != bpf_htons(port))
    return NOT_OURS;
  if (!replies) return count();
  source = ip->saddr;
  ip->saddr = ip->daddr;
  ip->daddr = source;
  return answer(eth, udp);
}

static __always_inline enum outcome receive6(struct ethhdr* eth, void* end) {
  struct ipv6hdr* ip = (void*)(eth + 1);
  struct udphdr* udp = (void*)(ip + 1);
  struct in6_addr source;

  if ((void*)(udp + 1) > end || ip->nexthdr != IPPROTO_UDP || udp->dest != bpf_htons(port))
    return NOT_OURS;
  if (!replies) return count();
  source = ip->saddr;
  ip->saddr = ip->daddr;
  ip->daddr = source;
  return answer(eth, udp);
}

static __always_inline enum outcome receive(void* data, void* end) {
  struct ethhdr* eth = data;

  if ((void*)(eth + 1) > end) return NOT_OURS;
  if (eth->h_proto == bpf_htons(ETH_P_IP)) return receive4(eth, end);
  if (eth->h_proto == bpf_htons(ETH_P_IPV6)) return receive6(eth, end);
  return NOT_OURS;
}

SEC("xdp")
int fw_sink_xdp(struct xdp_md* ctx) {
  switch (receive((void*)(long)ctx->data, (void*)(long)ctx->data_end)) {
    case ANSWERED:
      /* Not XDP_TX: veth wakes its peer for that only if an XDP program is there too
       * (Linux 6.18, veth_xdp_flush), and the answers would wait in the ring.
       */
      return (int)bpf_redirect(ctx->ingress_ifindex, 0);
    case COUNTED:
      return XDP_DROP;
    default:
      return XDP_PASS;
  }
}

SEC("tc")
int fw_sink_tc(struct __sk_buff* skb) {
  switch (receive((void*)(long)skb->data, (void*)(long)skb->data_end)) {
    case ANSWERED:
      return (int)bpf_redirect(skb->ifindex, 0);
    case COUNTED:
      return TC_ACT_SHOT;
    default:
      return TC_ACT_OK;
  }
}

char LICENSE[] SEC("license") = "GPL";
