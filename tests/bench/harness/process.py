# SPDX-License-Identifier: GPL-2.0-only
"""Running commands so that a failure is one sentence and nothing outlives the bench."""

import json
import select
import subprocess
import time

_running = []


class BenchError(Exception):
    """What was being done and what is wrong, as one sentence."""


def _sentence(command, text):
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1] if lines else f"{' '.join(command)}: failed without a word"


def run(*command, stdin=None, timeout=30):
    """The command's stdout; BenchError if it fails."""
    try:
        done = subprocess.run(command, input=stdin, capture_output=True, text=True,
                              timeout=timeout, check=False)
    except FileNotFoundError as error:
        raise BenchError(f"{command[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise BenchError(f"{' '.join(command)}: no end after {timeout} s") from error
    if done.returncode != 0:
        raise BenchError(_sentence(command, done.stderr or done.stdout))
    return done.stdout


def start(*command, stderr=subprocess.PIPE):
    """A process whose stdout can be read line by line; stop_all() ends it if nothing else does."""
    try:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr)
    except FileNotFoundError as error:
        raise BenchError(f"{command[0]} is not installed or not built") from error
    process.pending = b""
    _running.append(process)
    return process


def read_json(process, timeout):
    """The process's next line of stdout as JSON."""
    end = time.monotonic() + timeout
    while b"\n" not in process.pending:
        ready, _, _ = select.select([process.stdout], [], [], max(0, end - time.monotonic()))
        if not ready:
            raise BenchError(f"{' '.join(process.args)}: silent for {timeout} s")
        chunk = process.stdout.read1()
        if not chunk:
            process.wait()
            error = process.stderr.read().decode() if process.stderr else ""
            raise BenchError(_sentence(process.args, error))
        process.pending += chunk
    line, process.pending = process.pending.split(b"\n", 1)
    return json.loads(line)


def stop(process, timeout=5):
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for stream in (process.stdout, process.stderr):
        if stream:
            stream.close()
    if process in _running:
        _running.remove(process)


def stop_all():
    for process in reversed(_running[:]):
        stop(process)
