#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# images, inspect, rmi, prune, version, info; and oci: as a source.
load lib

setup() {
	export RACKER_ROOT=$TMP/images-root
	rm -rf "$RACKER_ROOT"
	snapshot >"$TMP/before"
}
teardown() {
	nothing_left
	rm -rf "$TMP/images-root"
}

P=$REG/test/payload
B=$REG/test/busybox

@test "no images: the header alone" {
	try "$RACKER" images
	status_is 0
	out_line 'REPOSITORY +TAG +IMAGE ID +CREATED +SIZE'
	[ "$(wc -l <<<"$out")" -eq 1 ]
	try "$RACKER" images -q
	out_is ''
}

@test "images: docker's columns" {
	pull payload
	try "$RACKER" images
	status_is 0
	out_line "$P +latest +[0-9a-f]{12} +.*(ago|N/A).* +[0-9.]+ ?[kMG]?B"
	try "$RACKER" images -q
	out_line '[0-9a-f]{12}'
}

@test "inspect: the JSON that scripts read" {
	pull payload
	try "$RACKER" inspect "$P"
	status_is 0
	python3 - "$TMP/out" "$P" <<'T'
import json, sys
(image,) = json.load(open(sys.argv[1]))
assert image["Id"].startswith("sha256:") and len(image["Id"]) == 71, image["Id"]
assert sys.argv[2] + ":latest" in image["RepoTags"], image["RepoTags"]
assert image["RepoDigests"][0].startswith(sys.argv[2] + "@sha256:"), image["RepoDigests"]
assert image["Architecture"] == "amd64" and image["Os"] == "linux"
assert image["Config"]["Cmd"] == ["/payload"], image["Config"]
assert "FROM_IMAGE=yes" in image["Config"]["Env"]
assert image["Created"] == "2020-09-13T12:26:40Z", image["Created"]
assert image["Size"] > 500000
T
}

@test "inspect: by a prefix of the ID; an unknown one says [] and 1" {
	pull payload
	local id
	id=$("$RACKER" images -q)
	try "$RACKER" inspect "$id"
	status_is 0
	out_has "sha256:$id"
	try "$RACKER" inspect nosuch
	status_is 1
	out_is '[]'
	err_has 'No such object: nosuch'
}

@test "rmi: Untagged, Deleted; the layers go" {
	pull payload
	try "$RACKER" rmi "$P"
	status_is 0
	out_line "Untagged: $P:latest"
	out_line 'Deleted: sha256:[0-9a-f]{64}'
	try "$RACKER" images -q
	out_is ''
	[ -z "$(ls "$RACKER_ROOT/layers")" ]
	[ -z "$(find "$RACKER_ROOT/blobs" -type f)" ]
}

@test "rmi: what another image needs stays" {
	pull busybox
	pull shared
	"$RACKER" rmi "$B"
	try prun "$REG/test/shared"
	status_is 0
	out_is e
}

@test "rmi: unknown, in docker's words" {
	try "$RACKER" rmi nosuch
	status_is 1
	err_has 'No such image: nosuch:latest'
}

@test "rmi of an image that runs is refused, or leaves it running" {
	local pid
	pull payload
	prun_bg "$P" /payload trap 15 5 >"$TMP/spin" 2>&1 &
	pid=$!
	wait_for 5 file_has "$TMP/spin" ready
	try "$RACKER" rmi "$P"
	kill -TERM "$pid"
	local code=0
	wait "$pid" || code=$?
	[ "$code" -eq 5 ]
	status_is 1
	err_has 'conflict'
}

@test "prune: what no image names is reclaimed" {
	pull payload
	pull busybox
	try "$RACKER" prune -f
	status_is 0
	out_has 'Total reclaimed space: 0B'
	try prun "$P" /payload exit 2
	status_is 2
}

@test "the same name pulled again in another form: the old layers are for prune" {
	"$RACKER" pull -q --platform linux/arm64 "$P:index"
	"$RACKER" pull -q "$P:index"
	try "$RACKER" images -q
	[ "$(wc -l <<<"$out")" -eq 1 ]
	try "$RACKER" prune -f
	status_is 0
}

@test "two names of one image" {
	"$RACKER" pull -q "$P:latest"
	"$RACKER" pull -q "$P:docker"
	"$RACKER" rmi "$P:docker"
	try prun "$P" /payload exit 3
	status_is 3
}

@test "version and info" {
	local version
	version=$(sed -n 's/^#define RACKER_VERSION "\(.*\)"/\1/p' "$TOP"/*/version.h)
	[ -n "$version" ]
	try "$RACKER" version
	status_is 0
	out_has "$version"
	try "$RACKER" --version
	status_is 0
	out_is "racker version $version"
	pull payload
	try "$RACKER" info
	status_is 0
	out_has "$RACKER_ROOT"
	out_has 'Images: 1'
}

@test "oci:DIR:REF, pulled and listed" {
	try "$RACKER" pull "oci:$TMP/layout:payload"
	status_is 0
	try "$RACKER" images
	out_has layout
	try prun "oci:$TMP/layout:payload" /payload exit 4
	status_is 4
}

@test "oci:DIR with a relative path" {
	cd "$TMP"
	try prun oci:layout:payload /payload exit 4
	status_is 4
}

@test "oci: a blob that is not what its name says is refused" {
	local blob
	cp -a "$TMP/layout" "$TMP/bad-layout"
	for blob in "$TMP"/bad-layout/blobs/sha256/*; do
		[ "$(stat -c %s "$blob")" -gt 100000 ] && printf x | dd of="$blob" bs=1 seek=5000 conv=notrunc status=none
	done
	try "$RACKER" pull "oci:$TMP/bad-layout:payload"
	rm -rf "$TMP/bad-layout"
	status_is 1
	try "$RACKER" images -q
	out_is ''
}

@test "a curated label: from the registry, or by mmdebstrap where that cannot be reached, saying so in one line" {
	[ -n "$OS_TAR" ] || skip 'mmdebstrap could not make a root file system here (no mirror?)'
	grep -qx 'ID=debian' /etc/os-release || skip 'no mirror of Debian is configured here'
	try timeout 300 "$RACKER" run --rm debian-bookworm cat /etc/os-release
	status_is 0
	out_has 'VERSION_CODENAME=bookworm'
	err_has "Unable to find image 'debian-bookworm' locally"
	if grep -q mmdebstrap <<<"$err"; then
		[ "$(grep -c '; trying mmdebstrap$' <<<"$err")" -eq 1 ]
		# What is built here boots.
		try timeout 100 "$RACKER" run --rm -q debian-bookworm systemctl is-system-running
		status_is 0
		out_is running
	fi
	# By its alias it is there now; a bootstrap leaves nothing of itself.
	try "$RACKER" run --rm -q --pull never debian-12 true
	status_is 0
	try "$RACKER" images
	out_has debian-bookworm
}
