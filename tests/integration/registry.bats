#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# racker pull from a registry that misbehaves: refusals, lies, redirects, endless answers. tests/registry/fake_registry.py plays it.
load lib

setup() {
	export RACKER_ROOT=$TMP/registry-root
	rm -rf "$RACKER_ROOT" "$TMP/requests"
	server=
	snapshot >"$TMP/before"
}
teardown() {
	stop_server
	nothing_left
	rm -rf "$TMP/registry-root"
}

# serve OPTIONS... : start it; fake, elsewhere: where it listens
serve() {
	stop_server
	rm -f "$TMP/ports"
	python3 "$TOP/tests/registry/fake_registry.py" --log "$TMP/requests" "$@" >"$TMP/ports" 2>"$TMP/server.err" 3>&- &
	server=$!
	wait_for 10 file_has "$TMP/ports" elsewhere
	read -r _ fake _ elsewhere <"$TMP/ports"
}
stop_server() {
	[ -z "$server" ] || { kill "$server" && wait "$server"; } 2>/dev/null || true
	server=
}
# A refused pull: its message, and nothing of it in the store.
refused() {
	status_is 1
	[ -n "$err" ] || say 'no message'
	[ "$("$RACKER" images -q | wc -l)" -eq 0 ] || say 'an image was recorded'
	[ -z "$(find "$RACKER_ROOT"/layers "$RACKER_ROOT"/ingest -mindepth 1 -maxdepth 1 2>/dev/null)" ] || say "$(ls "$RACKER_ROOT"/layers "$RACKER_ROOT"/ingest)"
}

@test "every form of image that it serves" {
	local tag
	serve
	for tag in oci manifest docker docker2 nested attested twice many; do
		try "$RACKER" pull -q "$fake/test/image:$tag"
		status_is 0 || { echo "$tag" >&2; return 1; }
	done
}

@test "what is no image for us is refused" {
	local tag
	serve
	for tag in deep other v1 both liar; do
		try "$RACKER" pull -q "$fake/test/image:$tag"
		refused || { echo "$tag" >&2; return 1; }
	done
}

@test "urls of a foreign layer are never followed" {
	serve
	try "$RACKER" pull -q "$fake/test/image:foreign"
	! grep -q '"at": "elsewhere"' "$TMP/requests"
}

@test "wrong bytes, wrong sizes, broken connections, other documents: refused, nothing kept" {
	local fault
	for fault in digest long short truncate chunked-truncate manifest-digest; do
		serve --fault "$fault"
		try timeout 60 "$RACKER" pull -q "$fake/test/image:oci"
		refused || { echo "$fault" >&2; return 1; }
	done
}

@test "a wrong Docker-Content-Digest is refused" {
	serve --fault header-digest
	try "$RACKER" pull -q "$fake/test/image:oci"
	refused
}

@test "endless headers and bodies end, by a limit" {
	local fault
	for fault in headers body; do
		serve --fault "$fault"
		try timeout 60 "$RACKER" pull -q "$fake/test/image:oci"
		refused || { echo "$fault" >&2; return 1; }
	done
}

@test "a token is fetched without an account" {
	serve --auth bearer --anonymous
	try "$RACKER" pull -q "$fake/test/image:oci"
	status_is 0
	grep -q 'scope=repository' "$TMP/requests"
}

@test "the token's other name, and several challenges in one line" {
	serve --auth bearer --anonymous --access-token
	try "$RACKER" pull -q "$fake/test/image:oci"
	status_is 0
	rm -rf "$RACKER_ROOT"
	serve --auth multi --anonymous
	try "$RACKER" pull -q "$fake/test/image:oci"
	status_is 0
}

@test "a token that expires in the middle is fetched again" {
	serve --auth bearer --anonymous --expire 2
	try "$RACKER" pull -q "$fake/test/image:oci"
	status_is 0
}

@test "no account, and one is asked for: docker's words" {
	serve --auth basic
	try "$RACKER" pull -q "$fake/test/image:oci"
	refused
	grep -qiE 'unauthorized|denied|no basic auth' <<<"$err"
	serve --auth bearer
	try "$RACKER" pull -q "$fake/test/image:oci"
	refused
}

@test "401 for ever ends" {
	serve --auth loop
	try timeout 30 "$RACKER" pull -q "$fake/test/image:oci"
	refused
	[ "$(wc -l <"$TMP/requests")" -le 12 ]
}

@test "a redirect to another host: followed, without Authorization" {
	serve --auth bearer --anonymous --redirect cdn
	try "$RACKER" pull -q "$fake/test/image:oci"
	status_is 0
	python3 - "$TMP/requests" <<'T'
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
cdn = [l for l in lines if l["at"] == "elsewhere"]
assert cdn, "nobody went there"
assert not [l for l in cdn if l["authorization"]], cdn
assert [l for l in lines if l["at"] == "registry" and l["authorization"]], "the registry itself did get it"
T
}

@test "a challenge of the other host gets nothing" {
	serve --auth bearer --anonymous --redirect cdn401
	try "$RACKER" pull -q "$fake/test/image:oci"
	refused
	python3 - "$TMP/requests" <<'T'
import json, sys
assert not [l for l in map(json.loads, open(sys.argv[1])) if l["at"] == "elsewhere" and l["authorization"]]
T
}

@test "redirects without end, to files, to other schemes, with a user in them" {
	local kind
	for kind in loop file; do
		serve --redirect "$kind"
		try timeout 60 "$RACKER" pull -q "$fake/test/image:oci"
		refused || { echo "$kind" >&2; return 1; }
	done
}

@test "statuses: 404, 403, 429, 500 have their message, and end" {
	local code
	for code in 404 403 429 500 503; do
		serve --manifest-status "$code"
		try timeout 120 "$RACKER" pull -q "$fake/test/image:oci"
		refused || { echo "$code" >&2; return 1; }
	done
	serve --status 404
	try timeout 120 "$RACKER" pull -q "$fake/test/image:oci"
	refused
}

@test "docker's words for a rate limit" {
	serve --manifest-status 429 --code TOOMANYREQUESTS
	try timeout 120 "$RACKER" pull -q "$fake/test/image:oci"
	refused
	err_has toomanyrequests
}

@test "twenty layers: at most four at a time, all of them" {
	serve
	try "$RACKER" pull "$fake/test/image:many"
	status_is 0
	[ "$(grep -c 'Pull complete' <<<"$out")" -eq 20 ]
}

@test "run of what cannot be pulled: 125, stdout clean" {
	serve --fault digest
	try "$RACKER" run --rm "$fake/test/image:oci" /x
	status_is 125
	out_is ''
}
