# SPDX-License-Identifier: GPL-2.0-only
"""The systems compared. Each forwards the doors udp 8080 -> container:5001 and tcp 5201 ->
container:5201 on the host of a topology, and says where a client sends to."""

import json
import os
import shutil
import subprocess
import tempfile
import time

from .process import BenchError, read_json, run, start, stop
from .topology import CONTAINER, CONTAINER_SUBNET, HOST

UDP_DOOR, UDP_PORT, TCP_DOOR = 8080, 5001, 5201


class System:
    label = ""          # in tables
    udp = (HOST, UDP_DOOR)
    tracks_flows = True  # flows must be seen both ways before they count as established

    def start(self, topology):
        raise NotImplementedError

    def stop(self):
        pass

    def describe(self):
        """What the report keeps about it."""
        return {}


class BareRedirect(System):
    label = "bare XDP_REDIRECT"
    udp = (CONTAINER, UDP_PORT)  # nothing translates
    tracks_flows = False

    def __init__(self, tools):
        self._tools = tools
        self._process = None

    def start(self, topology):
        self._process = start(*topology.inside(topology.host, f"{self._tools}/fw_redirect",
                                               "--from", "ul", "--to", "vc"))
        read_json(self._process, timeout=5)

    def stop(self):
        if self._process:
            stop(self._process)


class Nftables(System):
    """One map lookup for all doors, one verdict map for conntrack states: as nftables' own wiki
    recommends. No flowtable: the kernel this was written on has none (CONFIG_NF_FLOW_TABLE)."""
    label = "nftables DNAT"

    RULES = f"""
    table ip bench {{
      map doors {{
        type inet_proto . inet_service : ipv4_addr . inet_service
        elements = {{ udp . {UDP_DOOR} : {CONTAINER} . {UDP_PORT},
                      tcp . {TCP_DOOR} : {CONTAINER} . {TCP_DOOR} }}
      }}
      chain prerouting {{
        type nat hook prerouting priority dstnat; policy accept;
        iifname "ul" ip daddr {HOST} dnat ip to meta l4proto . th dport map @doors
      }}
      chain forward {{
        type filter hook forward priority filter; policy drop;
        ct state vmap {{ established : accept, related : accept, invalid : drop }}
        iifname "ul" oifname "br0" ct status dnat accept
      }}
      chain postrouting {{
        type nat hook postrouting priority srcnat; policy accept;
        ip saddr {CONTAINER_SUBNET} oifname "ul" masquerade
      }}
    }}
    """

    def start(self, topology):
        topology.run(topology.host, "nft", "-f", "-", stdin=self.RULES)

    def describe(self):
        return {"rules": self.RULES, "version": run("nft", "--version").strip()}


class Fwd(System):
    """fwd in the host's namespace. `datapath` None leaves the choice to the loader."""

    def __init__(self, tools, datapath):
        self.label = f"fwd, {datapath or 'auto'}"
        self._tools = tools
        self._datapath = datapath
        self._process = None
        self._folder = None
        self._bpffs = None
        self._status = None

    def policy(self):
        datapath = f"\n  datapath: {{ul: {self._datapath}}}" if self._datapath else ""
        return f"""\
version: 1
name: bench
host:
  uplinks: [ul]{datapath}
zones:
  containers: {{subnets: [{CONTAINER_SUBNET}]}}
services:
  sink: {{addresses: [{CONTAINER}], ports: {{udp: {UDP_PORT}/udp, iperf: {TCP_DOOR}}}}}
publish:
  udp: {{host: {UDP_DOOR}, to: sink:udp, from: internet}}
  iperf: {{host: {TCP_DOOR}, to: sink:iperf, from: internet}}
"""

    def start(self, topology):
        for program in ("fwd", "fwctl"):
            if not os.path.exists(f"{self._tools}/{program}"):
                raise BenchError(f"{self._tools}/{program} is not built")
        mount_bpffs()
        self._folder = tempfile.mkdtemp(prefix="fwdbench-")
        self._bpffs = f"/sys/fs/bpf/{os.path.basename(self._folder)}"
        with open(f"{self._folder}/fwd.yaml", "w", encoding="utf-8") as file:
            file.write(self.policy())
        with open(f"{self._folder}/log", "wb") as log:
            self._process = start(
                *topology.inside(topology.host, f"{self._tools}/fwd",
                                 "--config", f"{self._folder}/fwd.yaml",
                                 "--socket", f"{self._folder}/fwd.sock",
                                 "--bpffs", self._bpffs,
                                 "--state", f"{self._folder}/state",
                                 "--metrics", "off"), stderr=log)
        self._await_ready()

    def _fwctl(self, *arguments):
        return run(f"{self._tools}/fwctl", "--socket", f"{self._folder}/fwd.sock", *arguments)

    def _await_ready(self):
        end = time.monotonic() + 15
        while True:
            if self._process.poll() is not None:
                with open(f"{self._folder}/log", encoding="utf-8", errors="replace") as log:
                    lines = log.read().strip().splitlines() or ["it said nothing"]
                raise BenchError(f"fwd ended with {self._process.returncode}: {lines[-1]}")
            try:
                self._fwctl("status")
                self._status = json.loads(self._fwctl("status", "--json"))
                return
            except (BenchError, json.JSONDecodeError) as error:
                if time.monotonic() > end:
                    raise BenchError(f"fwd is not ready after 15 s: {error}") from error
            time.sleep(0.05)

    def stop(self):
        if self._process:
            try:
                self._fwctl("teardown")
            except BenchError:
                pass  # the daemon is gone already; what it pinned is removed below
            stop(self._process)
        for folder in (self._bpffs, self._folder):
            if folder:
                shutil.rmtree(folder, ignore_errors=True)

    def describe(self):
        return {"policy": self.policy(), "status": self._status}


def mount_bpffs():
    """As systemd does at boot; containers and small machines lack it."""
    kind = subprocess.run(["stat", "-f", "-c", "%T", "/sys/fs/bpf"], capture_output=True,
                          text=True, check=False).stdout.strip()
    if kind != "bpf_fs":
        run("mount", "-t", "bpf", "bpf", "/sys/fs/bpf")
