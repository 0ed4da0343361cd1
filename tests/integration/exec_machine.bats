#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# racker exec in a booted machine, with the host's users and with its own.
# boots: boot-bookworm boot-trixie

load lib

# A failed test takes its machines with it, so that the next one begins with none.
teardown() {
	[ -n "${BATS_TEST_COMPLETED:-}" ] || "$RACKER" machines -q | xargs -r "$RACKER" terminate >&2
	nothing_left
}
# start SUITE WORDS... : a machine named m1
start() {
	local suite=$1
	shift
	need_root "boot-$suite"
	try timeout 100 "$RACKER" run -d --rm -q --name m1 --boot "$@" "$REG/test/boot-$suite"
	status_is 0
}
x() {
	try "$RACKER" exec "$@"
}
pty() {
	python3 "$TOP/tests/integration/terminal.py" "$@"
}
end() {
	"$RACKER" terminate m1 >/dev/null
}

# as_pid_1: the command has what PID 1 was given, and is beside what systemd keeps
as_pid_1() {
	x m1 sh -c 'for p in self 1; do grep -E "^(Cap...|NoNewPrivs|Seccomp|Seccomp_filters):" /proc/$p/status; done | sort | uniq -u'
	status_is 0
	out_is ''
	x m1 sh -c 'for n in cgroup ipc mnt net pid user uts; do [ "$(readlink /proc/self/ns/$n)" = "$(readlink /proc/1/ns/$n)" ] || echo $n; done'
	out_is ''
	x m1 grep ^0:: /proc/self/cgroup
	out_line '0::/racker-exec-[0-9a-f]{16}'
	x m1 sh -c 'ls -d /sys/fs/cgroup/racker-exec-* | wc -l'
	out_is 1
}

# serves: what exec does in any container
serves() {
	x m1 sh -c 'exit 7'
	status_is 7
	x m1 nosuch
	status_is 127
	x -w /nosuch m1 true
	status_is 126
	x m1 sh -c 'kill -9 $$'
	status_is 137
	try_in 'some text' "$RACKER" exec -i m1 cat
	out_is 'some text'
	x -u daemon -w /tmp -e A=b m1 sh -c 'id -un; pwd; echo $A $HOME; grep CapEff /proc/self/status'
	out_is $'daemon\n/tmp\nb /usr/sbin\nCapEff:\t0000000000000000'
	x m1 sh -c 'env | grep -E "NOTIFY_SOCKET|LISTEN_|CREDENTIALS|container"'
	out_is ''
	x m1 sh -c 'touch /root/new && stat -c %u:%g /root/new'
	out_is 0:0
	x m1 ls /proc/self/fd
	out_is $'0\n1\n2\n3'
	try pty "$RACKER" exec -it m1 sh -c 'tty; stty size; test -t 0 -a -t 1 -a -t 2 && echo all; sleep 0 </dev/tty && echo mine'
	status_is 0
	out_line '/dev/pts/[0-9]+'
	out_line all
	out_line mine
}

# unharmed: systemd goes on beside it
unharmed() {
	"$RACKER" exec m1 sleep 100 3>&- &
	pid=$!
	x m1 systemctl daemon-reload
	status_is 0
	x m1 systemd-run --wait --pipe -q echo from a unit
	out_is 'from a unit'
	x m1 systemctl is-system-running
	out_is running
	kill -0 "$pid"
	kill -TERM "$pid"
	wait "$pid" || [ $? -eq 143 ]
	x m1 pgrep -x sleep
	out_is ''
}

@test "in a machine" {
	start bookworm
	as_pid_1
	serves
	unharmed
	end
}

@test "in a machine with users of its own, on the host's network" {
	start bookworm --userns auto --network host
	as_pid_1
	serves
	unharmed
	x m1 sh -c 'head -n1 /proc/self/uid_map'
	[[ $out != *' 0 '*' 0 '* ]]
	end
}

@test "in a machine with users and a network of its own" {
	start trixie --userns auto --network none
	as_pid_1
	serves
	unharmed
	end
}

@test "nobody in a machine sees a process that runs racker, though its root may look into all" {
	start bookworm --network none
	"$RACKER" exec m1 sh -c 'while :; do readlink /proc/[0-9]*/exe; done >/seen' >/dev/null 2>&1 3>&- &
	pid=$!
	local i
	for i in {1..100}; do
		"$RACKER" exec m1 true
	done
	kill -KILL "$pid"
	wait "$pid" || true
	x m1 sh -c 'sort -u /seen'
	out_line /usr/bin/true
	out_lacks build/racker
	end
}

@test "commands while a machine reboots, and while it ends: their own code, or that it does not run" {
	start bookworm --network none
	local i ends=0
	"$RACKER" reboot --no-wait m1 >/dev/null
	for i in {1..300}; do
		x m1 sh -c 'exit 9'
		case $status in
		# systemd ends what is left with SIGTERM and SIGHUP before the kernel does with SIGKILL.
		9 | 129 | 137 | 143) ;;
		1) ends=$((ends + 1)) ;;
		*) say 'unexpected status' ;;
		esac
		[ "$ends" -eq 0 ] || [ "$status" -ne 9 ] || break
		sleep 0.02
	done
	[ "$ends" -gt 0 ]
	x m1 sh -c 'exit 9'
	status_is 9
	"$RACKER" exec m1 sleep 100 3>&- &
	pid=$!
	sleep 0.2
	end
	wait "$pid" || [ $? -eq 137 ]
	x m1 true
	status_is 1
}

@test "many at once in a machine" {
	start bookworm --network none
	local i pids=()
	for i in {1..20}; do
		"$RACKER" exec m1 sh -c 'exit 5' 3>&- &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" || [ $? -eq 5 ]
	done
	x m1 sh -c 'ls -d /sys/fs/cgroup/racker-exec-* | wc -l'
	out_is 1
	x m1 systemctl is-system-running
	out_is running
	end
}
