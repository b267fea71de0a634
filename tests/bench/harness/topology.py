# SPDX-License-Identifier: GPL-2.0-only
"""client -- host -- container: three network namespaces, and a bridge on the host as engines make.

    client            host                          container
    c0 10.9.0.2 ----- ul 10.9.0.1 | br0 172.20.1.1 - vc ----- eth0 172.20.1.10
                      (uplink)
"""

import os
import signal

from .process import BenchError, run

PREFIX = "fwt-bench-"
CLIENT = "10.9.0.2"
HOST = "10.9.0.1"
CONTAINER = "172.20.1.10"
CONTAINER_SUBNET = "172.20.1.0/24"
# The generator's flows come from here: routed to the client, which has none of these addresses
# and so swallows the replies without an ICMP error.
FLOW_SOURCES = "10.10.0.0/16"
FIRST_FLOW = "10.10.0.1:1024"
CLIENT_MAC = "02:00:00:00:09:02"
HOST_MAC = "02:00:00:00:09:01"


class Topology:
    """`live_frames`: prepare every interface to take frames by ndo_xdp_xmit, which a veth does only
    if its peer has NAPI, that is GRO. Otherwise the interfaces are as the kernel makes them."""

    def __init__(self, name, live_frames):
        self.host = f"{PREFIX}{name}-host"
        self.client = f"{PREFIX}{name}-client"
        self.container = f"{PREFIX}{name}-ct"
        try:
            self._build()
            if live_frames:
                for where, interface in ((self.client, "c0"), (self.host, "ul"),
                                         (self.host, "vc"), (self.container, "eth0")):
                    self.run(where, "ethtool", "-K", interface, "gro", "on")
        except BaseException:
            self.destroy()
            raise

    def inside(self, namespace, *command):
        # Not `ip netns exec`: it mounts a fresh /sys, where /sys/fs/bpf is empty.
        return ("nsenter", f"--net=/run/netns/{namespace}", *command)

    def run(self, namespace, *command, **options):
        return run(*self.inside(namespace, *command), **options)

    def destroy(self):
        for namespace in (self.client, self.container, self.host):
            if os.path.exists(f"/run/netns/{namespace}"):
                run("ip", "netns", "del", namespace)

    def _build(self):
        for namespace in (self.host, self.client, self.container):
            run("ip", "netns", "add", namespace)
        run("ip", "-n", self.host, "-batch", "-", stdin=f"""
            link set dev lo up
            link add ul address {HOST_MAC} type veth peer name c0 netns {self.client}
            link add br0 type bridge
            link add vc type veth peer name eth0 netns {self.container}
            link set dev vc master br0
            address add {HOST}/24 dev ul
            address add 172.20.1.1/24 dev br0
            link set dev ul up
            link set dev br0 up
            link set dev vc up
        """)
        run("ip", "-n", self.client, "-batch", "-", stdin=f"""
            link set dev lo up
            link set dev c0 address {CLIENT_MAC}
            address add {CLIENT}/24 dev c0
            link set dev c0 up
            route add default via {HOST}
        """)
        run("ip", "-n", self.container, "-batch", "-", stdin=f"""
            link set dev lo up
            address add {CONTAINER}/24 dev eth0
            link set dev eth0 up
            route add default via 172.20.1.1
        """)
        run("ip", "-n", self.host, "route", "add", FLOW_SOURCES, "via", CLIENT)
        self.run(self.host, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        # Bridged frames need not pass netfilter here; engines turn it on, at a cost to nftables.
        self._try(self.host, "sysctl", "-qw", "net.bridge.bridge-nf-call-iptables=0")
        # One datagram each way makes the neighbours known.
        for namespace, gateway in ((self.client, HOST), (self.container, "172.20.1.1")):
            self.run(namespace, "bash", "-c", f"echo > /dev/udp/{gateway}/9")

    def _try(self, namespace, *command):
        try:
            self.run(namespace, *command)
        except BenchError:
            pass  # no bridge netfilter in this kernel, so nothing to turn off


def remove_leftovers():
    """What a killed bench left behind. The caller holds the lock, so no other bench is running."""
    if not os.path.isdir("/run/netns"):
        return
    for namespace in os.listdir("/run/netns"):
        if not namespace.startswith(PREFIX):
            continue
        for pid in run("ip", "netns", "pids", namespace).split():
            os.kill(int(pid), signal.SIGKILL)
        run("ip", "netns", "del", namespace)
