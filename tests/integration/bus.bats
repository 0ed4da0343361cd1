#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Talking to a machine's PID 1 over its own socket: commands as its units, its state, waiting for units; with and without a user namespace,
# over the private socket and over the system bus, from four suites' systemd.
# boots: boot-bullseye boot-bookworm boot-trixie boot-sid

load lib

B=$REG/test/boot-bookworm

# unit WORDS...: racker run of a command as a unit, to its end
unit() {
	try timeout 60 "$RACKER" run --rm -q --boot --as-unit "$@"
}

# start NAME WORDS...: a machine in background
start() {
	local name=$1
	shift
	try timeout 60 "$RACKER" run -d --rm -q --name "$name" --boot "$@"
	status_is 0
}

teardown() {
	for name in bus-a bus-b; do
		"$RACKER" terminate "$name" >/dev/null 2>&1 || true
	done
}

# speaks SUITE: exit codes, signals and words as they are, whatever the version
speaks() {
	need_root "boot-$1"
	for words in '--network host' '--network none --userns auto'; do
		# shellcheck disable=SC2086 # words on purpose
		unit $words "$REG/test/boot-$1" sh -c 'echo out; echo err >&2; grep -c "/system.slice/racker-.*\.service$" /proc/self/cgroup; id -u; exit 7'
		status_is 7
		out_is $'out\n1\n0'
		[ "$err" = err ]
		# shellcheck disable=SC2086
		unit $words "$REG/test/boot-$1" sh -c 'kill -KILL $$'
		status_is 137
	done
	unit --network host "$REG/test/boot-$1" printf '%s|' '$HOME' '${A}' '$$' '%n' "it's" '"' '' ' x ' $'two\nlines' 'bär'
	status_is 0
	out_is "\$HOME|\${A}|\$\$|%n|it's|\"|| x |two
lines|bär|"
}

@test "bullseye: commands as units" {
	speaks bullseye
}

@test "bookworm: commands as units" {
	speaks bookworm
}

@test "trixie: commands as units" {
	speaks trixie
}

@test "sid: commands as units" {
	speaks sid
}

@test "environment, user, working directory, stdin; what cannot be executed has docker's exit codes" {
	need_root boot-bookworm
	unit -e 'A=1 2 $X' -u nobody -w /tmp "$B" sh -c 'echo "$A"; id -un; pwd'
	status_is 0
	out_is $'1 2 $X\nnobody\n/tmp'
	try_in 'some input' timeout 60 "$RACKER" run --rm -q -i --boot --as-unit "$B" cat
	status_is 0
	out_is 'some input'
	unit "$B" nosuch
	status_is 127
	err_has 'executable file not found in $PATH'
	unit "$B" /etc/passwd
	status_is 126
	# systemd's own codes, but not from systemd
	unit "$B" sh -c 'exit 217'
	status_is 217
	unit "$B" sh -c 'sleep 0.2; exit 203'
	status_is 203
}

@test "a command that fails does not make the machine degraded" {
	need_root boot-bookworm
	unit "$B" sh -c '(sleep 0.3; exit 1); systemctl is-system-running; exit 255'
	status_is 255
	out_is running
}

@test "a unit is stopped from inside, and systemd reexecuted under it: the exit code arrives" {
	need_root boot-bookworm
	unit "$B" sh -c 'trap "exit 5" TERM; systemctl --no-block stop "racker-*.service"; while :; do sleep 0.05; done'
	status_is 5
	unit "$B" sh -c 'systemctl daemon-reexec; sleep 0.5; exit 6'
	status_is 6
}

@test "without the private socket the system bus will do" {
	need_root boot-bookworm
	for words in '--userns host' '--network none --userns auto'; do
		# shellcheck disable=SC2086
		start bus-a $words "$B"
		try timeout 60 "$RACKER" exec bus-a rm /run/systemd/private
		status_is 0
		try timeout 60 "$RACKER" wait --for ready --for unit=dbus --timeout 20 bus-a
		status_is 0
		try timeout 60 "$RACKER" status bus-a
		status_is 0
		out_has running
		try timeout 60 "$RACKER" terminate bus-a
		status_is 0
	done
}

@test "a symlink in the socket's place leads to no other listener" {
	need_root boot-bookworm
	start bus-a "$B"
	try timeout 60 "$RACKER" exec -d bus-a perl -MIO::Socket::UNIX -e '
		$s = IO::Socket::UNIX->new(Local => "/run/other", Listen => 9) or die;
		$c = $s->accept; open F, ">/run/connected"; print F "by $c: " . <$c>; close F; sleep 60'
	status_is 0
	try timeout 60 "$RACKER" exec bus-a sh -c 'until [ -e /run/other ]; do sleep 0.05; done
		rm /run/systemd/private /run/dbus/system_bus_socket; ln -s /proc/1/root/run/other /run/systemd/private'
	status_is 0
	try timeout 60 "$RACKER" wait --for unit=dbus --timeout 2 bus-a
	status_is 1
	try timeout 60 "$RACKER" exec bus-a sh -c 'rm /run/systemd/private; ln -s ../other /run/systemd/private'
	status_is 0
	try timeout 60 "$RACKER" wait --for unit=dbus --timeout 2 bus-a
	status_is 1
	try timeout 60 "$RACKER" exec bus-a sh -c '[ ! -s /run/connected ] || grep -c AUTH /run/connected'
	out_lacks 1
}

@test "a machine that stops every process inside does not keep us" {
	need_root boot-bookworm
	start bus-a "$B"
	try timeout 60 "$RACKER" exec -d bus-a perl -e 'for (;;) { kill STOP => -1; kill CONT => -1 }'
	status_is 0
	for _ in {1..10}; do
		try timeout 30 "$RACKER" wait --for ready --timeout 5 bus-a
		[ "$status" -ne 124 ]
	done
	try timeout 30 "$RACKER" terminate bus-a
	status_is 0
}
