/* SPDX-License-Identifier: GPL-2.0-only */
/* The limit that fwd is measured against: every frame goes to one interface, unread. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

/* Set by user space before load. */
const volatile __u32 target; /* ifindex */

SEC("xdp")
int fw_redirect(struct xdp_md* ctx) {
  (void)ctx;
  return (int)bpf_redirect(target, 0);
}

char LICENSE[] SEC("license") = "GPL";
