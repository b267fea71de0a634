# SPDX-License-Identifier: GPL-2.0-only
"""The loads: what is sent through a system, and the one number that comes out."""

import dataclasses
import json
import os
import time

from .process import BenchError, read_json, run, start, stop
from .systems import TCP_DOOR, UDP_PORT
from .topology import FIRST_FLOW, HOST, HOST_MAC


def _cpus():
    """Where to generate and where to receive: apart if the machine has two CPUs."""
    cpus = sorted(os.sched_getaffinity(0))
    return cpus[0], cpus[-1]


def _on(cpu):
    """Before a command: that CPU, and ahead of whatever else the machine runs."""
    return ("nice", "-n", "-15", "taskset", "-c", str(cpu))


@dataclasses.dataclass(frozen=True)
class SmallUdp:
    """64-byte UDP packets of established flows, counted where they arrive. The packets are made,
    forwarded and counted in one CPU's softirq, so the number is the cost of the whole way.

    `hook` is where the container's end takes them: "both" counts a frame in XDP if it is still one
    and else as an skb, so that it costs as little as possible; "tc" makes every packet an skb
    first, as any program that listens in a container does."""
    name: str
    title: str
    tools: str
    hook: str = "both"
    flows: int = 64
    unit: str = "Mpps"

    def measure(self, topology, system, seconds):
        sender, receiver = _cpus()
        replies = self.flows if system.tracks_flows else 0
        sink = start(*_on(receiver),
                     *topology.inside(topology.container, f"{self.tools}/fw_sink",
                                      "--interface", "eth0", "--port", str(UDP_PORT),
                                      "--hook", self.hook, "--replies", str(replies),
                                      "--seconds", str(seconds), "--wait", "5"))
        try:
            read_json(sink, timeout=10)
            if replies:
                self._establish(topology, system, sink, sender)
            # It runs until the sink has seen enough.
            sending = start(*self._generator(topology, system, sender,
                                             "--seconds", str(seconds + 10)))
            try:
                return read_json(sink, timeout=seconds + 10)["pps"] / 1e6
            finally:
                stop(sending)
        finally:
            stop(sink)

    def _generator(self, topology, system, cpu, *limit):
        address, port = system.udp
        return (*_on(cpu),
                *topology.inside(topology.client, f"{self.tools}/fw_generator",
                                 "--interface", "c0", "--src", FIRST_FLOW,
                                 "--dst", f"{address}:{port}", "--dmac", HOST_MAC,
                                 "--flows", str(self.flows), *limit))

    def _establish(self, topology, system, sink, cpu):
        """One packet of each flow, answered, and the answers seen at the client."""
        before = _received(topology)
        run(*self._generator(topology, system, cpu, "--packets", str(self.flows)))
        read_json(sink, timeout=10)
        end = time.monotonic() + 1
        while (back := _received(topology) - before) < self.flows:
            if time.monotonic() > end:
                raise BenchError(f"{self.flows} flows were answered, {back} answers came back")
            time.sleep(0.02)


def _received(topology):
    links = json.loads(run("ip", "-n", topology.client, "-s", "-j", "link", "show", "dev", "c0"))
    return links[0]["stats64"]["rx"]["packets"]


@dataclasses.dataclass(frozen=True)
class BulkTcp:
    """iperf3, one stream, between the client and the container through the door."""
    name: str
    title: str
    to_container: bool
    unit: str = "Gbit/s"

    def measure(self, topology, system, seconds):
        sender, receiver = _cpus()
        server = start(*_on(receiver),
                       *topology.inside(topology.container, "iperf3", "-s", "-1", "--forceflush",
                                        "-p", str(TCP_DOOR)))
        try:
            _await_listener(topology)
            direction = () if self.to_container else ("-R",)
            out = run(*_on(sender),
                      *topology.inside(topology.client, "iperf3", "-c", HOST, "-p", str(TCP_DOOR),
                                       "-t", str(max(1, round(seconds))), "-J",
                                       "--connect-timeout", "3000", *direction),
                      timeout=seconds + 20)
            return json.loads(out)["end"]["sum_received"]["bits_per_second"] / 1e9
        finally:
            stop(server)


def _await_listener(topology):
    end = time.monotonic() + 5
    while not topology.run(topology.container, "ss", "-Hltn", f"sport = :{TCP_DOOR}").strip():
        if time.monotonic() > end:
            raise BenchError("iperf3 does not listen in the container after 5 s")
        time.sleep(0.02)
