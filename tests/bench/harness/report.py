# SPDX-License-Identifier: GPL-2.0-only
"""From samples to tables and JSON. A ratio is taken round by round, between two measurements a few
seconds apart, so that a machine that slows down in between does not count for either side."""

import dataclasses
import datetime
import os
import platform
import statistics
import subprocess


@dataclasses.dataclass(frozen=True)
class Ratio:
    load: str
    of: str
    to: str
    target: float  # what issue or page asks for; shown beside the result


def summary(values):
    return {"median": statistics.median(values), "low": min(values), "high": max(values),
            "samples": len(values)}


def paired(samples, ratio):
    """Round by round; a round in which either failed is left out."""
    load = samples.get(ratio.load, {})
    of, to = load.get(ratio.of, {}), load.get(ratio.to, {})
    return [of[turn] / to[turn] for turn in sorted(of.keys() & to.keys()) if to[turn] > 0]


def print_tables(loads, systems, samples, ratios, failures):
    width = max(len(system.label) for system in systems.values())
    for load in loads:
        measured = samples.get(load.name, {})
        if not measured:
            continue
        print(f"\n{load.title}, {load.unit}")
        for name, values in measured.items():
            s = summary(list(values.values()))
            print(f"  {systems[name].label:<{width}}  {s['median']:7.2f}"
                  f"   ({s['low']:.2f} - {s['high']:.2f}, {s['samples']} rounds)")
    print("\nRatios: median (lowest - highest) of the rounds; expected at least")
    titles = {load.name: load.title for load in loads}
    for ratio in ratios:
        values = paired(samples, ratio)
        name = f"{systems[ratio.of].label} / {systems[ratio.to].label}"
        if values:
            s = summary(values)
            word = "met" if s["median"] >= ratio.target else "BELOW"
            result = f"{s['median']:5.2f}   ({s['low']:.2f} - {s['high']:.2f})   " \
                     f"{ratio.target:.2f} {word}"
        else:
            result = "  not measured"
        print(f"  {name:<{2 * width - 4}}  {result:<36}  {titles[ratio.load]}")
    for what, why in failures.items():
        print(f"\nnot measured: {what}: {why}")


def document(loads, systems, samples, ratios, failures, settings):
    """The whole run as one object; every printed figure follows from it."""
    return {
        "schema": 1,
        "time": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "machine": machine(),
        "commit": _first_line(["git", "-C", os.path.dirname(__file__), "describe", "--always",
                               "--dirty"]),
        "settings": settings,
        "systems": {name: {"label": system.label, **system.describe()}
                    for name, system in systems.items()},
        "loads": [{"name": load.name, "title": load.title, "unit": load.unit,
                   "systems": {name: {"rounds": list(values.values()),
                                      **summary(list(values.values()))}
                               for name, values in samples.get(load.name, {}).items()}}
                  for load in loads],
        "ratios": [{**dataclasses.asdict(ratio), "rounds": paired(samples, ratio),
                    **summary(paired(samples, ratio))}
                   for ratio in ratios if paired(samples, ratio)],
        "failures": failures,
    }


def machine():
    model = ""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return {"kernel": platform.release(), "cpu": model, "cpus": os.cpu_count(),
            "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
            "load_average": os.getloadavg()[0]}


def _first_line(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip().splitlines()[0] if done.stdout.strip() else None
