/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The machine's network as the daemon sees it by netlink. Changes here do not
 * make a new policy generation; they raise fw_active.topology.
 */
#pragma once

#include "maps/tuple.h"

enum fw_role {
	FW_ROLE_UPLINK = 1, /* faces the network: host.uplinks */
	FW_ROLE_LAN,	    /* an interface that a zone names */
	FW_ROLE_CONTAINER,  /* the host side of a container's veth, or its bridge */
};

enum fw_iface_flags {
	FW_IFACE_XDP = 1 << 0,	      /* XDP may redirect frames out of it */
	FW_IFACE_MASQUERADE = 1 << 1, /* its zone is masqueraded: sources no prefix holds */
};

/* Key: ifindex (__u32, host byte order). */
struct fw_iface {
	__u8 role;    /* enum fw_role */
	__u8 flags;   /* enum fw_iface_flags */
	__u16 mtu;    /* layer 3 bytes, capped at 65535 */
	__u16 zone;   /* of sources that no prefix holds; FW_ZONE_INTERNET on an uplink */
	__u8 mac[6];  /* of the router that its neighbours see: its bridge's if it is a port */
	__be32 addr4; /* what masquerade translates to; 0: none */
	struct fw_addr addr6; /* likewise; all zero: none */
	__u32 bridge;	      /* the bridge it is a port of; 0: none */
};
FW_ASSERT_LAYOUT(struct fw_iface, 36);

/* The frames of a VLAN interface that is guarded itself: on which interface, by which outer
 * tag (ETH_P_8021Q or ETH_P_8021AD). Key of fw_vlans; the value is its ifindex.
 */
struct fw_vlan {
	__u32 ifindex;
	__be16 protocol;
	__u16 id; /* host byte order */
};
FW_ASSERT_LAYOUT(struct fw_vlan, 8);

/* Where a container's address is. Key: struct fw_addr. */
struct fw_endpoint {
	__u32 ifindex;	/* the host side of its veth */
	__u8 mac[6];	/* the container's */
	__u8 gw_mac[6]; /* the source of what is routed to it */
	__u16 mtu;
	__u8 flags; /* enum fw_iface_flags: XDP may redirect into it (its peer has NAPI) */
	__u8 pad;
};
FW_ASSERT_LAYOUT(struct fw_endpoint, 20);
