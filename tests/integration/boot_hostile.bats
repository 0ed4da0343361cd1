#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Machines whose PID 1 is broken or hostile (tests/payload/hostile.c): racker says what is wrong, in time, and leaves nothing.
# boots: boot-bookworm boot-trixie

load lib

H=$REG/test/boot-hostile

# boot TAG WORDS...: that PID 1, with a command in it
boot() {
	local tag=$1
	shift
	pull "boot-hostile:$tag"
	SECONDS=0
	try timeout 60 "$RACKER" run --rm -q --boot --boot-timeout 3 "$H:$tag" "$@"
}

# start TAG: the same in background, as machine "bad"
start() {
	pull "boot-hostile:$1"
	try timeout 60 "$RACKER" run -d --rm -q --name bad --boot --boot-timeout 3 "$H:$1"
	status_is 0
}

teardown() {
	[ -n "${BATS_TEST_COMPLETED:-}" ] || "$RACKER" machines -q | xargs -r "$RACKER" terminate >&2
	nothing_left
}

@test "an init that exits at once: with its code, before any timeout" {
	local code
	for code in 0 7; do
		boot "exit$code" /payload hello
		status_is 125
		out_is ''
		err_has "its init left with exit code $code"
		[ "$SECONDS" -le 2 ]
	done
}

@test "an init that never gets ready: the timeout says so" {
	boot never /payload hello
	status_is 125
	out_is ''
	err_has 'is not up after 3 seconds'
	[ "$SECONDS" -le 8 ]
	# Whoever does not wait can work with it.
	try timeout 20 "$RACKER" run --rm -q --boot --wait none "$H:never" /payload exit 4
	status_is 4
}

@test "an init that is no program" {
	need_root boot-bookworm
	try timeout 20 "$RACKER" run --rm -q --boot --boot-timeout 3 -v "$TOP/README.md:/lib/systemd/systemd:ro" "$REG/test/boot-bookworm" true
	status_is 125
	out_is ''
	err_has init
}

@test "an init that is deaf to every signal: a clean stop fails, terminate does not ask" {
	boot deaf /payload exit 9
	status_is 9
	start deaf
	SECONDS=0
	try timeout 20 "$RACKER" poweroff --time 1 bad
	status_is 1
	err_has poweroff
	try timeout 20 "$RACKER" terminate bad
	status_is 0
	[ "$SECONDS" -le 4 ]
	try timeout 20 "$RACKER" run --rm -q --boot --stop clean --stop-timeout 1 "$H:deaf" /payload exit 9
	status_is 9
}

@test "a machine of 300 processes, each in another's place before it can be killed" {
	boot comet /payload exit 9
	status_is 9
	start comet
	try timeout 20 "$RACKER" terminate bad
	status_is 0
}

@test "a notify socket full of anything but READY=1: the timeout holds" {
	boot notify /payload hello
	status_is 125
	err_has 'is not up after 3 seconds'
	[ "$SECONDS" -le 8 ]
	# What it said reaches no terminal as it is.
	[ "$(tr -d '\n\t -~' <<<"$err" | wc -c)" -eq 0 ] || say 'unprintable bytes in stderr'
}

@test "the same with READY=1 among it" {
	boot notify-ready /payload exit 9
	status_is 9
}

@test "false, silent and endless answers on systemd's bus: every call ends in time, memory stays small" {
	local mode kb
	for mode in mute hangup garbage drip line auth huge signals fds; do
		start "bus-$mode"
		SECONDS=0
		try timeout 20 "$RACKER" status bad
		status_is 0
		out_has 'unknown'
		status=0
		# The largest resident set, in kB, by the kernel's own count.
		kb=$(python3 -c 'import resource, subprocess, sys
subprocess.run(sys.argv[1:], stderr=subprocess.DEVNULL, timeout=20)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' "$RACKER" wait bad --for unit=x.service --timeout 2)
		[ "$kb" -lt 65536 ] || say "$mode: $kb kB"
		[ "$SECONDS" -le 8 ] || say "$mode: $SECONDS s"
		# Commands need no bus.
		try timeout 20 "$RACKER" exec bad /payload exit 6
		status_is 6
		try timeout 20 "$RACKER" terminate bad
		status_is 0
	done
}

# with_unit TEXT : volumes, an array, by which a machine gets x.service of that text and wants it
with_unit() {
	mkdir -p "$TMP/wants"
	printf '[Unit]\nWants=x.service\n' >"$TMP/wants/x.conf"
	printf '[Service]\n%b' "$1" >"$TMP/x.service"
	volumes=(-v "$TMP/x.service:/etc/systemd/system/x.service:ro" -v "$TMP/wants:/etc/systemd/system/multi-user.target.d:ro")
}

@test "a unit that fails again and again: the rest comes up" {
	need_root boot-bookworm
	with_unit 'ExecStart=/bin/false\nRestart=always\nRestartSec=0\n[Unit]\nStartLimitIntervalSec=0\n'
	try timeout 60 "$RACKER" run --rm -q --boot "${volumes[@]}" "$REG/test/boot-bookworm" sh -c 'sleep 1; systemctl show -P NRestarts x; exit 5'
	status_is 5
	[ "$out" -ge 1 ]
}

@test "a unit that does not end when told: a clean stop has its deadline" {
	need_root boot-bookworm
	with_unit 'ExecStart=/bin/sh -c "trap : TERM; while :; do sleep 1000; done"\n'
	try timeout 60 "$RACKER" run -d --rm -q --name bad --boot "${volumes[@]}" "$REG/test/boot-bookworm"
	status_is 0
	SECONDS=0
	try timeout 20 "$RACKER" poweroff --time 1 bad
	status_is 1
	err_has 'did not go down within 1 second'
	try timeout 20 "$RACKER" terminate bad
	status_is 0
	try timeout 60 "$RACKER" run --rm -q --stop clean --stop-timeout 1 --boot "${volumes[@]}" "$REG/test/boot-bookworm" sh -c 'exit 8'
	status_is 8
	[ "$SECONDS" -le 8 ]
}

@test "a unit that never finishes starting: the timeout names it" {
	need_root boot-bookworm
	with_unit 'Type=oneshot\nExecStart=/bin/sleep 1000\n[Unit]\nBefore=multi-user.target\n'
	try timeout 60 "$RACKER" run --rm -q --boot --boot-timeout 3 "${volumes[@]}" "$REG/test/boot-bookworm" echo ready
	status_is 125
	out_is ''
	err_has x.service
	# Its basic part was up long before, as newer versions of systemd tell.
	need_root boot-trixie
	try timeout 60 "$RACKER" run --rm -q --boot --wait basic --boot-timeout 10 "${volumes[@]}" "$REG/test/boot-trixie" echo ready
	status_is 0
	out_is ready
}

@test "cgroups nested deeper than racker may have descriptors are removed" {
	need_root boot-bookworm
	try timeout 100 bash -c 'ulimit -n 256; exec "$@"' x "$RACKER" run --rm -q --boot "$REG/test/boot-bookworm" sh -c \
		'cd /sys/fs/cgroup && i=0; while [ $i -lt 1300 ] && mkdir d && cd d; do i=$((i + 1)); done; mkdir e f e/g; echo $i'
	status_is 0
	out_is 1300
}
