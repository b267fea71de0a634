/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* local: a door for this host's own processes, opened where they name their peer.
 *
 * The socket is pointed at a backend once, so that no packet needs translation; what the
 * process is told about its peer is the door that it asked for. Whether it may: the daemon
 * marks the doors (FW_DOOR_OWN), and the packets to the backend are judged by fw_out.
 */
#pragma once

#include "bpf/lib/packet.h"
#include "bpf/stages/classify.h"

/* Set by the daemon before loading: SO_NETNS_COOKIE. The hooks are at the root of the cgroups
 * and see the processes of every network namespace.
 */
const volatile __u64 fw_netns_cookie __weak = 0;

struct fw_own_use {
	struct fw_own_peer peer;
	__u8 proto;
	__u8 family; /* enum fw_family: of the addresses; a socket of IPv6 may talk IPv4 */
};

/* Slot of the policy in force, or -1. */
FW_INLINE int active_slot(void)
{
	const struct fw_active *active;
	__u64 current;
	__u32 zero = 0;

	active = bpf_map_lookup_elem(&fw_active, &zero);
	if (!active)
		return -1;
	current = READ_ONCE(active->current);
	return current >> 1 ? (int)(current & 1) : -1;
}

/* "Any address" as a destination is this host (connect(2) takes it for loopback). */
FW_INLINE void name_loopback(struct fw_own_use *use)
{
	struct fw_addr *addr = &use->peer.door;

	if (use->family == FW_IPV4 && !addr->w[3])
		addr->w[3] = bpf_htonl(0x7f000001);
	else if (addr_is_zero(addr))
		addr->w[3] = bpf_htonl(1);
}

FW_INLINE int is_own_address(__u32 slot, const struct fw_own_use *use)
{
	struct fw_ident ident;

	if (is_loopback(use->family, &use->peer.door))
		return 1;
	fw_identify(slot, use->family, &use->peer.door, &ident);
	return ident.flags & FW_IDENT_HOST;
}

FW_INLINE const struct fw_door *own_door(__u32 slot, const struct fw_own_use *use)
{
	struct fw_door_key key = {
		.addr = use->peer.door,
		.port = use->peer.door_port,
		.proto = use->proto,
		.family = use->family,
	};
	void *doors = bpf_map_lookup_elem(&fw_doors, &slot);
	const struct fw_door *door;

	if (!doors)
		return 0;
	door = bpf_map_lookup_elem(doors, &key);
	if (door || !is_own_address(slot, use))
		return door;
	__builtin_memset(&key.addr, 0, sizeof(key.addr));
	return bpf_map_lookup_elem(doors, &key);
}

/* The backend for this socket: the same one every time it asks. */
FW_INLINE int own_backend(__u32 slot, __u64 socket, const struct fw_door *door,
			  struct fw_own_use *use)
{
	const struct fw_backend *backend;
	__u32 index;
	void *table;

	use->peer.backend_port = door->port;
	if (door->flags & FW_DOOR_LOCAL) {
		use->peer.backend = use->peer.door;
		return 1;
	}
	table = bpf_map_lookup_elem(&fw_maglev, &slot);
	if (!table || !door->pool.size)
		return 0; /* no backend of this family */
	index = fw_hash_mix(fw_hash_mix(door->selector, (__u32)socket), (__u32)(socket >> 32));
	index = door->pool.first + index % door->pool.size;
	backend = bpf_map_lookup_elem(table, &index);
	if (!backend)
		return 0;
	use->peer.backend = backend->addr;
	return 1;
}

FW_INLINE int is_backend(const struct fw_own_peer *peer, const struct fw_addr *addr, __be16 port)
{
	return peer->backend_port == port && addr_equal(&peer->backend, addr);
}

FW_INLINE struct fw_own_peer *own_peer(struct fw_own_socket *own, const struct fw_addr *addr,
				       __be16 port)
{
	for (__u32 i = 0; i < FW_OWN_PEERS; i++)
		if (is_backend(&own->peers[i], addr, port))
			return &own->peers[i];
	return 0;
}

FW_INLINE int remember_peer(struct bpf_sock_addr *ctx, const struct fw_own_peer *peer)
{
	struct fw_own_socket *own =
		bpf_sk_storage_get(&fw_own, ctx->sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	struct fw_own_peer *slot;

	if (!own)
		return 0;
	slot = own_peer(own, &peer->backend, peer->backend_port);
	if (!slot)
		slot = &own->peers[own->next++ % FW_OWN_PEERS];
	*slot = *peer;
	return 1;
}

/* The socket talks to this address itself: from now on that is what its process is told. */
FW_INLINE void forget_peer(struct bpf_sock_addr *ctx, const struct fw_own_use *use)
{
	struct fw_own_socket *own = bpf_sk_storage_get(&fw_own, ctx->sk, 0, 0);
	struct fw_own_peer *slot = 0;

	if (own)
		slot = own_peer(own, &use->peer.door, use->peer.door_port);
	if (slot)
		__builtin_memset(slot, 0, sizeof(*slot));
}

FW_INLINE int is_of_this_host(struct bpf_sock_addr *ctx)
{
	return (ctx->protocol == IPPROTO_TCP || ctx->protocol == IPPROTO_UDP) &&
	       bpf_get_netns_cookie(ctx) == fw_netns_cookie;
}

/* use->peer.door is what a process asks for. Returns 1 with use->peer.backend filled in where
 * the socket shall talk to that instead.
 */
FW_OUTLINE int through_door(struct bpf_sock_addr *ctx, struct fw_own_use *use)
{
	const struct fw_door *door;
	int slot = active_slot();

	if (slot < 0)
		return 0;
	name_loopback(use);
	door = own_door((__u32)slot, use);
	if (door && door->flags & FW_DOOR_OWN &&
	    own_backend((__u32)slot, bpf_get_socket_cookie(ctx), door, use))
		return remember_peer(ctx, &use->peer);
	forget_peer(ctx, use);
	return 0;
}

/* use->peer.backend is where a socket's peer is. Returns 1 with use->peer.door filled in where
 * its process asked for that.
 */
FW_OUTLINE int back_to_door(struct bpf_sock_addr *ctx, struct fw_own_use *use)
{
	struct fw_own_socket *own = bpf_sk_storage_get(&fw_own, ctx->sk, 0, 0);
	const struct fw_own_peer *peer;

	if (!own)
		return 0;
	peer = own_peer(own, &use->peer.backend, use->peer.backend_port);
	if (!peer || !peer->door_port)
		return 0;
	use->peer = *peer;
	return 1;
}
