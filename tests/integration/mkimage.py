#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The images of the tests, made by hand and pushed over HTTP.

mkimage.py suite HOST:PORT WORKDIR PAYLOAD BUSYBOX [OSTAR]   all of them, into a registry; and an OCI layout WORKDIR/layout
mkimage.py push HOST:PORT/NAME:TAG TAR[,gzip|,zstd|,plain]...  one image of these layers
"""
import gzip
import hashlib
import http.client
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile

OCI = {
    "manifest": "application/vnd.oci.image.manifest.v1+json",
    "index": "application/vnd.oci.image.index.v1+json",
    "config": "application/vnd.oci.image.config.v1+json",
    "gzip": "application/vnd.oci.image.layer.v1.tar+gzip",
    "zstd": "application/vnd.oci.image.layer.v1.tar+zstd",
    "plain": "application/vnd.oci.image.layer.v1.tar",
}
DOCKER = {
    "manifest": "application/vnd.docker.distribution.manifest.v2+json",
    "index": "application/vnd.docker.distribution.manifest.list.v2+json",
    "config": "application/vnd.docker.container.image.v1+json",
    "gzip": "application/vnd.docker.image.rootfs.diff.tar.gzip",
    "zstd": "application/vnd.docker.image.rootfs.diff.tar.zstd",
    "plain": "application/vnd.docker.image.rootfs.diff.tar",
}
MTIME = 1600000000


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def compress(tar, how):
    if how == "gzip":
        return gzip.compress(tar, 6, mtime=0)
    if how == "multigzip":  # several members, as pigz and eStargz write
        third = len(tar) // 3
        return b"".join(gzip.compress(part, 6, mtime=0) for part in (tar[:third], tar[third:]))
    if how == "zstd":
        return subprocess.run(["zstd", "-q", "-c"], input=tar, check=True, capture_output=True).stdout
    return tar


# ---- registry and layout -------------------------------------------------------------------------------------------


class Registry:
    def __init__(self, host):
        self.connection = http.client.HTTPConnection(host, timeout=120)

    def request(self, method, path, body=None, headers=None, expect=(200, 201, 202)):
        self.connection.request(method, path, body, headers or {})
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status not in expect:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:300]!r}")
        return answer

    def blob(self, name, data):
        self.upload(name, digest(data), len(data), data)

    def upload(self, name, blob_digest, size, body):
        """Push a blob, unless it is there; @body may be a file open for reading."""
        if self.request("HEAD", f"/v2/{name}/blobs/{blob_digest}", expect=(200, 404)).status == 200:
            return
        where = self.request("POST", f"/v2/{name}/blobs/uploads/", b"").getheader("Location")
        if where.startswith("http"):
            where = "/" + where.split("/", 3)[3]
        where += ("&" if "?" in where else "?") + "digest=" + blob_digest
        self.request("PUT", where, body, {"Content-Type": "application/octet-stream", "Content-Length": str(size)})

    def manifest(self, name, tag, data, media_type):
        self.request("PUT", f"/v2/{name}/manifests/{tag}", data, {"Content-Type": media_type})


class Layout:
    """An OCI image layout on disk (image-spec image-layout.md)."""

    def __init__(self, path):
        self.path = path
        self.manifests = []
        os.makedirs(os.path.join(path, "blobs/sha256"), exist_ok=True)
        with open(os.path.join(path, "oci-layout"), "w", encoding="utf-8") as f:
            f.write('{"imageLayoutVersion":"1.0.0"}')

    def blob(self, _name, data):
        self.upload(None, digest(data), len(data), io.BytesIO(data))

    def upload(self, _name, blob_digest, _size, body):
        with open(os.path.join(self.path, "blobs/sha256", blob_digest[7:]), "wb") as f:
            shutil.copyfileobj(body, f)

    def manifest(self, _name, tag, data, media_type):
        self.blob(None, data)
        self.manifests.append({"mediaType": media_type, "digest": digest(data), "size": len(data),
                               "annotations": {"org.opencontainers.image.ref.name": tag}})
        with open(os.path.join(self.path, "index.json"), "w", encoding="utf-8") as f:
            json.dump({"schemaVersion": 2, "manifests": self.manifests}, f)


def image(target, name, tag, tars, how="gzip", types=None, config=None, platform=("linux", "amd64", None)):
    """Push one image; returns its descriptor for an index. @tars: bytes of plain tars, bottom first."""
    types = types or OCI
    layers = []
    for tar in tars:
        data = compress(tar, how)
        target.blob(name, data)
        kind = "gzip" if how == "multigzip" else how
        layers.append({"mediaType": types[kind], "digest": digest(data), "size": len(data)})
    return describe(target, name, tag, layers, [digest(tar) for tar in tars], types, config, platform)


def describe(target, name, tag, layers, diff_ids, types=OCI, config=None, platform=("linux", "amd64", None)):
    """Config and manifest of an image whose layers are there already; returns its descriptor for an index."""
    document = {
        "created": "2020-09-13T12:26:40Z", "os": platform[0], "architecture": platform[1],
        "config": config or {},
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "history": [{"created": "2020-09-13T12:26:40Z", "created_by": "mkimage.py"} for _ in layers],
    }
    if platform[2]:
        document["variant"] = platform[2]
    raw = json.dumps(document).encode()
    target.blob(name, raw)
    manifest = json.dumps({
        "schemaVersion": 2, "mediaType": types["manifest"],
        "config": {"mediaType": types["config"], "digest": digest(raw), "size": len(raw)},
        "layers": layers,
    }, indent=3).encode()
    target.manifest(name, tag or digest(manifest), manifest, types["manifest"])
    entry = {"os": platform[0], "architecture": platform[1]}
    if platform[2]:
        entry["variant"] = platform[2]
    return {"mediaType": types["manifest"], "digest": digest(manifest), "size": len(manifest), "platform": entry}


def index(target, name, tag, entries, types=None):
    types = types or OCI
    raw = json.dumps({"schemaVersion": 2, "mediaType": types["index"], "manifests": entries}, indent=3).encode()
    target.manifest(name, tag, raw, types["index"])
    return digest(raw)


# ---- layers ---------------------------------------------------------------------------------------------------------


class Layer:
    """A tar in the making."""

    def __init__(self):
        self.buffer = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.buffer, mode="w", format=tarfile.PAX_FORMAT)

    def add(self, path, kind=tarfile.REGTYPE, data=b"", mode=0o644, uid=0, gid=0, link="", mtime=MTIME,
            device=(0, 0), xattrs=None):
        info = tarfile.TarInfo(path)
        info.type, info.mode, info.uid, info.gid, info.linkname, info.mtime = kind, mode, uid, gid, link, mtime
        info.devmajor, info.devminor = device
        info.size = len(data) if kind == tarfile.REGTYPE else 0
        for key, value in (xattrs or {}).items():
            # As GNU tar and docker write them; the value is bytes, which tarfile passes through surrogates.
            info.pax_headers["SCHILY.xattr." + key] = value.decode("utf-8", "surrogateescape")
        self.tar.addfile(info, io.BytesIO(data))
        return self

    def dir(self, path, mode=0o755, **kw):
        return self.add(path, tarfile.DIRTYPE, mode=mode, **kw)

    def symlink(self, path, to, **kw):
        return self.add(path, tarfile.SYMTYPE, mode=0o777, link=to, **kw)

    def hardlink(self, path, to, **kw):
        return self.add(path, tarfile.LNKTYPE, link=to, **kw)

    def done(self):
        self.tar.close()
        return self.buffer.getvalue()


def read(path):
    with open(path, "rb") as f:
        return f.read()


PASSWD = b"""root:x:0:0:root:/root:/bin/sh
bob:x:1000:1001:Bob:/home/bob:/bin/sh
12345:x:1:1:a name of digits:/:/bin/sh
"""
GROUP = b"root:x:0:\nbobs:x:1001:\nextra:x:2000:bob\nmore:x:2001:alice,bob\n"


def payload_layer(payload):
    layer = Layer().dir("etc").dir("tmp", 0o1777).dir("root", 0o700).dir("home").dir("home/bob", uid=1000, gid=1001)
    layer.add("etc/passwd", data=PASSWD).add("etc/group", data=GROUP)
    layer.add("payload", data=payload, mode=0o755)
    layer.dir("bin").symlink("bin/payload", "/payload").add("etc/noexec", data=b"not a program\n")
    layer.dir("sub").add("sub/script", data=b"#!/nosuch/interpreter\n", mode=0o755)
    return layer.done()


def busybox_layer(busybox):
    layer = Layer().dir("etc").dir("tmp", 0o1777).dir("root", 0o700).dir("home").dir("home/bob", uid=1000, gid=1001)
    layer.add("etc/passwd", data=PASSWD).add("etc/group", data=GROUP).dir("bin").dir("usr").dir("usr/bin")
    layer.add("bin/busybox", data=read(busybox), mode=0o755)
    for name in subprocess.run([busybox, "--list"], check=True, capture_output=True, text=True).stdout.split():
        if name != "busybox":
            layer.symlink("bin/" + name, "busybox")
    return layer.done()


# VFS_CAP_REVISION_2, effective, CAP_NET_RAW
FILE_CAP = bytes.fromhex("0100000200200000000000000000000000000000")


def multi_layers(payload):
    """Three layers that hold every kind of entry and every way a layer changes another."""
    long_name = "long-" + "n" * 200
    one = Layer().dir("etc").add("etc/passwd", data=PASSWD).add("payload", data=payload, mode=0o755).dir("data")
    one.add("data/a", data=b"first\n").add("data/b", data=b"goes\n", mode=0o600)
    one.dir("data/keep", 0o750, uid=1000, gid=1001).add("data/keep/x", data=b"x\n", uid=1000, gid=1001)
    one.dir("data/opaque").add("data/opaque/old1", data=b"1").dir("data/opaque/sub").add("data/opaque/sub/old2", data=b"2")
    one.dir("data/dir2file").add("data/dir2file/child", data=b"c").add("data/file2dir", data=b"file\n")
    one.dir("data/dir2link").add("data/dir2link/child", data=b"c").symlink("data/link2dir", "a")
    one.symlink("data/link", "a").symlink("data/absolute", "/etc/passwd").symlink("data/dangling", "nowhere")
    one.add("data/hard1", data=b"hard\n").hardlink("data/hard2", "data/hard1")
    one.dir("usr").add("usr/one", data=b"two names\n").hardlink("usr/two", "usr/one")
    one.add("data/setuid", data=b"s", mode=0o4755).add("data/setgid", data=b"s", mode=0o2711, gid=50)
    one.dir("data/sticky", 0o1777).dir("data/empty", 0o711, mtime=MTIME + 0.5)
    one.add("data/ns", data=b"n", mtime=MTIME + 0.123456789).add("data/old", data=b"o", mtime=1)
    one.add("data/fifo", tarfile.FIFOTYPE, mode=0o640).add("data/null", tarfile.CHRTYPE, mode=0o666, device=(1, 3))
    one.add("data/block", tarfile.BLKTYPE, mode=0o660, gid=6, device=(7, 200))
    one.add("data/bigid", data=b"i", uid=3000000, gid=3000001).add("data/zero", data=b"")
    one.add("data/xattr", data=b"x", xattrs={"user.test": b"value", "user.second": "ü".encode()})
    one.add("data/filecap", data=payload, mode=0o755, xattrs={"security.capability": FILE_CAP})
    one.add("data/" + long_name, data=b"long\n").add("data/spa ce\tand\nnewline", data=b"odd\n")
    one.add("data/grün", data="ü\n".encode()).dir("data/lower").add("data/lower/only", data=b"l\n")
    one.add("data/big", data=bytes(range(256)) * 8192)

    two = Layer().dir("data").add("data/.wh.b").add("data/a", data=b"second\n")
    two.add("data/opaque/new", data=b"new").add("data/opaque/.wh..wh..opq")
    two.add("data/dir2file", data=b"now a file\n").dir("data/file2dir").add("data/file2dir/child", data=b"child\n")
    two.symlink("data/dir2link", "file2dir").dir("data/link2dir").add("data/link2dir/inside", data=b"i\n")
    two.hardlink("data/hard3", "data/hard1").dir("data/keep", 0o700, uid=1000, gid=1001)
    two.add("data/implied/deep/file", data=b"f\n").add("data/lower/added", data=b"a\n")

    three = Layer().add("data/b", data=b"back again\n", mode=0o640).add("./data/dot", data=b"d\n")
    three.add("data/twice", data=b"1\n").add("data/twice", data=b"2\n").add("data/sticky/.wh.none")
    return [one.done(), two.done(), three.done()]


# ---- the suite ------------------------------------------------------------------------------------------------------


def suite(host, work, payload_path, busybox, ostar=None):
    registry, layout = Registry(host), Layout(os.path.join(work, "layout"))
    payload = read(payload_path)
    base = payload_layer(payload)
    plain = {"Cmd": ["/payload"], "Env": ["PATH=/bin:/usr/bin", "FROM_IMAGE=yes"]}
    names = {}

    hello = Layer().add("hello", data=payload, mode=0o755).done()
    image(registry, "test/hello", "latest", [hello], types=DOCKER,
          config={"Cmd": ["/hello"], "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]})

    names["payload"] = image(registry, "test/payload", "latest", [base], config=plain)["digest"]
    for how in ("zstd", "plain", "multigzip"):
        image(registry, "test/payload", how, [base], how=how, config=plain)
    image(registry, "test/payload", "docker", [base], types=DOCKER, config=plain)
    image(registry, "test/payload", "nocmd", [base], config={})
    image(layout, "layout", "payload", [base], config=plain)

    # An index: two attestation-like entries that must be skipped, arm64 first, then ours.
    for tag, types in (("index", OCI), ("list", DOCKER)):
        entries = []
        for arch, variant in (("arm64", "v8"), ("arm", "v7"), ("amd64", None)):
            mark = dict(plain, Env=plain["Env"] + [f"ARCH={arch}"])
            entries.append(image(registry, "test/payload", None, [base], types=types, config=mark,
                                 platform=("linux", arch, variant)))
        if types is OCI:
            entries.insert(0, dict(entries[0], platform={"os": "unknown", "architecture": "unknown"},
                                   annotations={"vnd.docker.reference.type": "attestation-manifest"}))
        names[tag] = index(registry, "test/payload", tag, entries, types)
    other = image(registry, "test/payload", None, [base], config=plain, platform=("linux", "s390x", None))
    index(registry, "test/payload", "foreign", [other])

    image(registry, "test/config", "latest", [base], config={
        "Entrypoint": ["/payload", "args", "from-entrypoint"], "Cmd": ["from-cmd", "two words"],
        "Env": ["PATH=/bin", "A=1", "B=image"], "User": "bob", "WorkingDir": "/made/by/workdir", "StopSignal": "SIGINT"})

    image(registry, "test/busybox", "latest", [busybox_layer(busybox)],
          config={"Cmd": ["sh"], "Env": ["PATH=/bin:/usr/bin"]})
    # Shares its first layer with test/busybox, so that the second pull finds it.
    image(registry, "test/shared", "latest", [busybox_layer(busybox), Layer().add("extra", data=b"e\n").done()],
          config={"Cmd": ["cat", "/extra"], "Env": ["PATH=/bin"]})
    # Incompressible, so that a pull takes a moment: something to kill it in.
    slow = [Layer().add(f"blob{i}", data=os.urandom(12 << 20)).done() for i in range(4)]
    image(registry, "test/slow", "latest", [base] + slow, config=plain)

    layers = multi_layers(payload)
    image(registry, "test/multi", "latest", layers, config=plain)
    image(registry, "test/multi", "zstd", layers, how="zstd", config=plain)
    image(layout, "layout", "multi", layers, config=plain)

    # An image whose /etc and /dev are not what they should be, and a config that points at them.
    canary = Layer().dir("etc").symlink("etc/hosts", "/canary/hosts").symlink("etc/resolv.conf", "/canary/resolv.conf")
    canary.symlink("dev", "/canary/dev").symlink("proc", "/canary/proc").symlink("sys", "/canary/sys")
    canary.symlink("etc/passwd", "/dev/zero").add("payload", data=payload, mode=0o755)
    image(registry, "test/hostile", "latest", [canary.done()], config=plain)
    # Its entries try to leave the root.
    for tag, entry in (("dotdot", Layer().add("../escape", data=b"x")), ("absolute", Layer().add("/abs", data=b"x")),
                       ("through", Layer().symlink("out", "/tmp").add("out/escape", data=b"x"))):
        image(registry, "test/escape", tag, [base, entry.done()], config=plain)

    if ostar:
        image(registry, "test/os", "latest", [read(ostar)], config={
            "Cmd": ["bash"], "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]})
    with open(os.path.join(work, "digests.json"), "w", encoding="utf-8") as f:
        json.dump(names, f)


def push(reference, *layers):
    host, rest = reference.split("/", 1)
    name, tag = rest.rsplit(":", 1)
    how = {layer.partition(",")[2] or "gzip" for layer in layers}
    image(Registry(host), name, tag, [read(layer.partition(",")[0]) for layer in layers], how=how.pop(),
          config={"Cmd": ["/bin/true"], "Env": ["PATH=/usr/bin:/bin"]})


if __name__ == "__main__":
    {"suite": suite, "push": push}[sys.argv[1]](*sys.argv[2:])
