#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A registry that misbehaves on request. Python's standard library only; for tests.

    tests/registry/fake_registry.py [--layout DIR] [options] > out &

It binds 127.0.0.1 on free ports, prints one line, and serves until it is killed or the process that started it is gone:

    registry 127.0.0.1:PORT1 elsewhere 127.0.0.1:PORT2

"elsewhere" is another origin: the target of blob redirects and, on request, the token service. Every request is a line of JSON in
--log FILE: {"at": "registry|elsewhere", "method", "path", "authorization", "accept", "range", "status"}.

Images: --layout DIR serves an OCI image layout as repository "layout" (its ref names are the tags). Besides, these are made up:

    test/image:oci       OCI index -> manifest, three layers (gzip, plain tar, gzip of two members)
    test/image:manifest  the same manifest without an index
    test/image:docker    Docker manifest list -> schema 2      test/image:docker2  schema 2 alone
    test/image:nested    index in an index                     test/image:deep     indexes nested without end
    test/image:attested  index with an attestation first       test/image:other    index without this machine's platform
    test/image:v1        schema 1                              test/image:foreign  a foreign layer with urls
    test/image:both      manifest and index in one             test/image:liar     mediaType disagrees with Content-Type
    test/image:many      twenty layers
    test/image:big       one layer of --big MiB of noise       test/image:twice    the same layer twice

--auth none|bearer|basic|loop|multi    who may read: user:secret (basic; bearer gives a token to that user, or to anybody if
                                       --anonymous); loop: 401 whatever comes; multi: several challenges in one header line
--access-token    the token service says access_token instead of token
--expire N        a token is good for N requests
--realm URL       named as token service instead of our own; "elsewhere": ours, at the other origin
--redirect KIND   blobs: 307 to elsewhere (cdn), for ever (loop), to a URL with a user in it (user), to file: (file), to https (tls);
                  cdn401: to elsewhere, which answers 401 with a challenge
--fault KIND      digest (blobs' bytes are wrong), long, short (of what the manifest says, consistent Content-Length), truncate
                  (the connection ends early), chunked-truncate, header-digest (a wrong Docker-Content-Digest), headers (endless),
                  body (endless manifest), manifest-digest (other bytes for manifests by digest), slow (16 KiB/s), hang;
                  of layers: reset-once (half, then a reset; the rest is given to whom asks for it), restart-once (the same, but Range
                  is not known), reset (each time), busy-once (503 and Retry-After: 1), busy (each time)
--status N        blobs answer N; --manifest-status N: manifests do. --code CODE: with this error code in the body
--tls CERT KEY    speak TLS (PEM files)
"""
import argparse
import base64
import gzip
import hashlib
import io
import json
import os
import platform
import random
import socket
import ssl
import struct
import tarfile
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

OCI = "application/vnd.oci.image."
DOCKER = "application/vnd.docker."
TYPES = {
    "oci": (OCI + "index.v1+json", OCI + "manifest.v1+json", OCI + "config.v1+json", OCI + "layer.v1.tar"),
    "docker": (
        DOCKER + "distribution.manifest.list.v2+json",
        DOCKER + "distribution.manifest.v2+json",
        DOCKER + "container.image.v1+json",
        DOCKER + "image.rootfs.diff.tar",
    ),
}
MACHINE = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm"}.get(platform.machine(), platform.machine())
HERE = {"os": "linux", "architecture": MACHINE}


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def tar(*files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in files:
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), 1700000000
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


class Content:
    """Blobs by digest; manifests by repository and tag or digest."""

    def __init__(self, big):
        self.blobs, self.manifests = {}, {}
        self.big = big

    def blob(self, data):
        self.blobs[digest(data)] = data
        return digest(data)

    def manifest(self, repository, tag, media_type, document):
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        for reference in (tag, digest(data)):
            if reference:
                self.manifests[repository, reference] = (media_type, data)
        return {"mediaType": media_type, "digest": digest(data), "size": len(data)}

    def image(self, kind, layers, tag=None, tweak=None, architecture=MACHINE):
        """layers: (diff, blob, media type suffix). Returns the manifest's descriptor."""
        _, manifest_type, config_type, layer_type = TYPES[kind]
        config = json.dumps(
            {
                "os": "linux",
                "architecture": architecture,
                "config": {"Cmd": ["/hello"], "Env": ["PATH=/"]},
                "rootfs": {"type": "layers", "diff_ids": [digest(diff) for diff, _, _ in layers]},
            }
        ).encode()
        separator = "." if kind == "docker" else "+"
        document = {
            "schemaVersion": 2,
            "mediaType": manifest_type,
            "config": {"mediaType": config_type, "digest": self.blob(config), "size": len(config)},
            "layers": [
                {
                    "mediaType": layer_type + (separator + suffix if suffix else ""),
                    "digest": self.blob(blob),
                    "size": len(blob),
                }
                for _, blob, suffix in layers
            ],
        }
        if tweak:
            tweak(document)
        return self.manifest("test/image", tag, manifest_type, document)

    def index(self, kind, entries, tag=None):
        media_type = TYPES[kind][0]
        document = {"schemaVersion": 2, "mediaType": media_type, "manifests": entries}
        return self.manifest("test/image", tag, media_type, document)

    def make_up(self):
        one, two, three = tar(("hello", b"hello\n")), tar(("etc/two", b"2" * 70000)), tar(("three", b"3\n"))
        middle = len(three) // 2
        members = gzip.compress(three[:middle], mtime=0) + gzip.compress(three[middle:], mtime=0)
        layers = [(one, gzip.compress(one, mtime=0), "gzip"), (two, two, ""), (three, members, "gzip")]
        docker_layers = [(diff, gzip.compress(diff, mtime=0), "gzip") for diff, _, _ in layers]
        oci = {**self.image("oci", layers, "manifest"), "platform": HERE}
        docker = {**self.image("docker", docker_layers, "docker2"), "platform": HERE}
        far = {"os": "linux", "architecture": "s390x"}
        other = {**self.image("oci", layers, architecture=far["architecture"]), "platform": far}
        attestation = {
            **self.manifest("test/image", None, TYPES["oci"][1], {"schemaVersion": 2, "attestation": True}),
            "platform": {"os": "unknown", "architecture": "unknown"},
            "annotations": {"vnd.docker.reference.type": "attestation-manifest"},
        }
        self.index("oci", [other, oci], "oci")
        self.index("docker", [docker], "docker")
        self.index("oci", [attestation, oci], "attested")
        self.index("oci", [other], "other")
        self.index("oci", [self.index("oci", [oci])], "nested")
        deep = self.index("oci", [oci])
        for _ in range(20):
            deep = self.index("oci", [deep])
        self.manifests["test/image", "deep"] = self.manifests["test/image", deep["digest"]]
        self.manifest(
            "test/image",
            "v1",
            DOCKER + "distribution.manifest.v1+prettyjws",
            {"schemaVersion": 1, "name": "test/image", "tag": "v1", "fsLayers": [], "history": []},
        )

        def foreign(document):
            document["layers"][0]["mediaType"] = DOCKER + "image.rootfs.foreign.diff.tar.gzip"
            document["layers"][0]["urls"] = ["http://127.0.0.1:9/layer"]

        self.image("docker", docker_layers, "foreign", foreign)
        self.image("oci", layers, "both", lambda document: document.update(manifests=[oci]))
        self.image("oci", layers, "liar", lambda document: document.update(mediaType=TYPES["oci"][0]))
        self.image("oci", [layers[0], layers[0]], "twice")
        many = [tar((f"file{n}", b"%d\n" % n)) for n in range(20)]
        self.image("oci", [(diff, gzip.compress(diff, mtime=0), "gzip") for diff in many], "many")
        noise = tar(("noise", random.Random(1).randbytes(self.big << 20)))
        self.image("oci", [(noise, noise, "")], "big")

    def load(self, layout):
        blobs = os.path.join(layout, "blobs", "sha256")
        for name in os.listdir(blobs):
            with open(os.path.join(blobs, name), "rb") as file:
                self.blobs["sha256:" + name] = file.read()
        with open(os.path.join(layout, "index.json"), encoding="utf-8") as file:
            self.serve_entries(json.load(file)["manifests"])

    def serve_entries(self, entries):
        for entry in entries:
            data = self.blobs.get(entry["digest"])
            if data is None:
                continue
            tag = entry.get("annotations", {}).get("org.opencontainers.image.ref.name")
            self.manifest("layout", tag, entry["mediaType"], data)
            self.serve_entries(json.loads(data).get("manifests", []))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "fake"
    status = 0

    def log_message(self, *_):
        pass

    def handle(self):
        # A TLS greeting on a plain port never has a line end: close it as a real server does.
        if not self.server.tls and self.connection.recv(1, socket.MSG_PEEK) == b"\x16":
            return
        try:
            super().handle()
        except (ConnectionError, ssl.SSLError):
            pass

    def note(self):
        if not self.server.log:
            return
        line = {
            "at": self.server.role,
            "method": self.command,
            "path": self.path,
            "authorization": self.headers.get("Authorization"),
            "accept": self.headers.get("Accept"),
            "range": self.headers.get("Range"),
            "status": self.status,
        }
        with self.server.lock:
            self.server.log.write(json.dumps(line) + "\n")
            self.server.log.flush()

    def answer(self, status, data=b"", headers=(), length=None):
        self.status = status
        self.note()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.send_body(data)
        if length is not None and length != len(data):
            self.close_connection = True

    def send_body(self, data):
        if self.server.options.fault == "slow":
            for at in range(0, len(data), 4096):
                self.wfile.write(data[at : at + 4096])
                self.wfile.flush()
                time.sleep(0.25)
        else:
            self.wfile.write(data)

    def refuse(self, status, code, message, headers=()):
        code = self.server.options.code or code
        body = {"errors": [{"code": code, "message": message}]} if code else {}
        headers = [("Content-Type", "application/json"), *headers]
        if status == 429:
            headers.append(("Retry-After", "7"))
        self.answer(status, json.dumps(body).encode() if body else b"", headers)

    # Credentials

    def origin(self, server):
        scheme = "https" if self.server.options.tls else "http"
        return f"{scheme}://127.0.0.1:{server.server_port}"

    def challenge(self):
        options = self.server.options
        own = self.server.elsewhere if options.realm == "elsewhere" else self.server.registry
        realm = options.realm if options.realm and options.realm != "elsewhere" else self.origin(own) + "/token?x=1"
        bearer = f'Bearer realm="{realm}",service="fake, registry",scope="repository:other:pull,push"'
        if options.auth == "basic":
            return 'Basic realm="fake, registry"'
        if options.auth == "multi":
            return f'Negotiate, NTLM abcd==, bAsIc realm="fake, registry", {bearer}'
        return bearer

    def is_user(self):
        return self.headers.get("Authorization") == "Basic " + base64.b64encode(b"user:secret").decode()

    def is_allowed(self):
        options, given = self.server.options, self.headers.get("Authorization", "")
        if options.auth == "none":
            return True
        if options.auth == "basic":
            return self.is_user()
        if options.auth == "loop" or not given.startswith("Bearer "):
            return False
        with self.server.lock:
            left = self.server.tokens.get(given[7:], 0)
            if left > 0:
                self.server.tokens[given[7:]] = left - 1
        return left > 0

    def token(self, query):
        options = self.server.options
        if "Authorization" in self.headers and not self.is_user():
            self.refuse(401, "UNAUTHORIZED", "incorrect username or password")
            return
        if "Authorization" not in self.headers and not options.anonymous:
            self.refuse(401, "UNAUTHORIZED", "authentication required")
            return
        scope = urllib.parse.parse_qs(query).get("scope", [""])[0]
        if not scope.startswith("repository:") or not scope.endswith(":pull"):
            self.refuse(400, "UNSUPPORTED", "scope is " + scope)
            return
        token = base64.urlsafe_b64encode(os.urandom(18)).decode()
        with self.server.lock:
            self.server.tokens[token] = options.expire or 1 << 30
        name = "access_token" if options.access_token else "token"
        self.answer(200, json.dumps({name: token, "expires_in": 300}).encode())

    # Content

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        options = self.server.options
        if options.fault == "hang":
            self.note()
            time.sleep(3600)
        if url.path == "/token":
            self.token(url.query)
        elif self.server.role == "elsewhere":
            self.elsewhere(url.path)
        elif not self.is_allowed():
            self.refuse(401, "UNAUTHORIZED", "authentication required", [("WWW-Authenticate", self.challenge())])
        elif url.path == "/v2/":
            self.answer(200, b"{}")
        else:
            parts = url.path.split("/")
            repository, kind, reference = "/".join(parts[2:-2]), parts[-2], parts[-1]
            if kind == "manifests":
                self.send_manifest(repository, reference)
            else:
                self.send_blob(reference, redirect=options.redirect)

    def elsewhere(self, path):
        if self.server.options.redirect == "cdn401":
            challenge = f'Bearer realm="{self.origin(self.server.elsewhere)}/token",service="steal"'
            self.refuse(401, "UNAUTHORIZED", "authentication required", [("WWW-Authenticate", challenge)])
        else:
            self.send_blob(path.split("/")[-1], redirect=None)

    def endless(self, start):
        self.note()
        self.wfile.write(start)
        while True:
            self.wfile.write(b"X-Filler: " + b"x" * 1000 + b"\r\n")

    def send_manifest(self, repository, reference):
        options = self.server.options
        if options.manifest_status:
            self.refuse(options.manifest_status, None, "as asked for")
            return
        if options.fault == "headers":
            self.endless(b"HTTP/1.1 200 OK\r\n")
        if options.fault == "body":
            self.endless(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n")
        found = self.server.content.manifests.get((repository, reference))
        if not found:
            known = any(name == repository for name, _ in self.server.content.manifests)
            if known:
                self.refuse(404, "MANIFEST_UNKNOWN", "manifest unknown")
            else:
                self.refuse(404, "NAME_UNKNOWN", "repository name not known to registry")
            return
        media_type, data = found
        if reference.startswith("sha256:") and options.fault == "manifest-digest":
            data = data.replace(b"{", b"{ ", 1)[:-1] + b"}"
        told = digest(b"other") if options.fault == "header-digest" else digest(data)
        self.answer(200, data, [("Content-Type", media_type + "; charset=utf-8"), ("Docker-Content-Digest", told)])

    def send_redirect(self, kind, name):
        target = {
            "cdn": f"{self.origin(self.server.elsewhere)}/cdn/{name}?signature=secret",
            "cdn401": f"{self.origin(self.server.elsewhere)}/cdn/{name}",
            "loop": f"/v2/test/image/blobs/{name}",
            "user": f"http://user:secret@127.0.0.1:{self.server.elsewhere.server_port}/cdn/{name}",
            "file": "file:///etc/passwd",
            "tls": f"https://127.0.0.1:{self.server.elsewhere.server_port}/cdn/{name}",
        }[kind]
        self.answer(307, b"go there", [("Location", target)])

    def send_rest(self, data, headers):
        """All of it, or what Range: bytes=N- asks for."""
        start = self.headers.get("Range", "")[len("bytes=") :].rstrip("-")
        if not start or self.server.options.fault == "restart-once":
            return 200, data, headers
        told = ("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        return 206, data[int(start) :], [*headers, told]

    def send_passing_fault(self, fault, name, data, headers):
        kind, _, once = fault.partition("-")
        with self.server.lock:
            first = name not in self.server.tokens
            self.server.tokens[name] = 0
        status, rest, headers = self.send_rest(data, headers)
        if once and not first:
            self.answer(status, rest, headers)
        elif kind == "busy":
            self.refuse(503, None, "busy", [("Retry-After", "1")] if once else [])
        else:
            self.answer(status, rest[: len(rest) // 2], headers, length=len(rest))
            self.wfile.flush()
            time.sleep(0.1)  # a reset throws away what was not read yet
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def send_blob(self, name, redirect):
        options = self.server.options
        if options.status:
            self.refuse(options.status, None, "as asked for")
            return
        data = self.server.content.blobs.get(name)
        if data is None:
            self.refuse(404, "BLOB_UNKNOWN", "blob unknown to registry")
            return
        if redirect:
            self.send_redirect(redirect, name)
            return
        headers = [("Content-Type", "application/octet-stream")]
        if data[:1] == b"{":  # configs stay right: the layers are what is tested
            self.answer(200, data, headers)
        elif options.fault in ("reset", "reset-once", "restart-once", "busy", "busy-once"):
            self.send_passing_fault(options.fault, name, data, headers)
        elif options.fault == "digest":
            self.answer(200, data[:-1] + bytes([data[-1] ^ 1]), headers)
        elif options.fault == "long":
            self.answer(200, data + b"more", headers)
        elif options.fault == "short":
            self.answer(200, data[:-1], headers)
        elif options.fault == "truncate":
            self.answer(200, data[: len(data) // 2], headers, length=len(data))
        elif options.fault == "chunked-truncate":
            self.note()
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"%x\r\n" % len(data) + data[: len(data) // 2])
            self.close_connection = True
        else:
            self.answer(200, data, headers)


def make_server(role, options, content, shared):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.role, server.options, server.content = role, options, content
    server.tls = bool(options.tls)
    server.lock, server.tokens, server.log = shared
    if options.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*options.tls)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    return server


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layout")
    parser.add_argument("--log")
    parser.add_argument("--big", type=int, default=1)
    parser.add_argument("--auth", default="none", choices=["none", "bearer", "basic", "loop", "multi"])
    parser.add_argument("--anonymous", action="store_true")
    parser.add_argument("--access-token", action="store_true")
    parser.add_argument("--expire", type=int, default=0)
    parser.add_argument("--realm")
    parser.add_argument("--redirect", choices=["cdn", "cdn401", "loop", "user", "file", "tls"])
    parser.add_argument("--fault")
    parser.add_argument("--status", type=int)
    parser.add_argument("--manifest-status", type=int)
    parser.add_argument("--code")
    parser.add_argument("--tls", nargs=2)
    options = parser.parse_args()
    parent = os.getppid()

    content = Content(options.big)
    content.make_up()
    if options.layout:
        content.load(options.layout)
    log = open(options.log, "a", encoding="utf-8") if options.log else None
    shared = (threading.Lock(), {}, log)
    servers = [make_server(role, options, content, shared) for role in ("registry", "elsewhere")]
    for server in servers:
        server.registry, server.elsewhere = servers
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print("registry 127.0.0.1:%d elsewhere 127.0.0.1:%d" % tuple(s.server_port for s in servers), flush=True)
    while os.getppid() == parent:
        time.sleep(0.2)


if __name__ == "__main__":
    main()
