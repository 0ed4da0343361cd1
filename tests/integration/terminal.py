#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs a command on a terminal of its own and plays a script of steps against it: terminal.py [STEP...] -- COMMAND...; or terminal.py COMMAND...

Steps, in order: wait:TEXT (until the output has it, 10 s), send:TEXT (Python escapes), size:ROWSxCOLS, signal:NAME (to the command),
echo? (says whether the terminal echoes now). All output goes to stdout, CR removed; the exit code is the command's, 128+n after a signal.
"""
import codecs
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time


def main():
    words = sys.argv[1:]
    steps, command = (words[: words.index("--")], words[words.index("--") + 1:]) if "--" in words else ([], words)
    rows, cols = 24, 80
    if steps and steps[0].startswith("size:"):
        rows, cols = map(int, steps.pop(0)[5:].split("x"))
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))
    before = termios.tcgetattr(slave)
    pid = os.fork()
    if pid == 0:
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        for fd in range(3):
            os.dup2(slave, fd)
        os.closerange(3, 256)
        os.execvp(command[0], command)
    output, end, status, at = b"", time.monotonic() + 30, None, 0

    def pump(seconds):
        nonlocal output, status
        if select.select([master], [], [], seconds)[0]:
            try:
                data = os.read(master, 65536)
                output += data
                os.write(1, data.replace(b"\r", b""))
            except OSError:
                pass
        if status is None:
            done, code = os.waitpid(pid, os.WNOHANG)
            if done:
                status = code

    for step in steps:
        kind, _, text = step.partition(":")
        if kind == "wait":
            limit = time.monotonic() + 10
            want = codecs.decode(text, "unicode_escape").encode()
            while want not in output[at:] and time.monotonic() < limit and status is None:
                pump(0.05)
            pump(0)
            if want not in output[at:]:
                sys.stderr.write(f"pty: waited in vain for {text!r}\n")
                break
            at = output.index(want, at) + len(want)
        elif kind == "send":
            os.write(master, codecs.decode(text, "unicode_escape").encode("latin-1"))
        elif kind == "size":
            fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", *map(int, text.split("x")), 0, 0))
        elif kind == "signal":
            os.kill(pid, getattr(signal, "SIG" + text))
        elif kind == "pause":
            until = time.monotonic() + float(text)
            while time.monotonic() < until:
                pump(0.02)
    while status is None and time.monotonic() < end:
        pump(0.05)
    if status is None:
        sys.stderr.write("pty: the command did not end\n")
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        return 254
    while select.select([master], [], [], 0.05)[0]:
        pump(0)
    if termios.tcgetattr(slave) != before:
        sys.stderr.write("pty: the terminal was not restored\n")
        return 253
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


sys.exit(main())
