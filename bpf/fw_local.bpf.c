/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Cgroup hooks: where this host's own processes name a peer, and where they are told of one.
 *
 *   connect, sendmsg         the door becomes its backend
 *   recvmsg, getpeername     the backend becomes the door
 *
 * None of them ever refuses: 1 lets the call go on.
 */
#include "bpf/stages/local.h"

#define LET_GO_ON 1

FW_INLINE void get4(struct bpf_sock_addr *ctx, struct fw_addr *addr)
{
	addr_from_ipv4(addr, ctx->user_ip4);
}

FW_INLINE void put4(struct bpf_sock_addr *ctx, const struct fw_addr *addr, __be16 port)
{
	ctx->user_ip4 = addr->w[3];
	ctx->user_port = port;
}

FW_INLINE void get6(struct bpf_sock_addr *ctx, struct fw_addr *addr)
{
	addr->w[0] = ctx->user_ip6[0];
	addr->w[1] = ctx->user_ip6[1];
	addr->w[2] = ctx->user_ip6[2];
	addr->w[3] = ctx->user_ip6[3];
}

FW_INLINE void put6(struct bpf_sock_addr *ctx, const struct fw_addr *addr, __be16 port)
{
	ctx->user_ip6[0] = addr->w[0];
	ctx->user_ip6[1] = addr->w[1];
	ctx->user_ip6[2] = addr->w[2];
	ctx->user_ip6[3] = addr->w[3];
	ctx->user_port = port;
}

/* A socket of IPv6 may name an IPv4 address, mapped. */
FW_INLINE __u8 family_of(const struct fw_addr *addr)
{
	return !(addr->w[0] | addr->w[1]) && addr->w[2] == bpf_htonl(0xffff) ? FW_IPV4 : FW_IPV6;
}

FW_INLINE int ask4(struct bpf_sock_addr *ctx)
{
	struct fw_own_use use = {.family = FW_IPV4, .proto = (__u8)ctx->protocol};

	if (!is_of_this_host(ctx))
		return LET_GO_ON;
	get4(ctx, &use.peer.door);
	use.peer.door_port = (__be16)ctx->user_port;
	if (through_door(ctx, &use))
		put4(ctx, &use.peer.backend, use.peer.backend_port);
	return LET_GO_ON;
}

FW_INLINE int ask6(struct bpf_sock_addr *ctx)
{
	struct fw_own_use use = {.proto = (__u8)ctx->protocol};

	if (!is_of_this_host(ctx))
		return LET_GO_ON;
	get6(ctx, &use.peer.door);
	use.peer.door_port = (__be16)ctx->user_port;
	use.family = family_of(&use.peer.door);
	if (through_door(ctx, &use))
		put6(ctx, &use.peer.backend, use.peer.backend_port);
	return LET_GO_ON;
}

FW_INLINE int tell4(struct bpf_sock_addr *ctx)
{
	struct fw_own_use use = {};

	if (!is_of_this_host(ctx))
		return LET_GO_ON;
	get4(ctx, &use.peer.backend);
	use.peer.backend_port = (__be16)ctx->user_port;
	if (back_to_door(ctx, &use))
		put4(ctx, &use.peer.door, use.peer.door_port);
	return LET_GO_ON;
}

FW_INLINE int tell6(struct bpf_sock_addr *ctx)
{
	struct fw_own_use use = {};

	if (!is_of_this_host(ctx))
		return LET_GO_ON;
	get6(ctx, &use.peer.backend);
	use.peer.backend_port = (__be16)ctx->user_port;
	if (back_to_door(ctx, &use))
		put6(ctx, &use.peer.door, use.peer.door_port);
	return LET_GO_ON;
}

SEC("cgroup/connect4")
int fw_connect4(struct bpf_sock_addr *ctx)
{
	return ask4(ctx);
}

SEC("cgroup/connect6")
int fw_connect6(struct bpf_sock_addr *ctx)
{
	return ask6(ctx);
}

SEC("cgroup/sendmsg4")
int fw_sendmsg4(struct bpf_sock_addr *ctx)
{
	return ask4(ctx);
}

SEC("cgroup/sendmsg6")
int fw_sendmsg6(struct bpf_sock_addr *ctx)
{
	return ask6(ctx);
}

SEC("cgroup/recvmsg4")
int fw_recvmsg4(struct bpf_sock_addr *ctx)
{
	return tell4(ctx);
}

SEC("cgroup/recvmsg6")
int fw_recvmsg6(struct bpf_sock_addr *ctx)
{
	return tell6(ctx);
}

SEC("cgroup/getpeername4")
int fw_getpeername4(struct bpf_sock_addr *ctx)
{
	return tell4(ctx);
}

SEC("cgroup/getpeername6")
int fw_getpeername6(struct bpf_sock_addr *ctx)
{
	return tell6(ctx);
}

char LICENSE[] SEC("license") __weak = "Dual BSD/GPL";
