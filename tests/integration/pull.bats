#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# racker pull: from a real registry on loopback, plain HTTP as docker does there; and from one that lies.
load lib

# Each test has a store of its own, so that a pull is a first pull.
setup() {
	export RACKER_ROOT=$TMP/pull-root
	rm -rf "$RACKER_ROOT"
	snapshot >"$TMP/before"
}
teardown() {
	[ -z "${server:-}" ] || kill "$server" 2>/dev/null || true
	nothing_left
	rm -rf "$TMP/pull-root"
}

digest_of() {
	python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$TMP/digests.json" "$1"
}

@test "plain lines of docker on stdout, the canonical name last" {
	try "$RACKER" pull "$REG/test/payload"
	status_is 0
	out_has 'Using default tag: latest'
	out_line 'latest: Pulling from test/payload'
	out_line '[0-9a-f]{12}: Pull complete'
	out_line 'Digest: sha256:[0-9a-f]{64}'
	out_line "Status: Downloaded newer image for $REG/test/payload:latest"
	[ "$(tail -n1 <<<"$out")" = "$REG/test/payload:latest" ]
	err_is_empty
}

@test "a tag given: no line about the default" {
	try "$RACKER" pull "$REG/test/payload:latest"
	status_is 0
	out_lacks 'Using default tag'
}

@test "-q prints the canonical name alone" {
	try "$RACKER" pull -q "$REG/test/payload"
	status_is 0
	out_is "$REG/test/payload:latest"
	err_is_empty
}

@test "docker:// is accepted" {
	try "$RACKER" pull -q "docker://$REG/test/payload"
	status_is 0
	out_is "$REG/test/payload:latest"
}

@test "a second pull is up to date and transfers nothing" {
	"$RACKER" pull -q "$REG/test/payload"
	try "$RACKER" pull "$REG/test/payload"
	status_is 0
	out_line "Status: Image is up to date for $REG/test/payload:latest"
	out_lacks 'Pull complete'
}

@test "a layer that is there already is not fetched again" {
	"$RACKER" pull -q "$REG/test/busybox"
	try "$RACKER" pull "$REG/test/shared"
	status_is 0
	out_line '[0-9a-f]{12}: Already exists'
	out_line '[0-9a-f]{12}: Pull complete'
}

@test "by digest" {
	try "$RACKER" pull -q "$REG/test/payload@$(digest_of payload)"
	status_is 0
	out_is "$REG/test/payload@$(digest_of payload)"
	try prun "$REG/test/payload@$(digest_of payload)" /payload exit 3
	status_is 3
}

@test "tag and digest: the digest wins" {
	try "$RACKER" pull "$REG/test/payload:nosuchtag@$(digest_of payload)"
	status_is 0
}

@test "a digest that the registry does not have" {
	try "$RACKER" pull "$REG/test/payload@sha256:$(printf '0%.0s' {1..64})"
	status_is 1
	err_has 'not found'
}

@test "an absent tag, in docker's words" {
	try "$RACKER" pull "$REG/test/payload:nope"
	status_is 1
	err_has "manifest for $REG/test/payload:nope not found: manifest unknown"
}

@test "an absent repository" {
	try "$RACKER" pull "$REG/nosuch/repo"
	status_is 1
	[ -n "$err" ]
}

@test "nobody listens there" {
	try "$RACKER" pull "127.0.0.1:1/x/y"
	status_is 1
	[ -n "$err" ]
	[ "$(grep -c . <<<"$err")" -le 3 ]
}

@test "bad references, in docker's words" {
	try "$RACKER" pull Foo
	status_is 1
	err_has 'invalid reference format: repository name (library/Foo) must be lowercase'
	try "$RACKER" pull 'a b'
	status_is 1
	err_has 'invalid reference format'
	try "$RACKER" pull "$(printf 'a%.0s' {1..64})"
	status_is 1
	err_has 'cannot specify 64-byte hexadecimal strings'
}

@test "OCI index: our platform is chosen, attestations are passed over" {
	"$RACKER" pull -q "$REG/test/payload:index"
	try prun "$REG/test/payload:index" /payload env
	status_is 0
	out_line 'ARCH=amd64'
}

@test "Docker manifest list" {
	"$RACKER" pull -q "$REG/test/payload:list"
	try prun "$REG/test/payload:list" /payload env
	out_line 'ARCH=amd64'
}

@test "--platform takes another, variants match" {
	try "$RACKER" pull --platform linux/arm64 "$REG/test/payload:index"
	status_is 0
	try "$RACKER" inspect "$REG/test/payload:index"
	out_has 'ARCH=arm64'
	try "$RACKER" pull -q --platform linux/arm/v7 "$REG/test/payload:index"
	status_is 0
	try "$RACKER" inspect "$REG/test/payload:index"
	out_has 'ARCH=arm'
}

@test "no manifest for our platform, in docker's words" {
	try "$RACKER" pull "$REG/test/payload:foreign"
	status_is 1
	err_has 'no matching manifest for linux/amd64 in the manifest list entries'
}

@test "a bad --platform is refused" {
	try "$RACKER" pull --platform 'linux/no such' "$REG/test/payload:index"
	[ "$status" -ne 0 ]
}

@test "layers as zstd, plain tar, gzip of several members, Docker's media types" {
	local tag
	for tag in zstd plain multigzip docker; do
		rm -rf "$RACKER_ROOT"
		try "$RACKER" pull -q "$REG/test/payload:$tag"
		status_is 0
		try prun "$REG/test/payload:$tag" /payload exit 5
		status_is 5
	done
}

@test "the same content under another compression is the same layer" {
	"$RACKER" pull -q "$REG/test/payload"
	"$RACKER" pull -q "$REG/test/payload:zstd"
	[ "$(ls "$RACKER_ROOT/layers" | wc -l)" -eq 1 ]
}

@test "kill -9 in the middle; the next pull clears up and ends well" {
	local pid
	"$RACKER" pull "$REG/test/slow" >"$TMP/slow" 2>&1 3>&- &
	pid=$!
	wait_for 10 file_has "$TMP/slow" 'Pulling fs layer'
	kill -9 "$pid"
	wait "$pid" 2>/dev/null || true
	try "$RACKER" images -q
	out_is ''
	# Workers end by themselves when their parent is gone.
	wait_for 5 gone "$pid"
	try "$RACKER" pull -q "$REG/test/slow"
	status_is 0
	[ -z "$(ls "$RACKER_ROOT/ingest")" ]
	try prun "$REG/test/slow" /payload exit 4
	status_is 4
}

@test "Ctrl-C in the middle: ends at once, nothing half-named" {
	local pid code=0
	# A job of its own, so that SIGINT is not ignored as it is in a background command of a script.
	python3 - "$RACKER" "$REG/test/slow" <<'T'
import signal, subprocess, sys, time
p = subprocess.Popen([sys.argv[1], "pull", sys.argv[2]], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                     preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
while b"Pulling fs layer" not in p.stdout.readline():
    pass
begin = time.monotonic()
p.send_signal(signal.SIGINT)
p.communicate(timeout=10)
assert p.returncode != 0, p.returncode
assert time.monotonic() - begin < 5
T
	try "$RACKER" images -q
	out_is ''
	[ -z "$(ls "$RACKER_ROOT/ingest" 2>/dev/null)" ]
}

@test "two pulls of one image at once: both end well, one copy" {
	local a b
	"$RACKER" pull -q "$REG/test/slow" >"$TMP/p1" 2>&1 3>&- &
	a=$!
	"$RACKER" pull -q "$REG/test/slow" >"$TMP/p2" 2>&1 3>&- &
	b=$!
	wait "$a"
	wait "$b"
	[ "$(ls "$RACKER_ROOT/layers" | wc -l)" -eq 5 ]
	[ -z "$(ls "$RACKER_ROOT/ingest")" ]
}

@test "the store is closed to others (mode 0700)" {
	"$RACKER" pull -q "$REG/test/payload"
	[ "$(stat -c %a "$RACKER_ROOT/layers")" = 700 ] || [ "$(stat -c %a "$RACKER_ROOT")" = 700 ]
	if id nobody >/dev/null 2>&1; then
		! setpriv --reuid 65534 --regid 65534 --clear-groups ls "$RACKER_ROOT/layers" 2>/dev/null
	fi
}

@test "an operand too few or too many" {
	try "$RACKER" pull
	status_is 1
	err_has "requires"
	try "$RACKER" pull a b
	status_is 1
}
