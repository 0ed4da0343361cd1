#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Each stage of a start is made to fail: one message that names it, exit code 125, and nothing left behind (teardown).
# The binary is built with -DRACKER_FAULT; the names are those of the stage table and of the fault points around it.
load lib

setup_file() {
	pull payload
}

P=$REG/test/payload

stages() {
	sed -n '/^} stages\[\] = {/,/^};/s/^\t{ "\([^"]*\)".*/\1/p' "$TOP/runtime/child.c"
}
# Those of a command that joins a running container are exec.bats' affair.
parent_points() {
	grep -hoE 'fault_check\("[^"]+"' "$TOP"/*/*.c | sed 's/.*"\(.*\)"/\1/' | grep -v '^exec-'
}
points() {
	stages
	parent_points
}

@test "there are stages to fail" {
	[ "$(stages | wc -l)" -ge 10 ]
	[ "$(points | sort | uniq -d | wc -l)" -eq 0 ]
}

@test "without RACKER_FAULT the test build runs as any other" {
	try "$RACKER_FAULT_BUILD" run --rm -q "$P" /payload exit 3
	status_is 3
}

@test "each stage fails: message, exit code, nothing left" {
	local stage
	for stage in $(points | grep -vx devices); do
		RACKER_FAULT=$stage:-5 try "$RACKER_FAULT_BUILD" run --rm -q "$P" /payload hello
		status_is 125 || { echo "stage $stage" >&2; return 1; }
		err_has "fault injected into stage $stage"
		out_is ''
		[ "$(grep -vc -e '^$' -e "^Run '" <<<"$err")" -eq 1 ] || say "stage $stage: one line was expected"
		nothing_left || { echo "stage $stage" >&2; return 1; }
	done
}

@test "without a device filter: no CAP_MKNOD, and nothing mounted makes a device work" {
	RACKER_FAULT=devices:-1 try "$RACKER_FAULT_BUILD" run --rm -q "$P" /payload mknod /tmp/mem 1 1
	status_is 0
	out_is 'mknod EPERM'
	RACKER_FAULT=devices:-1 try "$RACKER_FAULT_BUILD" run --rm -q "$P" /payload cat /dev/null
	status_is 0
}

@test "each stage fails under --init, with a terminal, --network none, --read-only and a volume" {
	local stage
	for stage in $(points); do
		RACKER_FAULT=$stage:-28 try python3 "$TOP/tests/integration/terminal.py" "$RACKER_FAULT_BUILD" run -it --rm -q --init --network none \
			--read-only -v /tmp:/mnt -u bob -w /home/bob "$P" /payload hello
		# A stage that --init does not have lets the command run.
		if [ "$status" -ne 125 ]; then
			status_is 0 || { echo "stage $stage" >&2; return 1; }
			continue
		fi
		out_has "fault injected into stage $stage"
		nothing_left || { echo "stage $stage" >&2; return 1; }
	done
}

@test "each stage of the child crashes: named, nothing left" {
	local stage
	# In the last one the command might have begun: that one's end is the command's.
	for stage in $(stages | grep -vx exec); do
		RACKER_FAULT=$stage:kill try "$RACKER_FAULT_BUILD" run --rm -q "$P" /payload hello
		status_is 125 || { echo "stage $stage" >&2; return 1; }
		err_has "$stage"
		nothing_left || { echo "stage $stage" >&2; return 1; }
	done
}

@test "racker itself is killed at the points of the parent: the next start sweeps" {
	local point
	for point in $(parent_points); do
		RACKER_FAULT=$point:kill try "$RACKER_FAULT_BUILD" run --rm -q --name victim "$P" /payload hello
		[ "$status" -ne 0 ] || { echo "point $point" >&2; return 1; }
		try "$RACKER_FAULT_BUILD" run --rm -q --name victim "$P" /payload exit 4
		status_is 4 || { echo "point $point" >&2; return 1; }
		nothing_left || { echo "point $point" >&2; return 1; }
	done
}

@test "out of memory, descriptors, space: system calls that fail one after another" {
	command -v strace >/dev/null || skip 'no strace here'
	local call n
	strace -o /dev/null true 2>/dev/null || skip 'strace cannot trace here'
	for call in clone3:EAGAIN openat:EMFILE mount:ENOMEM fsopen:ENOMEM mkdirat:ENOSPC socketpair:EMFILE memfd_create:ENOMEM; do
		for n in 1 2 3; do
			try timeout 20 strace -f -qq -o /dev/null -e "inject=${call%:*}:error=${call#*:}:when=$n" \
				"$RACKER" run --rm -q "$P" /payload exit 0
			# It may do without, or it fails as ours; never another code, never a crash.
			case $status in
			0 | 125 | 126 | 127) ;;
			*) say "$call at $n" ;;
			esac
			[ "$status" -eq 0 ] || [ -n "$err" ] || say "$call at $n: no message"
			nothing_left || { echo "$call at $n" >&2; return 1; }
		done
	done
}

@test "the store's disk is full: a pull fails, frees what it took, and works once there is room" {
	mkdir -p "$TMP/small"
	mount -t tmpfs -o size=8m racker-test "$TMP/small"
	try "$RACKER" --root "$TMP/small/r" pull -q "$REG/test/slow"
	local used
	used=$(du -sm "$TMP/small" | cut -f1)
	mount -o remount,size=256m "$TMP/small"
	local first=$status message=$err
	try "$RACKER" --root "$TMP/small/r" pull -q "$REG/test/slow"
	umount "$TMP/small"
	rmdir "$TMP/small"
	[ "$first" -eq 1 ] || say "the first pull ended with $first: $message"
	grep -qi 'no space' <<<"$message" || say "message: $message"
	[ "$used" -le 2 ] || say "$used MB were left"
	status_is 0
}
