# SPDX-License-Identifier: MIT
# What the bats files share: running racker, saying what was expected, and proof that nothing is left behind.
# The environment (TMP, REG, RACKER, RACKER_ROOT …) is made by tests/integration/run.

if [ -z "${REG:-}" ]; then
	echo 'run this by tests/integration/run FILE' >&2
	exit 1
fi

# try COMMAND... : status, out (stdout), err (stderr); never fails by itself
try() {
	status=0
	"$@" >"$TMP/out" 2>"$TMP/err" </dev/null || status=$?
	out=$(tr -d '\0' <"$TMP/out")
	err=$(tr -d '\0' <"$TMP/err")
}

# try_in INPUT COMMAND... : the same with INPUT on stdin, through a pipe
try_in() {
	local input=$1
	shift
	status=0
	printf '%s' "$input" | "$@" >"$TMP/out" 2>"$TMP/err" || status=$?
	out=$(tr -d '\0' <"$TMP/out")
	err=$(tr -d '\0' <"$TMP/err")
}

say() {
	printf '%s\n' "$@" "--- status $status" "--- stdout" "$out" "--- stderr" "$err" >&2
	return 1
}
status_is() {
	[ "$status" -eq "$1" ] || say "expected status $1"
}
out_is() {
	[ "$out" = "$1" ] || say "expected on stdout: $1"
}
out_has() {
	[[ $out == *"$1"* ]] || say "expected somewhere in stdout: $1"
}
out_lacks() {
	[[ $out != *"$1"* ]] || say "not expected in stdout: $1"
}
# A whole line of stdout, as an extended regular expression.
out_line() {
	grep -qxE -- "$1" <<<"$out" || say "expected as a line of stdout: $1"
}
err_has() {
	[[ $err == *"$1"* ]] || say "expected somewhere in stderr: $1"
}
err_lacks() {
	[[ $err != *"$1"* ]] || say "not expected in stderr: $1"
}
err_is_empty() {
	[ -z "$err" ] || say 'expected nothing on stderr'
}

# pull IMAGE: once a run; later tests find it
pull() {
	"$RACKER" pull -q "$REG/test/$1" >/dev/null
}

# need_root NAME : skips, with the reason, where tests/integration/roots could not make it; else its image test/NAME is in the store
need_root() {
	[ -s "$TOP/build/tests/$1.tar" ] || skip "$(cat "$TOP/build/tests/$1.why")"
	pull "$1"
}

# prun IMAGE WORDS... : racker run --rm of a test image, already pulled or not; -q keeps stderr for what matters
prun() {
	"$RACKER" run --rm -q --network host "$@"
}

# prun_bg: the same for the background: $! is racker itself, and descriptor 3 of bats is not held open
prun_bg() {
	exec "$RACKER" run --rm -q --network host "$@" 3>&-
}

# wait_for SECONDS COMMAND... : until COMMAND is true
wait_for() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ "$SECONDS" -le "$end" ] || return 1
		sleep 0.05
	done
}
file_has() {
	grep -q -- "$2" "$1" 2>/dev/null
}
gone() {
	! kill -0 "$1" 2>/dev/null
}

# Processes of containers (in other PID namespaces than ours) and of our own program. Only those in the cgroup of this run, where there
# is one: a container runs below its caller's, and what others do on the machine is theirs.
foreign_processes() {
	local own pid
	own=$(readlink /proc/self/ns/pid)
	for pid in $(if [ -n "$TEST_CGROUP" ]; then
		find "$TEST_CGROUP" -name cgroup.procs -exec cat {} + 2>/dev/null | sort -un
	else
		cd /proc && echo [0-9]*
	fi); do
		case $(readlink "/proc/$pid/ns/pid" 2>/dev/null) in
		"$own" | '') [ "$(readlink "/proc/$pid/exe" 2>/dev/null)" = "$RACKER" ] && echo "racker $pid" ;;
		*) echo "inside $pid" ;;
		esac
	done
	return 0
}

# What a container could leave behind.
snapshot() {
	echo '# mounts'
	grep -F "$TMP" /proc/self/mountinfo | awk '{ print $4, $5 }' | sort
	echo '# cgroups'
	find "${TEST_CGROUP:-/sys/fs/cgroup}" -type d 2>/dev/null | sort
	find /sys/fs/cgroup -type d -iname '*racker*' ! -path '*/unified/*' 2>/dev/null | grep -v "^${TEST_CGROUP:-none}" | sort
	echo '# network'
	ls /sys/class/net
	ls /run/netns 2>/dev/null || true
	echo '# processes'
	foreign_processes
	echo '# state'
	(cd "$RACKER_ROOT" 2>/dev/null && find run ingest -mindepth 1 \( -type f -o -type l -o -path 'ingest/*' -o -path 'run/*/*' \) 2>/dev/null | sort) || true
}
same_as_before() {
	snapshot >"$TMP/after"
	# What went away is no leak (a mount of somebody else's).
	! diff "$TMP/before" "$TMP/after" | grep -q '^>'
}
nothing_left() {
	wait_for 3 same_as_before || {
		echo 'left behind:' >&2
		diff "$TMP/before" "$TMP/after" | grep '^>' >&2
		return 1
	}
}

setup() {
	snapshot >"$TMP/before"
}
teardown() {
	nothing_left
}
