#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# racker run -t: a terminal of its own, between the user's and the command.
load lib

setup_file() {
	pull payload
	pull busybox
}

P=$REG/test/payload
B=$REG/test/busybox
pty() {
	python3 "$TOP/tests/integration/terminal.py" "$@"
}

@test "three descriptors on one terminal, which is /dev/console too" {
	try pty "$RACKER" run -it --rm -q "$P" /payload tty
	status_is 0
	out_line 'fd0 tty .*'
	out_line 'fd1 tty .*'
	out_line 'fd2 tty .*'
	out_line 'session leader'
	out_line 'foreground yes'
	try pty "$RACKER" run -it --rm -q "$P" /payload stat /dev/console
	out_has 'mode=20620'
}

@test "the size of the user's terminal, and its changes" {
	try pty size:33x101 -- "$RACKER" run -it --rm -q "$P" /payload tty
	out_line 'size 33x101'
	try pty wait:ready size:40x120 wait:40x120 size:20x60 -- "$RACKER" run -it --rm -q "$P" /payload winch 2
	status_is 0
	out_line 'winch 40x120'
	out_line 'winch 20x60'
}

@test "TERM is xterm, or what -e says" {
	try pty "$RACKER" run -it --rm -q "$P" /payload env
	out_line 'TERM=xterm'
	try pty "$RACKER" run -it --rm -q -e TERM=linux "$P" /payload env
	out_line 'TERM=linux'
}

@test "exit codes pass through, and the terminal is as before" {
	try pty "$RACKER" run -it --rm -q "$P" /payload exit 7
	status_is 7
	try pty "$RACKER" run -it --rm -q "$P" nosuch
	status_is 127
	try pty "$RACKER" run -it --rm -q --init "$P" /payload signal 15
	status_is 143
}

@test "a shell: typed lines run, Ctrl-D ends it" {
	try pty 'wait:#' 'send:echo a$((1+1))b\n' wait:a2b 'wait:#' pause:0.2 'send:\x04' -- "$RACKER" run -it --rm -q "$B" sh
	status_is 0
}

@test "Ctrl-C goes to the command, not to racker" {
	try pty 'wait:#' 'send:sleep 50\n' pause:0.3 'send:\x03' 'wait:#' 'send:exit 9\n' -- "$RACKER" run -it --rm -q "$B" sh
	status_is 9
	try pty wait:ready 'send:\x03' -- "$RACKER" run -it --rm -q "$P" /payload trap 2 5
	status_is 5
}

@test "Ctrl-C ends what has no handler, under --init: 130" {
	try pty wait:ready 'send:\x03' -- "$RACKER" run -it --rm -q --init "$P" /payload spin
	status_is 130
}

@test "Ctrl-Z does not stop racker" {
	try pty 'wait:#' 'send:sleep 50\n' pause:0.3 'send:\x1a' 'wait:#' 'send:exit 3\n' 'wait:stopped jobs' 'send:exit 3\n' -- "$RACKER" run -it --rm -q "$B" sh
	status_is 3
}

@test "detach keys: racker leaves with 0, the container goes on" {
	try pty wait:ready 'send:\x10\x11' -- "$RACKER" run -it --name detached -q "$P" /payload spin
	status_is 0
	# It is still there: its name is taken.
	try prun --name detached "$P" /payload hello
	status_is 125
	err_has Conflict
	local pid
	pid=$(foreign_processes | sed -n 's/^inside //p' | while read -r p; do
		tr '\0' ' ' <"/proc/$p/cmdline" | grep -q 'payload spin' && echo "$p"
	done | head -n1)
	[ -n "$pid" ]
	kill -KILL "$pid"
	wait_for 5 gone "$pid"
	try prun "$P" /payload exit 0
	status_is 0
}

@test "the first of the detach keys alone reaches the command" {
	try pty 'wait:#' 'send:cat -v\n' pause:0.3 'send:\x10x\n' 'wait:^Px' 'send:\x03\x04' -- "$RACKER" run -it --rm -q "$B" sh
	out_has '^Px'
}

@test "-t without -i: output on a terminal, nothing is sent" {
	try pty "$RACKER" run -t --rm -q "$P" /payload tty
	status_is 0
	out_line 'fd1 tty .*'
}

@test "-i without -t from a terminal: the terminal itself is stdin" {
	try pty "$RACKER" run -i --rm -q "$P" /payload tty
	status_is 0
	out_line 'fd0 tty .*'
}

@test "much output through the terminal, all of it" {
	try pty "$RACKER" run -it --rm -q "$P" /payload flood 1048576
	status_is 0
	[ "$(wc -c <"$TMP/out")" -eq 1048576 ]
}

@test "the terminal hangs up: nothing is left" {
	python3 - "$RACKER" "$P" <<'T'
import os, pty, sys, time
pid, master = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], [sys.argv[1], "run", "-it", "--rm", "-q", sys.argv[2], "/payload", "spin"])
data = b""
while b"ready" not in data:
    data += os.read(master, 1024)
os.close(master)
end = time.monotonic() + 25  # docker's 10 s to stop, for one that ignores SIGHUP
while time.monotonic() < end:
    if os.waitpid(pid, os.WNOHANG)[0]:
        sys.exit(0)
    time.sleep(0.05)
os.kill(pid, 9)
os.waitpid(pid, 0)
sys.exit("racker did not end when its terminal hung up")
T
}
