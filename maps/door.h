/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Doors: what `publish` opens, and the backends behind it. */
#pragma once

#include "maps/tuple.h"

/* addr all zero: the port on any of this machine's own addresses. */
struct fw_door_key {
	struct fw_addr addr;
	__be16 port;
	__u8 proto;  /* IPPROTO_TCP or IPPROTO_UDP */
	__u8 family; /* enum fw_family; both are filled in when addr is zero */
};
FW_ASSERT_LAYOUT(struct fw_door_key, 20);

/* A slice of fw_maglev. size 0: no backend of that family. */
struct fw_pool {
	__u32 first;
	__u32 size;
};
FW_ASSERT_LAYOUT(struct fw_pool, 8);

enum fw_door_flags {
	FW_DOOR_LOCAL = 1 << 0, /* the backend is this host itself */
	FW_DOOR_OWN = 1 << 1,	/* this host's own processes may use it */
};

struct fw_door {
	__u32 selector; /* FW_SEL_DOOR | number: the `to` of its policy entries */
	__u32 service;	/* FW_MEMBER key: which service's backends */
	struct fw_pool pool;
	__be16 port; /* the backend's port */
	__u8 flags;  /* enum fw_door_flags */
	__u8 pad;
};
FW_ASSERT_LAYOUT(struct fw_door, 20);

/* Element of fw_maglev: the backend's address. */
struct fw_backend {
	struct fw_addr addr;
};
FW_ASSERT_LAYOUT(struct fw_backend, 16);

/* Is this address still a backend of that service? Asked when a flow that came
 * through a door is judged again under a new policy.
 */
struct fw_member_key {
	__u32 service;
	struct fw_addr addr;
};
FW_ASSERT_LAYOUT(struct fw_member_key, 20);

/* A peer of one of this host's own sockets: what its process asked for, and the backend
 * that the socket talks to instead. Ports are 0 where there is none.
 */
struct fw_own_peer {
	struct fw_addr door;
	struct fw_addr backend;
	__be16 door_port;
	__be16 backend_port;
};
FW_ASSERT_LAYOUT(struct fw_own_peer, 36);

/* A connected socket has one peer, an unconnected one of UDP several: it remembers the last
 * so many.
 */
#define FW_OWN_PEERS 16

/* Value of fw_own, a socket's storage. */
struct fw_own_socket {
	struct fw_own_peer peers[FW_OWN_PEERS];
	__u32 next; /* modulo FW_OWN_PEERS: which is overwritten next */
};
FW_ASSERT_LAYOUT(struct fw_own_socket, 36 * FW_OWN_PEERS + 4);
