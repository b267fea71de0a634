/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Capacities that the programs are compiled with. The flow tables are sized by the
 * daemon at load, from the machine's memory.
 */
#pragma once

#define FW_FLOWS_DEFAULT (1u << 20) /* entries, two to a flow; grows on demand */
#define FW_HALF_DEFAULT (1u << 17)  /* entries; preallocated (LRU) */
#define FW_FIRSTS_MAX 8192u	    /* datagrams that come in fragments; preallocated (LRU) */
#define FW_HELD_MAX 512u	    /* fragments that wait for their first; 1 MB (LRU) */
#define FW_IFACES_MAX 4096u
#define FW_VLANS_MAX 4096u
#define FW_ENDPOINTS_MAX 65536u
