#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The images that booting is tested with: boot_images.py HOST:PORT|DIR WORKDIR PAYLOAD BUSYBOX TAR...

HOST:PORT is a registry; DIR becomes an OCI image layout, each image under its name without "test/".

Each TAR of a root file system, build/tests/NAME.tar, becomes test/NAME; test/boot-busybox is an init that knows nothing of systemd;
test/boot-hostile has one tag for each way a PID 1 can misbehave (tests/payload/hostile.c).
"""
import hashlib
import os
import subprocess
import sys
import tempfile

import mkimage
from mkimage import Layer

PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
BOOTS = {"Cmd": ["/sbin/init"], "Env": [PATH], "StopSignal": "SIGRTMIN+3"}
CHUNK = 1 << 20

INITTAB = b"""::sysinit:/bin/touch /run/booted
::respawn:/bin/sleep 100000
::shutdown:/bin/touch /run/ended
"""

# tag of test/boot-hostile: what the payload is told as /sbin/init
HOSTILE = {
    "exit0": "exit 0",
    "exit7": "exit 7",
    "never": "spin",
    "deaf": "ready",
    "comet": "comet 300",
    "fill": "fill /var/full",
    "notify": "notify never",
    "notify-ready": "notify ready",
    "bus-mute": "bus mute",
    "bus-hangup": "bus hangup",
    "bus-garbage": "bus garbage",
    "bus-drip": "bus drip",
    "bus-line": "bus line",
    "bus-auth": "bus auth",
    "bus-huge": "bus huge",
    "bus-signals": "bus signals",
    "bus-fds": "bus fds",
}


def root_image(registry, work, tar):
    """One layer of a tar too big to hold in memory."""
    diff_id, blob_id, size = hashlib.sha256(), hashlib.sha256(), 0
    with tempfile.TemporaryFile(dir=work) as blob:
        with open(tar, "rb") as source, subprocess.Popen(["zstd", "-q", "-1", "-T0", "-c"], stdin=subprocess.PIPE,
                                                         stdout=blob) as zstd:
            while chunk := source.read(CHUNK):
                diff_id.update(chunk)
                zstd.stdin.write(chunk)
            zstd.stdin.close()
            if zstd.wait() != 0:
                raise RuntimeError(f"zstd {tar}")
        blob.seek(0)
        while chunk := blob.read(CHUNK):
            blob_id.update(chunk)
            size += len(chunk)
        blob.seek(0)
        name = "test/" + os.path.basename(tar).removesuffix(".tar")
        layer = {"mediaType": mkimage.OCI["zstd"], "digest": "sha256:" + blob_id.hexdigest(), "size": size}
        registry.upload(name, layer["digest"], size, blob)
    mkimage.describe(registry, name, "latest", [layer], ["sha256:" + diff_id.hexdigest()], config=BOOTS)


def busybox_image(registry, busybox):
    init = Layer().dir("sbin").symlink("sbin/init", "/bin/busybox").add("etc/inittab", data=INITTAB)
    init.dir("dev").dir("proc").dir("sys").dir("run").dir("var")
    mkimage.image(registry, "test/boot-busybox", "latest", [mkimage.busybox_layer(busybox), init.done()], config=BOOTS)


def hostile_images(registry, payload):
    base = mkimage.payload_layer(payload)
    for tag, words in HOSTILE.items():
        init = Layer().dir("sbin").symlink("sbin/init", "/payload").add("etc/init-words", data=words.encode() + b"\n")
        init.dir("dev").dir("proc").dir("sys").dir("run").dir("var")
        mkimage.image(registry, "test/boot-hostile", tag, [base, init.done()], config=BOOTS)


class BootLayout(mkimage.Layout):
    def manifest(self, name, tag, data, media_type):
        name = name.removeprefix("test/")
        super().manifest(name, name if tag == "latest" else f"{name}-{tag}", data, media_type)


def main(where, work, payload, busybox, *tars):
    registry = BootLayout(where) if "/" in where else mkimage.Registry(where)
    busybox_image(registry, busybox)
    hostile_images(registry, mkimage.read(payload))
    for tar in tars:
        root_image(registry, work, tar)


if __name__ == "__main__":
    main(*sys.argv[1:])
