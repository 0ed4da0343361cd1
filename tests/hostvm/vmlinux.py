#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""vmlinux.py VMLINUZ VMLINUX: the kernel inside a bzImage, unpacked.

QEMU starts an ELF kernel by its PVH entry, which spares the emulated processor the unpacking (10 to 20 s of it). The compressed kernel
lies somewhere in the bzImage (Linux, Documentation/arch/x86/boot.rst), so each place that looks like the beginning of one is tried.
"""
import lzma
import subprocess
import sys
import zlib

BEGINNINGS = {"xz": b"\xfd7zXZ\0", "zstd": b"\x28\xb5\x2f\xfd", "gzip": b"\x1f\x8b\x08"}


def unpack(how, data):
    """What @data begins with, unpacked; b"" if it is no such stream. What follows the stream does not matter."""
    try:
        if how == "xz":
            return lzma.LZMADecompressor().decompress(data)
        if how == "gzip":
            return zlib.decompressobj(31).decompress(data)
    except (lzma.LZMAError, zlib.error):
        return b""
    return subprocess.run(["zstd", "-dcq"], input=data, capture_output=True, check=False).stdout


def main(source, target):
    with open(source, "rb") as f:
        image = f.read()
    for how, beginning in BEGINNINGS.items():
        at = image.find(beginning)
        while at >= 0:
            kernel = unpack(how, image[at:])
            if kernel.startswith(b"\x7fELF"):
                with open(target, "wb") as f:
                    f.write(kernel)
                return 0
            at = image.find(beginning, at + 1)
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
