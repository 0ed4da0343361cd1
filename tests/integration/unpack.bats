#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# racker unpack REF DIR: the merged tree, entry by entry, beside what umoci makes of the same image.
load lib

setup_file() {
	cat >"$TMP/tree.py" <<'T'
"""One line an entry: type, mode, owner, size, mtime, device, links, xattrs, content. tree.py DIR [no-mtime-of PATH...]"""
import hashlib, os, stat, sys
root, skip = os.fsencode(sys.argv[1]), set(sys.argv[2:])
seen, lines = {}, []
for folder, dirs, files in os.walk(root):
    dirs.sort()
    for name in sorted(dirs + files) + ([b""] if folder == root else []):
        path = os.path.join(folder, name) if name else folder
        st = os.lstat(path)
        rel = os.path.relpath(path, root).decode("utf-8", "backslashreplace")
        mtime = "-" if rel in skip or rel == "." else str(st.st_mtime_ns)
        extra = ""
        if stat.S_ISLNK(st.st_mode):
            extra = "-> " + os.fsdecode(os.readlink(path))
        elif stat.S_ISREG(st.st_mode):
            extra = hashlib.sha256(open(path, "rb").read()).hexdigest()[:16]
            extra += " same as " + seen.setdefault((st.st_dev, st.st_ino), rel)
        size = st.st_size if not stat.S_ISDIR(st.st_mode) else "-"
        links = st.st_nlink if not stat.S_ISDIR(st.st_mode) else "-"
        xattrs = [] if stat.S_ISLNK(st.st_mode) else sorted(
            (k, os.getxattr(path, k).hex()) for k in os.listxattr(path) if k != "security.selinux")
        lines.append(f"{rel!r} {st.st_mode:o} {st.st_uid}:{st.st_gid} {size} {mtime} {st.st_rdev} {links} {xattrs} {extra}")
print("\n".join(sorted(lines)))
T
	"$RACKER" unpack "$REG/test/multi" "$TMP/multi"
}
teardown_file() {
	rm -rf "$TMP/multi" "$TMP/umoci" "$TMP/os" "$TMP/umoci-os"
}

in_tree() {
	stat -c "$1" "$TMP/multi/$2"
}

@test "what the layers say: whiteouts, opaque directories, replaced types" {
	local d=$TMP/multi/data
	[ "$(cat "$d/a")" = second ]
	[ "$(cat "$d/b")" = 'back again' ]
	[ ! -e "$d/opaque/old1" ] && [ ! -e "$d/opaque/sub" ] && [ "$(cat "$d/opaque/new")" = new ]
	[ -f "$d/dir2file" ] && [ "$(cat "$d/dir2file")" = 'now a file' ]
	[ -d "$d/file2dir" ] && [ "$(cat "$d/file2dir/child")" = child ]
	[ -L "$d/dir2link" ] && [ "$(readlink "$d/dir2link")" = file2dir ]
	[ -d "$d/link2dir" ] && [ ! -L "$d/link2dir" ] && [ -e "$d/link2dir/inside" ]
	[ "$(cat "$d/twice")" = 2 ]
	[ -z "$(find "$TMP/multi" -name '.wh.*')" ]
}

@test "no sign of overlayfs in the merged tree" {
	[ -z "$(find "$TMP/multi" -type c ! -path '*/data/null')" ]
	python3 - "$TMP/multi" <<'T'
import os, sys
found = [os.path.join(f, e) for f, d, n in os.walk(sys.argv[1]) for e in d + n
         if not os.path.islink(os.path.join(f, e)) and any("overlay" in k for k in os.listxattr(os.path.join(f, e)))]
sys.exit(f"overlay xattrs on {found}" if found else 0)
T
}

@test "owner, mode, special bits, devices, FIFO" {
	[ "$(in_tree '%u:%g %a' data/keep)" = '1000:1001 700' ]
	[ "$(in_tree '%u:%g' data/keep/x)" = 1000:1001 ]
	[ "$(in_tree %a data/setuid)" = 4755 ]
	[ "$(in_tree '%a %g' data/setgid)" = '2711 50' ]
	[ "$(in_tree %a data/sticky)" = 1777 ]
	[ "$(in_tree '%u:%g' data/bigid)" = 3000000:3000001 ]
	[ "$(in_tree '%F %t:%T %a' data/null)" = 'character special file 1:3 666' ]
	[ "$(in_tree '%F %t:%T' data/block)" = 'block special file 7:c8' ]
	[ "$(in_tree '%F %a' data/fifo)" = 'fifo 640' ]
}

@test "mtime to the nanosecond; of directories too" {
	in_tree %y data/ns | grep -q '\.1234567'
	[ "$(in_tree %Y data/old)" = 1 ]
	in_tree %y data/empty | grep -q '\.5000000'
	[ "$(in_tree %Y data/lower)" = 1600000000 ]
}

@test "hard links, to a file of a lower layer too" {
	# The third name is of a layer above: overlayfs copies the file up for it, so that the second stays with the old one, as in docker.
	[ "$(in_tree %i data/hard1)" = "$(in_tree %i data/hard3)" ]
	[ "$(in_tree %h data/hard1)" = 2 ]
	[ "$(cat "$TMP/multi/data/hard2")" = hard ]
	[ "$(in_tree %i usr/one)" = "$(in_tree %i usr/two)" ]
	[ "$(in_tree %h usr/one)" = 2 ]
}

@test "xattrs and file capabilities" {
	python3 - "$TMP/multi/data" <<'T'
import os, sys
os.chdir(sys.argv[1])
assert os.getxattr("xattr", "user.test") == b"value"
assert os.getxattr("xattr", "user.second") == "ü".encode()
assert os.getxattr("filecap", "security.capability").hex().startswith("0100000200200000")
T
}

@test "the same tree as umoci's" {
	command -v umoci >/dev/null || skip 'no umoci here'
	umoci raw unpack --image "$TMP/layout:multi" "$TMP/umoci"
	# Parents that no layer names: their mtime is whatever the tool did last; to umoci so is that of data, since the last layer does not
	# name it. The hard links are told apart in the test above.
	local side
	for side in multi umoci; do
		python3 "$TMP/tree.py" "$TMP/$side" data data/implied data/implied/deep | grep -v "^'data/hard" >"$TMP/tree.$side"
	done
	mv "$TMP/tree.multi" "$TMP/tree.racker"
	diff "$TMP/tree.umoci" "$TMP/tree.racker"
}

@test "an operating system: the same tree as umoci's" {
	command -v umoci >/dev/null || skip 'no umoci here'
	command -v skopeo >/dev/null || skip 'no skopeo here'
	[ -n "$OS_TAR" ] || skip 'mmdebstrap could not make a root file system here (no mirror?)'
	"$RACKER" unpack "$REG/test/os" "$TMP/os"
	skopeo copy -q --src-tls-verify=false "docker://$REG/test/os:latest" "oci:$TMP/os-layout:os"
	umoci raw unpack --image "$TMP/os-layout:os" "$TMP/umoci-os"
	python3 "$TMP/tree.py" "$TMP/os" >"$TMP/tree.racker"
	python3 "$TMP/tree.py" "$TMP/umoci-os" >"$TMP/tree.umoci"
	rm -rf "$TMP/os-layout"
	[ "$(wc -l <"$TMP/tree.racker")" -gt 1000 ]
	diff "$TMP/tree.umoci" "$TMP/tree.racker"
}

@test "out of an OCI layout" {
	try "$RACKER" unpack "oci:$TMP/layout:multi" "$TMP/from-layout"
	status_is 0
	python3 "$TMP/tree.py" "$TMP/multi" >"$TMP/tree.one"
	python3 "$TMP/tree.py" "$TMP/from-layout" >"$TMP/tree.two"
	rm -rf "$TMP/from-layout"
	diff <(sed 's/ [0-9]* [0-9]* [0-9]* / /' "$TMP/tree.one" | grep -v implied) <(sed 's/ [0-9]* [0-9]* [0-9]* / /' "$TMP/tree.two" | grep -v implied)
}

@test "zstd layers give the same tree" {
	"$RACKER" unpack "$REG/test/multi:zstd" "$TMP/from-zstd"
	python3 "$TMP/tree.py" "$TMP/multi" data/implied data/implied/deep >"$TMP/tree.one"
	python3 "$TMP/tree.py" "$TMP/from-zstd" data/implied data/implied/deep >"$TMP/tree.two"
	rm -rf "$TMP/from-zstd"
	diff "$TMP/tree.one" "$TMP/tree.two"
}

@test "a directory that holds something is refused" {
	mkdir -p "$TMP/full"
	echo keep >"$TMP/full/file"
	try "$RACKER" unpack "$REG/test/payload" "$TMP/full"
	status_is 1
	[ "$(ls "$TMP/full")" = file ]
	rm -r "$TMP/full"
}

@test "entries that try to leave the root never do" {
	local tag
	for tag in dotdot absolute through; do
		try "$RACKER" unpack "$REG/test/escape:$tag" "$TMP/escape-$tag"
		[ ! -e /abs ] && [ ! -e /tmp/escape ] && [ ! -e "$TMP/escape" ] && [ ! -e "$RACKER_ROOT/escape" ]
		rm -rf "$TMP/escape-$tag"
	done
}

@test "operands" {
	try "$RACKER" unpack "$REG/test/payload"
	status_is 1
	try "$RACKER" unpack
	status_is 1
}
