#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Signals on their way through racker, and what a kill leaves: nothing, at the latest after the next start.
load lib

setup_file() {
	pull payload
}

P=$REG/test/payload

# begin WORDS... : racker run in the background; pid, once the payload says that it is ready
begin() {
	prun_bg "$@" >"$TMP/spin" 2>"$TMP/spin.err" </dev/null &
	pid=$!
	wait_for 10 file_has "$TMP/spin" ready || {
		cat "$TMP/spin" "$TMP/spin.err" >&2
		return 1
	}
}
end_is() {
	local code=0
	wait "$pid" || code=$?
	[ "$code" -eq "$1" ] || {
		echo "expected $1, ended with $code" >&2
		cat "$TMP/spin" "$TMP/spin.err" >&2
		return 1
	}
}

@test "a signal that the command handles: its exit code" {
	begin "$P" /payload trap 15 9
	kill -TERM "$pid"
	end_is 9
	begin "$P" /payload trap 10 11
	kill -USR1 "$pid"
	end_is 11
	begin --init "$P" /payload trap 1 12
	kill -HUP "$pid"
	end_is 12
}

@test "under --init a signal without a handler ends it: 128 + n" {
	begin --init "$P" /payload spin
	kill -TERM "$pid"
	end_is 143
	begin --init "$P" /payload spin
	kill -USR2 "$pid"
	end_is 140
}

@test "every signal is passed on, but CHLD, PIPE and URG" {
	local n
	begin "$P" /payload trap all
	for n in HUP INT QUIT USR1 USR2 ALRM CONT WINCH RTMIN RTMAX; do
		kill -s "$n" "$pid"
		wait_for 5 file_has "$TMP/spin" "^caught $(kill -l "$n")$" || {
			echo "SIG$n did not arrive" >&2
			return 1
		}
	done
	kill -s CHLD "$pid"
	kill -s PIPE "$pid"
	kill -s URG "$pid"
	kill -TERM "$pid"
	end_is 0
	! grep -qE "^caught ($(kill -l CHLD)|$(kill -l PIPE)|$(kill -l URG))$" "$TMP/spin"
}

@test "kill -9 of the command: 137" {
	local inside
	begin "$P" /payload spin
	inside=$(pgrep -P "$pid" | head -n1)
	[ -n "$inside" ]
	kill -KILL "$inside"
	end_is 137
}

@test "kill -9 of racker ends the container at once" {
	begin "$P" /payload spin
	kill -KILL "$pid"
	wait "$pid" || true
	nothing_inside() {
		! diff <(grep ^inside "$TMP/before") <(foreign_processes | grep ^inside) | grep -q '^>'
	}
	wait_for 5 nothing_inside
	# The next start sweeps cgroup, state and name.
	try prun "$P" /payload exit 0
	status_is 0
}

@test "kill -9 of racker with --init and a terminal" {
	begin --init "$P" /payload spin
	kill -KILL "$pid"
	wait "$pid" || true
	try prun "$P" /payload exit 0
	status_is 0
}

@test "kill -9 at any moment of a start" {
	local i
	for i in 0.000 0.001 0.002 0.003 0.004 0.006 0.008 0.012 0.02; do
		prun_bg "$P" /payload spin >/dev/null 2>&1 &
		pid=$!
		sleep "$i"
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" || true
	done
	try prun "$P" /payload exit 0
	status_is 0
}

@test "SIGTERM at any moment of a start ends it, cleanly" {
	local i
	for i in 0.000 0.002 0.004 0.008; do
		prun_bg --init "$P" /payload spin >/dev/null 2>&1 &
		pid=$!
		sleep "$i"
		kill -TERM "$pid" 2>/dev/null || true
		sleep 0.1
		# A signal that came before the command was there must not be lost.
		wait_for 3 gone "$pid" || {
			kill -KILL "$pid"
			echo "still there, SIGTERM after $i s" >&2
			return 1
		}
		wait "$pid" || true
	done
}

@test "a stopped racker goes on" {
	begin "$P" /payload trap 15 4
	kill -STOP "$pid"
	kill -CONT "$pid"
	kill -TERM "$pid"
	end_is 4
}
