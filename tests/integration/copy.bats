#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# racker copy-to and copy-from: what arrives on the other side, and what a hostile container cannot make of it.
# boots: boot-bookworm
load lib

setup_file() {
	pull busybox
}

B=$REG/test/busybox

setup() {
	snapshot >"$TMP/before"
	mkdir "$TMP/w"
	pids=()
}
teardown() {
	local pid
	for pid in "${pids[@]}"; do
		kill -TERM "$pid" 2>/dev/null && wait "$pid" || true
	done
	umount "$TMP/w/full" 2>/dev/null || true
	rm -rf "$TMP/w"
	nothing_left
}

# start NAME WORDS... : a container in the background, with a command that says "ready"
start() {
	local name=$1
	shift
	# The one of the test before said "ready", too.
	rm -f "$TMP/$name.out"
	prun_bg --init --name "$name" "$@" >"$TMP/$name.out" 2>"$TMP/$name.err" </dev/null &
	pids+=($!)
	wait_for 10 file_has "$TMP/$name.out" ready || {
		cat "$TMP/$name.out" "$TMP/$name.err" >&2
		return 1
	}
}
# idle NAME FLAGS... : one that waits, set up by the shell words in $prepare
idle() {
	local name=$1
	shift
	start "$name" "$@" "$B" sh -c "umask 022; ${prepare:-:}; echo ready; exec sleep 600"
}
to() { try "$RACKER" copy-to "$@"; }
from() { try "$RACKER" copy-from "$@"; }
# host view of the container NAME
root_of() {
	local pid
	pid=$(sed -nE 's/.*"pid": ?([0-9]+).*/\1/p' "$RACKER_ROOT/run/containers/$1")
	echo "/proc/$pid/root"
}

tree() {
	mkdir -p "$1/sub/deep" "$1/empty"
	echo one >"$1/one"
	echo run >"$1/script"
	ln "$1/one" "$1/sub/one"
	ln -s /etc/passwd "$1/link"
	ln -s nowhere "$1/dangling"
	mkfifo "$1/fifo"
	truncate -s 8M "$1/sparse"
	printf data | dd of="$1/sparse" bs=1 seek=4194304 conv=notrunc status=none
	chmod 4751 "$1/script"
	chmod 1777 "$1/empty"
	chmod 750 "$1/sub"
	chown 1234:5678 "$1/sub/one" "$1/sub"
	chown -h 12:34 "$1/link"
	setfattr -n user.colour -v blue "$1/one" 2>/dev/null || true
	find "$1" -exec touch -h -d '2001-02-03 04:05:06.789 UTC' {} +
}
# listing DIR: all that a copy keeps
listing() {
	(cd "$1" && find . -printf '%P %y %m %U:%G %s %n %l %T@\n' | sed -E 's/^([^ ]* d [^ ]+ [^ ]+) [0-9]+ [0-9]+/\1/' | sort)
}

@test "a tree there and back again is as it was" {
	idle m1
	tree "$TMP/w/a"
	to m1 "$TMP/w/a" /a
	status_is 0
	err_is_empty
	diff <(listing "$TMP/w/a") <(listing "$(root_of m1)/a")
	from -a m1 /a "$TMP/w/b"
	status_is 0
	err_is_empty
	diff <(listing "$TMP/w/a") <(listing "$TMP/w/b")
	[ "$(stat -c %i "$TMP/w/b/one")" = "$(stat -c %i "$TMP/w/b/sub/one")" ]
	[ "$(stat -c %b "$TMP/w/b/sparse")" -lt 100 ]
	cmp "$TMP/w/a/sparse" "$TMP/w/b/sparse"
	if getfattr -n user.colour "$TMP/w/a/one" >/dev/null 2>&1; then
		getfattr -n user.colour --only-values "$TMP/w/b/one" | grep -qx blue
	fi
}

@test "where it goes: docker's rules" {
	prepare='mkdir -p /d /e; echo old >/f; ln -s /d /ld; ln -s /f /lf; ln -s /new /lnew' idle m1
	local r
	r=$(root_of m1)
	mkdir -p "$TMP/w/dir/sub"
	echo x >"$TMP/w/dir/x"
	echo file >"$TMP/w/file"
	to m1 "$TMP/w/file" /d && status_is 0
	[ "$(cat "$r/d/file")" = file ]
	to m1 "$TMP/w/file" /ld/ && status_is 0
	to m1 "$TMP/w/file" /d/other && status_is 0
	[ "$(cat "$r/d/other")" = file ]
	to m1 "$TMP/w/file" f && status_is 0
	[ "$(cat "$r/f")" = file ]
	to m1 "$TMP/w/file" /lf && status_is 0
	[ -L "$r/lf" ]
	to m1 "$TMP/w/file" /lnew && status_is 0
	[ -L "$r/lnew" ] && [ "$(cat "$r/new")" = file ]
	to m1 "$TMP/w/dir" /d && status_is 0
	[ "$(cat "$r/d/dir/x")" = x ]
	to m1 "$TMP/w/dir/." /e && status_is 0
	[ "$(cat "$r/e/x")" = x ] && [ ! -e "$r/e/dir" ]
	to m1 "$TMP/w/dir" /n && status_is 0
	[ "$(cat "$r/n/x")" = x ] && [ ! -e "$r/n/dir" ]
	to m1 "$TMP/w/dir/" /n2/ && status_is 0
	[ "$(cat "$r/n2/x")" = x ]
	from m1 /d/dir "$TMP/w" && status_is 0
	(cd "$TMP/w" && "$RACKER" copy-from m1 d/other . && "$RACKER" copy-from m1 d/other ../w/third)
	[ "$(cat "$TMP/w/other")" = file ] && [ "$(cat "$TMP/w/third")" = file ]

	to m1 "$TMP/w/file" /nodir/ && status_is 1
	err_has 'no such directory'
	to m1 "$TMP/w/file" /f/ && status_is 1
	err_has 'not a directory'
	to m1 "$TMP/w/file" /no/such && status_is 1
	err_has 'parent directory'
	to m1 "$TMP/w/dir" /f && status_is 1
	err_has 'cannot overwrite what is no directory with a directory'
	rm -rf "$r/d/file"
	mkdir "$r/d/file"
	to m1 "$TMP/w/file" /d && status_is 1
	err_has 'cannot overwrite a directory with what is none'
	to m1 "$TMP/w/nope" /d && status_is 1
	err_has "copy \"$TMP/w/nope\" to m1:\"/d\": source: No such file or directory"
	from m1 /nope "$TMP/w/y" && status_is 1
	err_has "copy m1:\"/nope\" to \"$TMP/w/y\": source: No such file or directory"
	[ ! -e "$TMP/w/y" ]
}

@test "without a destination: the same path" {
	prepare="mkdir -p '$TMP/w/p/q'; echo inside >'$TMP/w/p/q/f'" idle m1
	mkdir -p "$TMP/w/p/q"
	echo outside >"$TMP/w/p/q/g"
	to m1 "$TMP/w/p/q" && status_is 0
	[ "$(cat "$(root_of m1)$TMP/w/p/q/g")" = outside ]
	(cd "$TMP/w/p" && echo rel >r && "$RACKER" copy-to m1 r)
	[ "$(cat "$(root_of m1)$TMP/w/p/r")" = rel ]
	from m1 "$TMP/w/p/q" && status_is 0
	[ "$(cat "$TMP/w/p/q/f")" = inside ] && [ ! -e "$TMP/w/p/q/q" ]
	from m1 tmp && status_is 1
	err_has 'not absolute'
}

@test "symlinks: copied as what they are, followed on the way inside the root alone" {
	mkdir "$TMP/w/out"
	echo secret >"$TMP/w/out/secret"
	prepare="ln -s '$TMP/w/out/secret' /l; ln -s '$TMP/w/out' /ld; ln -s ../../../../../../../.. /up; echo in >/top" idle m1
	from m1 /l "$TMP/w/l" && status_is 0
	[ -L "$TMP/w/l" ]
	from m1 /ld/secret "$TMP/w/x" && status_is 1
	from -L m1 /l "$TMP/w/x" && status_is 1
	from m1 /up/top "$TMP/w/top" && status_is 0
	[ "$(cat "$TMP/w/top")" = in ]
	to m1 "$TMP/w/top" /ld/new && status_is 1
	to m1 "$TMP/w/top" /up/../../new && status_is 0
	[ "$(cat "$(root_of m1)/new")" = in ]
	from m1 /proc/1/root/top "$TMP/w/x" && status_is 1
	[ ! -e "$TMP/w/x" ]
	[ "$(ls "$TMP/w/out")" = secret ]
}

@test "from a container: set-id bits and file capabilities only with -a" {
	prepare='touch /s /g; chmod 4755 /s; chmod 2755 /g; mkdir /d; chmod 2777 /d' idle m1
	from m1 /s "$TMP/w/s" && status_is 0
	[ "$(stat -c %a "$TMP/w/s")" = 755 ]
	err_has 'm1:"/s": copied without its set-user-ID bit'
	from -q m1 /g "$TMP/w/g" && status_is 0
	[ "$(stat -c %a "$TMP/w/g")" = 755 ]
	from m1 /d "$TMP/w/d" && status_is 0
	[ "$(stat -c %a "$TMP/w/d")" = 2777 ]
	from -a m1 /s "$TMP/w/s" && status_is 0
	err_is_empty
	[ "$(stat -c %a "$TMP/w/s")" = 4755 ]
}

@test "user namespace: the container's own ids inside, and outside too" {
	prepare='touch /r /u; chown 1000:1000 /u; chown 65535:65535 /r; mkdir /d; chmod 700 /d' idle m1 --userns=auto
	local r
	r=$(root_of m1)
	[ "$(stat -c %u "$r/d")" -ge 524288 ]
	tree "$TMP/w/a"
	chown 3000000:3000000 "$TMP/w/a/script"
	chmod 4751 "$TMP/w/a/script"
	to m1 "$TMP/w/a" /d && status_is 0
	err_is_empty
	try "$RACKER" exec m1 stat -c '%u:%g %a' /d/a /d/a/sub /d/a/sub/one /d/a/link /d/a/script
	status_is 0
	out_is '0:0 755
1234:5678 750
1234:5678 644
12:34 777
0:0 4751'
	# What came in can be changed and removed in there.
	try "$RACKER" exec m1 sh -c 'chown 5:6 /d/a/one && rm /d/a/fifo && touch /d/a/sub/new' && status_is 0
	from -a m1 /d/a "$TMP/w/b" && status_is 0
	[ "$(stat -c '%u:%g %a' "$TMP/w/b/sub" "$TMP/w/b/one" "$TMP/w/b/sub/new" "$TMP/w/b/script")" = '1234:5678 750
5:6 644
0:0 644
0:0 4751' ]
	from m1 /r "$TMP/w/r" && from m1 /u "$TMP/w/u"
	[ "$(stat -c %u:%g "$TMP/w/r" "$TMP/w/u")" = '65535:65535
1000:1000' ]
}

@test "devices and sockets are left out, the kernel's file systems too; a FIFO does not block" {
	prepare='mkdir /d; mkfifo /d/fifo; echo x >/d/x; nc -l -U /d/sock 2>/dev/null & :' idle m1
	mknod "$(root_of m1)/d/null" c 1 3
	from m1 /d "$TMP/w/d" && status_is 0
	err_has '"null": a device, not copied'
	[ -p "$TMP/w/d/fifo" ] && [ "$(cat "$TMP/w/d/x")" = x ] && [ ! -e "$TMP/w/d/null" ]
	from m1 / "$TMP/w/root" && status_is 0
	err_has '"proc": a file system of the kernel, not copied'
	[ -e "$TMP/w/root/bin/sh" ] && [ -z "$(ls -A "$TMP/w/root/proc" 2>/dev/null)" ]
	from m1 /proc/cpuinfo "$TMP/w/cpuinfo" && status_is 0
	grep -q processor "$TMP/w/cpuinfo"
}

@test "unknown container, wrong number of operands, not root" {
	to nosuch "$TMP/w" /x && status_is 1
	[ "$err" = 'racker: No such container: nosuch' ]
	from nosuch /x "$TMP/w" && status_is 1
	[ "$err" = 'racker: No such container: nosuch' ]
	from m1 && status_is 1
	err_has 'requires at least 2 arguments'
	to m1 a b c && status_is 1
	to --nope m1 a && status_is 125
}

@test "a read-only root and a full file system say so, and leave nothing half" {
	idle m1 --read-only
	echo x >"$TMP/w/x"
	to m1 "$TMP/w/x" /x && status_is 1
	err_has "copy \"$TMP/w/x\" to m1:\"/x\": create: Read-only file system"
	mkdir "$TMP/w/full"
	mount -t tmpfs -o size=1m none "$TMP/w/full"
	prepare='dd if=/dev/zero of=/big bs=1M count=3 2>/dev/null; mkdir /t; echo a >/t/a; mv /big /t/big' idle m2
	from m2 /t "$TMP/w/full/t" && status_is 1
	err_has "copy m2:\"/t\" to \"$TMP/w/full/t\": \"big\": write: No space left on device"
	[ ! -e "$TMP/w/full/t/big" ]
	[ -z "$(find "$TMP/w/full" -name '.racker*')" ]
	umount "$TMP/w/full"
}

@test "a mount point is not replaced" {
	idle m1
	echo x >"$TMP/w/hosts"
	to m1 "$TMP/w/hosts" /etc/hosts && status_is 1
	err_has 'it is a mount point'
}

# interrupt SIGNAL CODE: while a big file is under way
interrupt() {
	local pid code=0
	# A shell starts what is in the background with SIGINT ignored.
	env --default-signal=INT "$RACKER" copy-from m1 /big "$TMP/w/d/big" 2>"$TMP/w/err" 3>&- &
	pid=$!
	until compgen -G "$TMP/w/d/.racker-copy-*" >/dev/null; do
		kill -0 "$pid" || break
	done
	kill "-$1" "$pid"
	wait "$pid" || code=$?
	cat "$TMP/w/err" >&2
	[ "$code" -eq "$2" ]
	[ "$(cat "$TMP/w/d/big")" = old ]
	[ "$(ls -A "$TMP/w/d")" = big ]
}
@test "interrupted: 128 + n, no half file, the old one stays" {
	idle m1
	mkdir "$TMP/w/d"
	echo old >"$TMP/w/d/big"
	dd if=/dev/zero of="$(root_of m1)/big" bs=1M count=300 status=none
	interrupt INT 130
	interrupt TERM 143
}

@test "progress and a last line on a terminal alone, not with -q" {
	idle m1
	echo 0123456789 >"$TMP/w/f"
	on_terminal() { try python3 "$TOP/tests/integration/terminal.py" "$RACKER" "$@"; }
	on_terminal copy-to m1 "$TMP/w/f" /f && status_is 0
	out_has 'Copying to container - 11B'
	out_has 'Successfully copied 11B to m1:"/f"'
	on_terminal copy-to -q m1 "$TMP/w/f" /f && status_is 0
	out_is ''
	to m1 "$TMP/w/f" /f && status_is 0
	out_is '' && err_is_empty
}

@test "hostile: directories swapped for links to the host's while copying" {
	mkdir -p "$TMP/w/out/sub"
	echo canary >"$TMP/w/out/canary"
	echo canary >"$TMP/w/out/sub/canary"
	chmod 700 "$TMP/w/out"
	prepare="mkdir -p /r/a/sub /t/a/sub /x; echo in >/r/a/f; echo in >/r/a/sub/f; ln -s '$TMP/w/out' /x/evil
		(while :; do mv /r/a /x/r; ln -s '$TMP/w/out' /r/a; rm /r/a; mv /x/r /r/a; done) 2>/dev/null &
		(while :; do mv /t/a/sub /x/s; ln -s '$TMP/w/out' /t/a/sub; rm -f /t/a/sub; mv /x/s /t/a/sub; done) 2>/dev/null &
		(while :; do mv /t/a /x/t; ln -s '$TMP/w/out' /t/a; rm -f /t/a; mv /x/t /t/a; done) 2>/dev/null & :" idle m1
	mkdir -p "$TMP/w/src/a/sub"
	echo new >"$TMP/w/src/a/sub/new"
	echo new >"$TMP/w/src/a/canary"
	local before end copies=0
	before=$(listing "$TMP/w/out")
	end=$((SECONDS + 6))
	while [ "$SECONDS" -lt "$end" ]; do
		from m1 /r "$TMP/w/got"
		[ "$status" -eq 0 ] && copies=$((copies + 1))
		[ -z "$(grep -rs canary "$TMP/w/got")" ]
		rm -rf "$TMP/w/got"
		from m1 /r/a/f "$TMP/w/got"
		[ -z "$(grep -s canary "$TMP/w/got")" ]
		rm -rf "$TMP/w/got"
		to m1 "$TMP/w/src/." /t
		[ "$status" -le 1 ]
		[ "$(listing "$TMP/w/out")" = "$before" ]
	done
	[ "$copies" -gt 3 ]
	[ "$(cat "$TMP/w/out/canary" "$TMP/w/out/sub/canary")" = "$(printf 'canary\ncanary')" ]
}

@test "hostile: names for the terminal, more notices than anybody reads" {
	prepare='mkdir /d /e; for i in $(seq 200); do ln -s x /e/$i; : >/e/s$i; done; chmod 4755 /e/s*; n=$(printf "a\033[2Jb"); : >"/d/$n"; chmod 4755 "/d/$n"' idle m1
	from m1 /d "$TMP/w/d" && status_is 0
	err_has '"a\x1b[2Jb": copied without its set-user-ID bit'
	[[ $err != *$'\033'* ]]
	from m1 /e "$TMP/w/e" && status_is 0
	[ "$(wc -l <<<"$err")" -eq 51 ]
	err_has '150 more such messages'
}

@test "hostile: a tree that is too deep" {
	prepare='mkdir /d; cd /d; i=0; while [ $i -lt 1030 ]; do mkdir d && cd d || break; i=$((i+1)); done' idle m1
	from m1 /d "$TMP/w/d" && status_is 1
	err_has 'more than 1024 directories deep'
	[ "$(find "$TMP/w/d" -type d | wc -l)" -eq 1024 ]
}

@test "a copy into itself ends" {
	mkdir -p "$TMP/w/v/s"
	echo x >"$TMP/w/v/s/x"
	idle m1 -v "$TMP/w/v:/v"
	to m1 "$TMP/w/v" /v/s/in && status_is 1
	err_has 'into itself'
	to m1 "$TMP/w/v" /v/s && status_is 1
	err_has 'itself'
	to m1 "$TMP/w/v/." /v && status_is 1
	err_has 'itself'
	[ "$(cat "$TMP/w/v/s/x")" = x ]
}

@test "a machine: with its own ids; mounts made inside lead nowhere" {
	need_root boot-bookworm
	local options
	mkdir -p "$TMP/w/src" "$TMP/w/out"
	echo unit >"$TMP/w/src/f"
	chown 1234:1234 "$TMP/w/src/f"
	for options in --userns=host --userns=auto; do
		try timeout 100 "$RACKER" run -d --rm -q --name mc --boot "$options" "$REG/test/boot-bookworm" && status_is 0
		to mc "$TMP/w/src" /etc/new && status_is 0
		try "$RACKER" exec mc stat -c %u:%g /etc/new /etc/new/f && status_is 0
		out_is $'0:0\n1234:1234'
		from mc /etc/os-release "$TMP/w/link" && status_is 0
		[ -L "$TMP/w/link" ]
		from -L mc /etc/os-release "$TMP/w/os" && status_is 0
		grep -q bookworm "$TMP/w/os"
		# Kernel settings mounted where a copy goes: no file of theirs is ever written.
		try "$RACKER" exec mc sh -c 'mkdir -p /srv/a /srv/b && mount --bind /proc/sys/kernel /srv/a && mount -t tmpfs none /srv/b && echo t >/srv/b/t' && status_is 0
		echo evil >"$TMP/w/core_pattern"
		to mc "$TMP/w/core_pattern" /srv/a && status_is 1
		[ "$(cat /proc/sys/kernel/core_pattern)" != evil ]
		from mc /srv "$TMP/w/srv" && status_is 0
		err_has '"a": a file system of the kernel, not copied'
		[ "$(cat "$TMP/w/srv/b/t")" = t ]
		rm -rf "$TMP/w/srv" "$TMP/w/link" "$TMP/w/os"
		try "$RACKER" terminate mc && status_is 0
	done
}
