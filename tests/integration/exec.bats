#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# racker exec in a plain container: what the command gets, what becomes of it, and what is left.
load lib

setup_file() {
	pull payload
	pull busybox
}

P=$REG/test/payload
B=$REG/test/busybox
keeper=

# keep WORDS... : a container in the background, named c1, until the test ends
keep() {
	prun_bg --name c1 "$@" >"$TMP/keeper" 2>"$TMP/keeper.err" </dev/null &
	keeper=$!
	wait_for 10 can_exec || {
		cat "$TMP/keeper.err" >&2
		return 1
	}
}
can_exec() {
	"$RACKER" exec c1 /payload exit 0 2>/dev/null || "$RACKER" exec c1 true 2>/dev/null
}
keep_payload() {
	keep "$@" "$P" /payload trap 15 0
}
keep_busybox() {
	keep "$@" "$B" sh -c 'trap "exit 0" TERM; while :; do sleep 1 & wait $!; done'
}
drop() {
	local pid=$keeper
	keeper=
	[ -z "$pid" ] || {
		kill -TERM "$pid"
		wait "$pid" || true
	}
}
teardown() {
	drop
	nothing_left
}
x() {
	try "$RACKER" exec "$@"
}
pty() {
	python3 "$TOP/tests/integration/terminal.py" "$@"
}
# cgroups below the container's
leaves() {
	find "${TEST_CGROUP:-/sys/fs/cgroup}" -type d -name 'racker-exec-*' 2>/dev/null
}
no_leaves() {
	[ -z "$(leaves)" ]
}
# The processes of a container, by a word of their command line.
inside() {
	foreign_processes | sed -n 's/^inside //p' | while read -r p; do
		tr '\0' ' ' <"/proc/$p/cmdline" 2>/dev/null | grep -q -- "$1" && echo "$p"
	done
	return 0
}
nobody_inside() {
	[ -z "$(inside "$1")" ]
}

@test "exit codes are the command's own, 128 + n after a signal" {
	keep_payload
	local code
	for code in 0 1 7 125 126 127 255; do
		x c1 /payload exit "$code"
		status_is "$code"
		err_is_empty
	done
	x c1 /payload signal 9
	status_is 137
	x c1 /payload signal 15
	status_is 143
	no_leaves
}

@test "126 and 127, in docker's words" {
	keep_payload
	x c1 nosuch
	status_is 127
	err_has 'exec: "nosuch": executable file not found in $PATH'
	x c1 /no/such
	status_is 127
	err_has 'exec: "/no/such": stat /no/such: no such file or directory'
	x c1 /etc/noexec
	status_is 126
	err_has 'exec: "/etc/noexec": permission denied'
	x c1 /etc
	status_is 126
	err_has 'is a directory'
	x c1 ''
	status_is 127
	x c1 /sub/script
	status_is 127
	err_has 'interpreter or dynamic loader is missing'
	no_leaves
}

@test "a container that is not there: 1" {
	x nosuch true
	status_is 1
	err_has 'No such container: nosuch'
	x '' true
	status_is 1
	x ../c1 true
	status_is 1
}

@test "a container by its ID and by the beginning of it" {
	keep_payload
	local id
	id=$(sed 's/.*"id":"\([0-9a-f]*\)".*/\1/' "$RACKER_ROOT/run/containers/c1")
	[ ${#id} -eq 64 ]
	x "$id" /payload exit 3
	status_is 3
	x "${id:0:12}" /payload exit 4
	status_is 4
	x /c1 /payload exit 5
	status_is 5
}

@test "the command line: docker's refusals" {
	x
	status_is 1
	err_has "'racker exec' requires at least 2 arguments"
	x c1
	status_is 1
	x --foo c1 true
	status_is 125
	err_has 'unknown flag: --foo'
	x --privileged c1 true
	status_is 125
	err_has '--privileged is not supported yet'
	x -e =x c1 true
	status_is 125
	err_has 'invalid environment variable: =x'
	x --detach-keys 'ctrl-nosuch' c1 true
	status_is 125
}

@test "arguments arrive as they are, flags after the container are the command's" {
	keep_payload
	x c1 /payload args -e A=b '' 'two words' '*' $'line\nbreak'
	status_is 0
	out_is '[-e]
[A=b]
[]
[two words]
[*]
[line
break]'
}

@test "stdin, stdout and stderr are the caller's own" {
	keep_payload
	x c1 /payload both
	out_is 'out 0
out 1
out 2'
	[ "$err" = $'err 0\nerr 1\nerr 2' ]
	try_in 'some text' "$RACKER" exec -i c1 /payload cat
	out_is 'some text'
	# Without -i there is nothing to read.
	try_in 'some text' "$RACKER" exec c1 /payload cat
	out_is ''
	status_is 0
	"$RACKER" exec c1 /payload flood 4000000 | cmp - <("$TOP/build/payload" flood 4000000)
	[ "$(head -c 1000000 /dev/zero | "$RACKER" exec -i c1 /payload cat | wc -c)" -eq 1000000 ]
	# A reader that goes away ends the command, and no sooner than that.
	[ "$("$RACKER" exec c1 /payload flood 100000000 | head -c 16)" = 0123456789abcde ]
}

@test "a file given as stdin for reading cannot be written through /proc/self/fd/0" {
	keep_busybox
	echo original >"$TMP/in"
	run bash -c '"$1" exec -i c1 sh -c "cat; echo evil >/proc/self/fd/0" <"$2"' x "$RACKER" "$TMP/in"
	[[ $output == original* ]]
	[ "$(cat "$TMP/in")" = original ]
	rm "$TMP/in"
	run bash -c '"$1" exec -i c1 ls /proc/self/fd/0/.. <"$2"' x "$RACKER" "$TMP"
	[ "$status" -eq 125 ]
	[[ $output == *'file descriptor 0 is a directory'* ]]
}

@test "the container's environment, and -e on top" {
	keep_payload -e GIVEN=run -e ODD=$'a "b"\nc'
	CALLER=mine x -e NEW=1 -e GIVEN=exec -e CALLER -e FROM_IMAGE c1 /payload env
	status_is 0
	out_line 'PATH=/bin:/usr/bin'
	out_line 'NEW=1'
	out_line 'GIVEN=exec'
	out_line 'CALLER=mine'
	out_line 'HOME=/root'
	out_has $'ODD=a "b"\nc'
	# Named, but not set by the caller: taken away, as by docker.
	out_lacks FROM_IMAGE
	out_lacks TERM=
	x c1 /payload env
	out_line 'FROM_IMAGE=yes'
	out_line 'GIVEN=run'
	x -u bob c1 /payload env
	out_line 'HOME=/home/bob'
}

@test "users: the container's own, or -u" {
	keep_payload -u 1000
	x c1 /payload ids
	out_line 'uid=1000 euid=1000 gid=1001 egid=1001 groups=.*'
	x -u root c1 /payload ids
	out_is 'uid=0 euid=0 gid=0 egid=0 groups=0'
	x -u 12:34 c1 /payload ids
	out_is 'uid=12 euid=12 gid=34 egid=34 groups=34'
	x -u nosuch c1 /payload ids
	status_is 126
	err_has 'unable to find user nosuch: no matching entries in passwd file'
	x -u root:nosuch c1 /payload ids
	status_is 126
	err_has 'unable to find group nosuch'
	local bad
	for bad in 0x0 +1 -1 ' 1' 2147483648 4294967296; do
		x -u "$bad" c1 /payload ids
		status_is 126
	done
}

@test "working directory: the container's, or -w, which must be there" {
	keep_payload -w /sub
	x c1 /payload cwd
	out_is /sub
	x -w /bin c1 /payload cwd
	out_is /bin
	x -w /nosuch c1 /payload cwd
	status_is 126
	err_has 'chdir to cwd ("/nosuch") failed: no such file or directory'
	x -w rel c1 /payload cwd
	status_is 126
	err_has 'must be an absolute path'
	x c1 /payload stat /nosuch
	out_is '/nosuch: ENOENT'
	# CVE-2024-21626
	local fd
	for fd in 3 4 5 6 7 8 9 10 11 12; do
		x -w "/proc/self/fd/$fd" c1 /payload cwd
		status_is 126
		x -w "/proc/1/fd/$fd" c1 /payload cwd
		status_is 126
	done
}

@test "capabilities, system call policy and no_new_privs are those of the container's own command" {
	keep_payload
	local pid fields='CapInh|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp|Seccomp_filters'
	pid=$(inside 'payload trap')
	x c1 /payload status CapInh CapPrm CapEff CapBnd CapAmb NoNewPrivs Seccomp Seccomp_filters
	[ "$out" = "$(grep -E "^($fields):" "/proc/$pid/status")" ] || say "not as PID 1: $(grep -E "^($fields):" "/proc/$pid/status")"
	x -u 1000 c1 /payload status CapInh CapPrm CapEff CapAmb
	out_is $'CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapAmb:\t0000000000000000'
	x c1 /payload syscalls
	out_line 'mount EPERM'
	out_line 'setns EPERM'
	x c1 /payload mknod /sda 8 0
	out_is $'mknod OK\nopen EPERM'
}

@test "all namespaces of the container, its cgroup inside its own" {
	keep_payload --network none --hostname inner
	local ours
	x c1 /payload ns
	ours=$out
	pid=$(inside 'payload trap')
	local kind
	for kind in cgroup ipc mnt net pid uts user; do
		out_has "$(readlink "/proc/$pid/ns/$kind")"
	done
	[ -n "$ours" ]
	x c1 /payload hostname
	out_has inner
	if grep -q ' cgroup2 ' /proc/self/mounts; then
		x c1 /payload cat /proc/self/cgroup
		grep -qE '^0::/racker-exec-[0-9a-f]{16}$' <<<"$out"
	fi
	# From within it is a child of nobody, in a session of its own.
	x c1 /payload pids
	out_line 'self [0-9]+ of 2'
}

@test "descriptors: 0, 1, 2 and no more; also with -t, and open ones of the caller" {
	keep_payload
	x c1 /payload fds
	out_is $'0\n1\n2'
	status=0
	out=$("$RACKER" exec -i c1 /payload fds 7</etc/passwd 9>/dev/null 11</ </dev/null 2>/dev/null)
	out_is $'0\n1\n2'
	try pty "$RACKER" exec -it c1 /payload fds
	out_is $'0\n1\n2'
}

@test "umask and signals are as new" {
	keep_payload
	status=0
	out=$(
		umask 077
		trap '' INT QUIT USR1
		"$RACKER" exec c1 /payload status Umask SigBlk SigIgn
	)
	out_line $'Umask:\t0022'
	out_line $'SigBlk:\t0000000000000000'
	out_line $'SigIgn:\t0000000000000000'
}

@test "a command cannot name the host's racker as its interpreter (CVE-2019-5736)" {
	printf '#!/proc/self/exe\n' >"$TMP/entry"
	chmod 755 "$TMP/entry"
	local before
	before=$(sha256sum <"$RACKER")
	keep_busybox -v "$TMP/entry:/entry:ro"
	x c1 /entry
	status_is 125
	[ -z "$out" ]
	[ "$(sha256sum <"$RACKER")" = "$before" ]
	drop
	rm "$TMP/entry"
}

@test "nobody inside ever sees a process that runs racker" {
	# A watcher inside looks at every process's program as fast as it can.
	keep "$B" sh -c 'trap "exit 0" TERM; while :; do readlink /proc/[0-9]*/exe; done >/seen 2>/dev/null'
	local i
	for i in {1..40}; do
		"$RACKER" exec c1 true
	done
	x c1 sh -c 'sort -u /seen'
	out_has /bin/busybox
	out_lacks build/racker
	drop
}

@test "a terminal of the container's own, on all three descriptors" {
	keep_payload
	try pty "$RACKER" exec -it c1 /payload tty
	status_is 0
	out_line 'fd0 tty /dev/pts/[0-9]+'
	out_line 'fd1 tty .*'
	out_line 'fd2 tty .*'
	out_line 'session leader'
	out_line 'foreground yes'
	try pty "$RACKER" exec -it c1 /payload env
	out_line 'TERM=xterm'
	try pty "$RACKER" exec -it -e TERM=linux c1 /payload env
	out_line 'TERM=linux'
	try pty "$RACKER" exec -it c1 /payload exit 7
	status_is 7
	try pty "$RACKER" exec -it c1 nosuch
	status_is 127
	try pty "$RACKER" exec -it c1 /payload tiocsti
	out_line 'TIOCSTI EPERM'
	try pty "$RACKER" exec -it -u bob c1 /payload stat /dev/pts/0
	out_has 'mode=20620 uid=1000'
}

@test "the terminal's size, and its changes" {
	keep_payload
	try pty size:33x101 -- "$RACKER" exec -it c1 /payload tty
	out_line 'size 33x101'
	try pty wait:ready size:40x120 wait:40x120 size:20x60 -- "$RACKER" exec -it c1 /payload winch 2
	status_is 0
	out_line 'winch 40x120'
	out_line 'winch 20x60'
}

@test "a shell in a terminal: typed lines, Ctrl-C, a job left behind, Ctrl-D" {
	keep_busybox
	try pty 'wait:#' 'send:echo a$((1+1))b\n' wait:a2b 'wait:#' 'send:sleep 50\n' pause:0.3 'send:\x03' 'wait:#' 'send:exit 9\n' -- "$RACKER" exec -it c1 sh
	status_is 9
	try pty 'wait:#' 'send:sleep 51 &\n' 'wait:#' pause:0.2 'send:exit 4\n' -- "$RACKER" exec -it c1 sh
	status_is 4
	try pty 'wait:#' pause:0.2 'send:\x04' -- "$RACKER" exec -it c1 sh
	status_is 0
}

@test "much output through the terminal, all of it" {
	keep_payload
	try pty "$RACKER" exec -it c1 /payload flood 1048576
	status_is 0
	[ "$(wc -c <"$TMP/out")" -eq 1048576 ]
}

@test "-t without a terminal: on without one, or refused when strict" {
	keep_payload
	try_in 'piped' "$RACKER" exec -it c1 /payload cat
	status_is 0
	out_is piped
	try_in 'piped' "$RACKER" exec -it --strict-tty c1 /payload cat
	status_is 1
	err_has 'the input device is not a TTY'
}

@test "detach keys: racker leaves with 0, the command goes on" {
	keep_payload
	try pty wait:ready 'send:\x10\x11' -- "$RACKER" exec -it c1 /payload spin
	status_is 0
	[ -n "$(inside 'payload spin')" ]
	try pty wait:ready 'send:xy' -- "$RACKER" exec -it --detach-keys x,y c1 /payload spin
	status_is 0
	[ "$(inside 'payload spin' | wc -l)" -eq 2 ]
	# They end with the container, as do those who watched them.
	drop
	wait_for 5 nobody_inside 'payload spin'
}

@test "-d: in the background, told only whether it started" {
	keep_payload
	x -d c1 /payload spin
	status_is 0
	out_is ''
	wait_for 5 test -n "$(inside 'payload spin')"
	x -d c1 nosuch
	status_is 127
	# Nothing of the caller's is held: a pipe to it ends at once.
	[ -z "$("$RACKER" exec -d c1 /payload spin)" ]
	[ -z "$("$RACKER" exec -dit c1 /payload tty)" ]
	inside 'payload spin' | xargs kill -KILL
	wait_for 5 no_leaves
}

@test "signals are passed on to the command" {
	keep_payload
	local n code
	"$RACKER" exec c1 /payload trap all >"$TMP/spin" 2>&1 </dev/null 3>&- &
	pid=$!
	wait_for 10 file_has "$TMP/spin" ready
	for n in HUP INT QUIT USR1 USR2 ALRM CONT WINCH RTMIN RTMAX; do
		kill -s "$n" "$pid"
		wait_for 5 file_has "$TMP/spin" "^caught $(kill -l "$n")$"
	done
	code=0
	kill -TERM "$pid"
	wait "$pid" || code=$?
	[ "$code" -eq 0 ]
	"$RACKER" exec c1 /payload spin >"$TMP/spin" 2>&1 </dev/null 3>&- &
	pid=$!
	wait_for 10 file_has "$TMP/spin" ready
	kill -INT "$pid"
	wait "$pid" || code=$?
	[ "$code" -eq 130 ]
	rm "$TMP/spin"
}

@test "kill -9 of racker exec ends the command, with a terminal too" {
	keep_payload
	"$RACKER" exec c1 /payload spin >"$TMP/spin" 2>&1 </dev/null 3>&- &
	pid=$!
	wait_for 10 file_has "$TMP/spin" ready
	kill -KILL "$pid"
	wait "$pid" || true
	wait_for 5 nobody_inside 'payload spin'
	try pty wait:ready signal:KILL -- "$RACKER" exec -it c1 /payload spin
	out_line ready
	wait_for 5 nobody_inside 'payload spin'
	# The next one clears away what was left of its cgroup.
	x c1 /payload exit 0
	no_leaves
	rm "$TMP/spin"
}

@test "kill -9 at any moment of a start" {
	keep_payload
	local i
	for i in 0.000 0.001 0.0015 0.002 0.0025 0.003 0.004 0.006 0.01; do
		"$RACKER" exec c1 /payload spin >/dev/null 2>&1 </dev/null 3>&- &
		pid=$!
		sleep "$i"
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" || true
	done
	wait_for 5 nobody_inside 'payload spin'
	x c1 /payload exit 0
	no_leaves
}

@test "a start that does not come to its end is ended by a signal" {
	keep_payload
	local group signal code
	group=$(sed 's/.*"cgroup":"\([^"]*\)".*/\1/' "$RACKER_ROOT/run/containers/c1")
	[ -e "$group/cgroup.freeze" ] || skip 'no cgroup2 here'
	for signal in INT TERM; do
		echo 1 >"$group/cgroup.freeze"
		"$RACKER" exec c1 /payload exit 0 </dev/null 3>&- &
		pid=$!
		sleep 0.3
		kill -0 "$pid"
		kill -s "$signal" "$pid"
		code=0
		wait "$pid" || code=$?
		echo 0 >"$group/cgroup.freeze"
		[ "$code" -eq $((128 + $(kill -l "$signal"))) ]
	done
	x c1 /payload exit 3
	status_is 3
}

@test "what a command leaves in the background stays, and goes with the container" {
	keep_payload
	x c1 /payload background
	status_is 0
	[ -n "$(inside 'payload background')" ]
	x c1 /payload pids
	out_line 'self [0-9]+ of 3'
	drop
	wait_for 5 nobody_inside 'payload background'
}

@test "the container ends while a command runs in it: 137" {
	keep_payload
	"$RACKER" exec c1 /payload spin >"$TMP/spin" 2>&1 </dev/null 3>&- &
	pid=$!
	wait_for 10 file_has "$TMP/spin" ready
	drop
	local code=0
	wait "$pid" || code=$?
	[ "$code" -eq 137 ]
	rm "$TMP/spin"
	x c1 /payload exit 0
	status_is 1
	err_has 'No such container: c1'
}

@test "commands while containers come and go: their own code, or 1" {
	local i
	for i in {1..15}; do
		prun_bg --name c1 "$P" /payload exit 0 >/dev/null 2>&1 </dev/null &
		pid=$!
		while kill -0 "$pid" 2>/dev/null; do
			x c1 /payload exit 9
			case $status in
			1 | 9 | 137) ;;
			*) say 'unexpected status' ;;
			esac
		done
		wait "$pid"
	done
}

@test "many at once" {
	keep_payload
	local i pids=()
	for i in {1..30}; do
		"$RACKER" exec c1 /payload exit 5 3>&- &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		local code=0
		wait "$i" || code=$?
		[ "$code" -eq 5 ]
	done
	wait_for 2 no_leaves
}

@test "a container without a cgroup" {
	keep_payload
	# The same one by another state file, as it looks where the host has no cgroup for it.
	local state=$RACKER_ROOT/run/containers/d1
	exec 9>"$state"
	flock -n 9
	sed 's/"cgroup":"[^"]*"/"cgroup":null/; s/"name":"c1"/"name":"d1"/' "$RACKER_ROOT/run/containers/c1" >&9
	chmod 700 "$state"
	x d1 /payload exit 6
	status_is 6
	x d1 /payload cat /proc/self/cgroup
	out_lacks racker-exec
	exec 9>&-
	rm "$state"
}

@test "one that has not executed its own command yet is not entered" {
	keep_payload
	chmod 600 "$RACKER_ROOT/run/containers/c1"
	x c1 /payload exit 0
	status_is 1
	err_has 'is not running'
}

@test "a number that was given to another process is not entered" {
	keep_payload
	sed -i 's/"pidStart":[0-9]*/"pidStart":1/' "$RACKER_ROOT/run/containers/c1" || true
	x c1 /payload exit 0
	status_is 1
}

@test "what its user, group and PATH files are is the container's affair: racker does not hang" {
	keep_busybox
	x c1 sh -c 'rm /dev/null; ln -s /etc/shadow /dev/null; mkfifo /etc/fifo'
	status_is 0
	x c1 true
	status_is 125
	err_has /dev/null
	x -i c1 sh -c 'rm /etc/group; ln -s /dev/zero /etc/group'
	x -i c1 true
	[ "$status" -ne 0 ]
	err_has /etc/group
	x -i -u 1:1 c1 sh -c 'exit 3'
	status_is 3
	x -i -u 1:1 c1 /etc/fifo
	status_is 126
	x -i -u 0:0 c1 sh -c 'rm /etc/passwd; mkfifo /etc/passwd'
	x -i -u 0:0 c1 true
	status_is 126
	err_has '/etc/passwd of the image: not a regular file'
}

# ---- failures on purpose (see faults.bats) ----

points() {
	sed -n '/^} stages\[\] = {/,/^};/s/^\t{ "\([^"]*\)".*/\1/p' "$TOP/runtime/exec_child.c"
	grep -hoE 'fault_check\("exec-[^"]+"' "$TOP"/*/*.c | sed 's/.*"\(.*\)"/\1/'
}

@test "each stage fails: message, exit code, nothing left, the container as before" {
	keep_payload
	local point
	[ "$(points | wc -l)" -ge 9 ]
	for point in $(points); do
		RACKER_FAULT=$point:-5 try "$RACKER_FAULT_BUILD" exec c1 /payload hello
		status_is 125 || { echo "$point" >&2; return 1; }
		err_has "fault injected into stage $point"
		out_is ''
		RACKER_FAULT=$point:-5 try pty "$RACKER_FAULT_BUILD" exec -it c1 /payload hello
		status_is 125 || { echo "$point" >&2; return 1; }
		out_has "fault injected into stage $point"
		no_leaves || { echo "$point" >&2; return 1; }
	done
	# A crash, of racker itself in the last of them.
	for point in $(points | grep -vx exec-clone); do
		RACKER_FAULT=$point:kill try "$RACKER_FAULT_BUILD" exec c1 /payload hello
		status_is 125 || { echo "$point" >&2; return 1; }
		err_has "the command's start was killed"
		no_leaves || { echo "$point" >&2; return 1; }
	done
	x c1 /payload pids
	out_line 'self [0-9]+ of 2'
}

@test "out of memory, descriptors, space: system calls that fail one after another" {
	command -v strace >/dev/null || skip 'no strace here'
	strace -o /dev/null true 2>/dev/null || skip 'strace cannot trace here'
	keep_payload
	local call n
	for call in clone3:EAGAIN clone:EAGAIN openat:EMFILE openat2:ENOMEM mkdirat:ENOSPC socketpair:EMFILE memfd_create:ENOMEM \
		setns:EPERM pidfd_open:EMFILE execveat:ENOMEM fcntl:EMFILE write:ENOSPC; do
		for n in 1 2 3; do
			try timeout -s KILL 20 strace -f -qq -o /dev/null -e "inject=${call%:*}:error=${call#*:}:when=$n" \
				"$RACKER" exec c1 /payload exit 0
			case $status in
			0 | 1 | 125 | 126 | 127) ;;
			*) say "$call at $n" ;;
			esac
			[ "$status" -eq 0 ] || [ -n "$err" ] || say "$call at $n: no message"
		done
	done
	x c1 /payload pids
	out_line 'self [0-9]+ of 2'
	no_leaves
}

@test "without a device filter: no CAP_MKNOD for a joining command either" {
	RACKER=$RACKER_FAULT_BUILD RACKER_FAULT=devices:-1 keep_payload
	x c1 /payload mknod /tmp-mem 1 1
	out_is 'mknod EPERM'
	local pid
	pid=$(inside 'payload trap')
	x c1 /payload status CapBnd
	[ "$out" = "$(grep ^CapBnd "/proc/$pid/status")" ]
}
