#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Booted machines: coming up on four suites, commands in them, their end, and what is left when racker or a monitor is killed.
# boots: boot-bullseye boot-bookworm boot-trixie boot-sid boot-sysvinit

load lib

B=$REG/test/boot-bookworm

# A failed test takes its machines with it, so that the next one begins with none.
teardown() {
	[ -n "${BATS_TEST_COMPLETED:-}" ] || "$RACKER" machines -q | xargs -r "$RACKER" terminate >&2
	nothing_left
}

# boot WORDS...: racker run of a machine, to its end
boot() {
	try timeout 100 "$RACKER" run --rm -q --boot "$@"
}

# start NAME WORDS...: a machine in background
start() {
	local name=$1
	shift
	try timeout 100 "$RACKER" run -d --rm -q --name "$name" --boot "$@"
	status_is 0
}

# comes_up SUITE: running and without a failed unit, whatever network and profile
comes_up() {
	local words
	need_root "boot-$1"
	for words in '--network host' '--network none' '--network none --boot-profile full' '--network none --wait basic'; do
		# shellcheck disable=SC2086 # words on purpose
		boot $words "$REG/test/boot-$1" sh -c 'systemctl is-system-running --wait; systemctl list-units --failed --plain --no-legend; echo end'
		status_is 0
		out_is $'running\nend'
		err_is_empty
	done
}

@test "bullseye comes up" {
	comes_up bullseye
}

@test "bookworm comes up" {
	comes_up bookworm
}

@test "trixie comes up" {
	comes_up trixie
}

@test "sid comes up" {
	comes_up sid
}

@test "what systemd is told: who manages it, by which id, under which name; and it has a bus, a journal and logind" {
	need_root boot-bookworm
	boot --name told "$B" sh -c 'tr "\0" "\n" </proc/1/environ; cat /run/host/container-manager; echo; hostname; cat /etc/machine-id
		systemd-detect-virt; hostnamectl | grep -c "Static hostname: told"; journalctl -q -b --no-pager | grep -c "Reached target.*multi-user.target"
		busctl --no-pager list | grep -c "^org.freedesktop.login1 "'
	status_is 0
	out_line 'container=racker'
	out_line 'container_uuid=[0-9a-f-]{32,36}'
	out_line racker
	out_line told
	out_line container-other
	out_lacks $'\n0'
	local uuid id
	uuid=$(sed -n 's/^container_uuid=//p' <<<"$out")
	id=$(grep -xE '[0-9a-f]{32}' <<<"$out")
	[ "${uuid//-/}" = "$id" ]
}

@test "the host's file systems are out of reach: /sys and /proc/sys read-only, no debugfs, own cgroups writable" {
	need_root boot-bookworm
	boot "$B" sh -c 'touch /sys/x; echo 1 >/proc/sys/kernel/hostname; ls /sys/kernel/debug /sys/kernel/tracing
		mkdir /sys/fs/cgroup/mine && rmdir /sys/fs/cgroup/mine && echo cgroup; cat /proc/1/cgroup'
	status_is 0
	err_has "touch: cannot touch '/sys/x': Read-only file system"
	err_has '/proc/sys/kernel/hostname: Read-only file system'
	out_line cgroup
	out_line '0::/init.scope'
	out_lacks racker
	[ "$(grep -vcE '^(cgroup|[0-9]+:.*|/sys/kernel/.*:|)$' <<<"$out")" -eq 0 ]
}

@test "argv, environment, user, working directory" {
	need_root boot-bookworm
	boot "$B" printf '[%s]\n' 'two words' '' '$HOME' "it's" 'a\b' '*'
	status_is 0
	out_is $'[two words]\n[]\n[$HOME]\n[it\'s]\n[a\\b]\n[*]'
	LEAK=1 boot -e 'A=x y' -e LANG=C "$B" env
	status_is 0
	out_line 'A=x y'
	out_line 'LANG=C'
	out_line 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
	out_line 'HOME=/root'
	out_lacks LEAK
	out_lacks NOTIFY_SOCKET
	boot -u nobody:tty -w /made/here "$B" sh -c 'id -un; id -gn; pwd'
	status_is 0
	out_is $'nobody\ntty\n/made/here'
	boot -u 1234:4321 "$B" sh -c 'id -u; id -g'
	out_is $'1234\n4321'
}

@test "the command's descriptors are the caller's own, and it has no others" {
	need_root boot-bookworm
	try_in $'one\ttwo\r\n' timeout 100 "$RACKER" run --rm -q -i --boot "$B" sh -c 'cat | od -An -c; echo to stderr >&2; ls /proc/self/fd | wc -l'
	status_is 0
	out_is $'   o   n   e  \\t   t   w   o  \\r  \\n\n4'
	[ "$err" = 'to stderr' ]
	# Without -i there is nothing to read.
	try_in lost timeout 100 "$RACKER" run --rm -q --boot "$B" cat
	status_is 0
	out_is ''
}

@test "exit codes are docker's" {
	need_root boot-bookworm
	boot "$B" sh -c 'exit 203'
	status_is 203
	boot "$B" sh -c 'kill -TERM $$'
	status_is 143
	boot "$B" no-such-program
	status_is 127
	err_has 'executable file not found in $PATH'
	boot "$B" /etc/passwd
	status_is 126
	boot -u no-such-user "$B" true
	status_is 125
	err_has no-such-user
}

@test "what is booted, and what is not" {
	need_root boot-bookworm
	# A client of systemd needs it; another command does not, and an image without an init cannot.
	try timeout 100 "$RACKER" run --rm -q "$B" systemctl is-system-running
	status_is 0
	out_is running
	try "$RACKER" run --rm -q "$B" cat /proc/1/comm
	out_is cat
	try "$RACKER" run --rm -q --boot=never "$B" systemctl is-system-running
	out_is offline
	boot "$REG/test/payload" /payload
	status_is 125
	err_has 'postroj provision'
}

@test "a credential reaches systemd" {
	need_root boot-bookworm
	boot --set-credential racker.test:s3cret "$B" cat /run/credentials/@system/racker.test
	status_is 0
	out_is s3cret
}

@test "init as the command: its end is racker's, by poweroff 0, by systemctl exit N" {
	local words
	need_root boot-bookworm
	for words in '0 systemctl poweroff' '0 systemctl halt' '7 systemctl exit 7' '0 kill -s RTMIN+4 1'; do
		prun_bg --name ends "$B" /sbin/init >"$TMP/console" 2>&1 </dev/null &
		wait_for 30 "$RACKER" wait ends --timeout 30 2>/dev/null
		# shellcheck disable=SC2086 # words on purpose
		try timeout 30 "$RACKER" exec ends ${words#* }
		status=0
		wait $! || status=$?
		status_is "${words%% *}"
	done
}

@test "a reboot from inside and from outside: the same machine, what was written stays" {
	local before
	need_root boot-bookworm
	start again "$B"
	try "$RACKER" exec again sh -c 'echo kept >/root/kept; cat /proc/sys/kernel/random/boot_id'
	status_is 0
	before=$out
	for words in 'exec again systemctl reboot' 'reboot again'; do
		# shellcheck disable=SC2086 # words on purpose
		try timeout 60 "$RACKER" $words
		wait_for 30 rebooted "$before"
		"$RACKER" wait again --timeout 30
		try "$RACKER" exec again sh -c 'cat /root/kept; systemctl is-system-running'
		status_is 0
		out_is $'kept\nrunning'
		before=$(cat "$TMP/boot_id")
	done
	try "$RACKER" terminate again
	status_is 0
}

# rebooted ID: the machine again has another boot id than that
rebooted() {
	"$RACKER" exec again cat /proc/sys/kernel/random/boot_id >"$TMP/boot_id" 2>/dev/null && [ -s "$TMP/boot_id" ] && [ "$(cat "$TMP/boot_id")" != "$1" ]
}

@test "a volatile machine leaves nothing for the next one" {
	need_root boot-bookworm
	boot "$B" sh -c 'echo x >/etc/mark; ls /etc/mark'
	out_is /etc/mark
	boot "$B" sh -c 'test -e /etc/mark'
	status_is 1
}

@test "names by themselves, one after the other, and as long as can be" {
	local name
	need_root boot-bookworm
	try timeout 100 "$RACKER" run -d --rm -q --boot "$B"
	status_is 0
	try timeout 100 "$RACKER" run -d --rm -q --boot "$B"
	status_is 0
	name=$(printf 'n%.0s' {1..200})
	start "$name" "$B"
	try "$RACKER" machines -q
	[ "$(wc -l <<<"$out")" -eq 3 ]
	out_line "$name"
	out_line 'postroj-boot-bookworm(-latest)?'
	out_line 'postroj-boot-bookworm(-latest)?-2'
	# A host name is shorter.
	try "$RACKER" exec "$name" hostname
	out_line 'n{63,64}'
	boot --name "$name" "$B" true
	status_is 125
	err_has 'is already in use'
	boot --name "$name$name" "$B" true
	status_is 125
	err_has 'Invalid container name'
	try "$RACKER" machines -q
	# shellcheck disable=SC2086 # words on purpose
	try "$RACKER" terminate $out
	status_is 0
}

@test "a state directory whose path is longer than a socket's may be, and a strict umask" {
	local root
	need_root boot-bookworm
	root=$TMP/$(printf 'long%.0s' {1..40})
	cp -a "$RACKER_ROOT" "$root"
	(umask 077 && timeout 100 "$RACKER" --root "$root" run --rm -q --boot "$B" sh -c 'systemctl is-system-running; stat -c %a / /etc /run /tmp; su -s /bin/sh nobody -c "cat /etc/hosts >/dev/null && echo readable"') >"$TMP/long" 2>&1
	[ "$(tr '\n' ' ' <"$TMP/long")" = 'running 755 755 755 1777 readable ' ] || { cat "$TMP/long" >&2; false; }
	rm -rf "$root"
}

@test "without logind it comes up as well" {
	need_root boot-bookworm
	boot -v /dev/null:/etc/systemd/system/systemd-logind.service "$B" sh -c 'systemctl is-system-running; systemctl is-active systemd-logind'
	out_is $'running\ninactive'
}

@test "twenty at once from one image" {
	local i pids=()
	need_root boot-bookworm
	for i in {1..20}; do
		timeout 100 "$RACKER" run --rm -q --boot "$B" sh -c "systemctl is-system-running || systemctl --failed; exit $i" >"$TMP/many.$i" 2>&1 </dev/null 3>&- &
		pids+=($!)
	done
	for i in {1..20}; do
		status=0
		wait "${pids[i - 1]}" || status=$?
		[ "$status" -eq "$i" ] && [ "$(cat "$TMP/many.$i")" = running ] || { cat "$TMP/many.$i" >&2; false; }
	done
	rm -f "$TMP"/many.*
}

@test "racker is killed while the machine boots, at any moment" {
	local ms pid
	need_root boot-bookworm
	for ms in 1 3 10 20 40 80 120 160 250; do
		"$RACKER" run --rm -q --boot "$B" sleep 1000 >/dev/null 2>&1 </dev/null 3>&- &
		pid=$!
		sleep "$(printf '0.%03d' $ms)"
		kill -KILL "$pid"
		wait "$pid" 2>/dev/null || true
	done
	# Nothing is left before anything else of racker has run.
	wait_for 5 no_machine
	boot "$B" true
	status_is 0
}

no_machine() {
	[ -z "$(foreign_processes)" ]
}

@test "the monitor is killed: the machine ends with it, and the next start clears the rest away" {
	local pid monitor
	need_root boot-bookworm
	start orphan "$B"
	pid=$("$RACKER" machines --format json | sed -E 's/.*"Pid":([0-9]+).*/\1/')
	monitor=$(awk '/^PPid:/ { print $2 }' "/proc/$pid/status")
	[ "$(readlink "/proc/$monitor/exe")" = "$RACKER" ]
	kill -KILL "$monitor"
	wait_for 5 no_machine
	boot "$B" true
	status_is 0
	try "$RACKER" machines -q
	out_is ''
}

@test "SIGTERM and SIGINT end command and machine" {
	local signo
	need_root boot-bookworm
	for signo in TERM INT; do
		# In background a shell ignores SIGINT, and a command inherits that.
		python3 -c 'import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])' \
			"$RACKER" run --rm -q --boot "$B" sh -c 'echo up; exec sleep 1000' >"$TMP/signalled" 2>&1 </dev/null 3>&- &
		wait_for 30 file_has "$TMP/signalled" up
		kill -s "$signo" $!
		status=0
		wait $! || status=$?
		[ "$status" -eq $((128 + $(kill -l "$signo"))) ] || say "status after $signo: $status"
	done
}

@test "inits that know nothing of systemd boot, run commands and end in order" {
	need_root boot-sysvinit
	pull boot-busybox
	start box --wait none "$REG/test/boot-busybox"
	wait_for 10 "$RACKER" exec box test -e /run/booted
	try "$RACKER" exec box sh -c 'ps | grep -c "[s]leep 100000"; exit 3'
	status_is 3
	out_is 1
	try timeout 60 "$RACKER" poweroff --time 20 box
	status_is 0
	start old --wait none "$REG/test/boot-sysvinit"
	wait_for 20 "$RACKER" exec old sh -c 'runlevel | grep -qx "N 2"'
	try "$RACKER" exec old cat /proc/1/comm
	out_is init
	try timeout 60 "$RACKER" poweroff --time 40 old
	status_is 0
}
