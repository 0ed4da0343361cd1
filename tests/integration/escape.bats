#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Ways out of a container that were found open in racker or in its peers, each tried for real (doc/security.md).
load lib

setup_file() {
	pull busybox
}

B=$REG/test/busybox

inode() { stat -L -c %d:%i "$1"; }

@test "--init: PID 1 is not the host's racker" {
	try prun --init "$B" stat -L -c %d:%i /proc/1/exe
	status_is 0
	[ -n "$out" ]
	[ "$out" != "$(inode "$RACKER")" ]
}

@test "a command cannot name the host's racker as its interpreter (CVE-2019-5736)" {
	# With racker as the program, the kernel would start the image's own dynamic loader in its place.
	printf '#!/proc/self/exe\n' >"$TMP/entry"
	chmod 755 "$TMP/entry"
	mkdir "$TMP/lib64"
	cp "$TOP/build/payload" "$TMP/lib64/ld-linux-x86-64.so.2"
	cp "$TMP/lib64/ld-linux-x86-64.so.2" "$TMP/lib64/ld-linux-aarch64.so.1"
	try prun -v "$TMP/entry:/entry:ro" -v "$TMP/lib64:/lib64:ro" "$B" /entry
	rm -rf "${TMP:?}/entry" "${TMP:?}/lib64"
	# What runs is the stub, which has no loader and refuses to be called so; the loader would have crashed or spoken.
	status_is 125
	[ -z "$out" ]
}

@test "a file given as stdin for reading cannot be written through /proc/self/fd/0" {
	echo original >"$TMP/in"
	run bash -c '"$1" run --rm -q -i "$2" sh -c "cat; echo evil >/proc/self/fd/0" <"$3"' x "$RACKER" "$B" "$TMP/in"
	[[ $output == original* ]]
	[ "$(cat "$TMP/in")" = original ]
	# It is read from where the caller had got to.
	printf '1\n2\n3\n' >"$TMP/in"
	run bash -c 'exec <"$1"; read -r _; "${@:2}" run --rm -i '"$B"' cat' x "$TMP/in" "$RACKER"
	[ "$output" = $'2\n3' ]
	rm "$TMP/in"
}

@test "a directory as stdin, stdout or stderr is refused: .. of it is the host" {
	run bash -c '"$1" run --rm -i "$2" ls /proc/self/fd/0/.. <"$3"' x "$RACKER" "$B" "$TMP"
	[ "$status" -eq 125 ]
	[[ $output == *'file descriptor 0 is a directory'* ]]
	run bash -c '"$1" run --rm "$2" ls /proc/self/fd/2/.. 2<"$3"' x "$RACKER" "$B" "$TMP"
	[ "$status" -eq 125 ]
}

@test "nothing is mounted over procfs" {
	mkdir "$TMP/vol"
	for target in /proc /proc/1 /proc/sys/kernel /proc/self/attr; do
		try prun -v "$TMP/vol:$target" "$B" true
		status_is 125
		err_has 'inside /proc'
	done
	rmdir "$TMP/vol"
}

@test "a working directory through a descriptor is refused (CVE-2024-21626)" {
	local fd
	for fd in 3 4 5 6 7 8 9 10 11 12; do
		try prun -w "/proc/self/fd/$fd" "$B" pwd
		status_is 125
	done
}

@test "a detached container's monitor holds nothing of its caller" {
	run python3 - "$RACKER" "$B" "$TMP" <<'PY'
import os, pty, subprocess, sys, time
racker, image, tmp = sys.argv[1:]
read, write = os.pipe()
os.set_inheritable(write, True)
pid, terminal = pty.fork()
if pid == 0:
    os.chdir(tmp)
    os.execv(racker, [racker, "run", "--rm", "-it", image, "sleep", "2"])
os.close(write)
time.sleep(0.5)
os.write(terminal, b"\x10\x11")
os.waitpid(pid, 0)
# Nobody but the monitor is left, and the container sleeps on: the pipe must be at its end now.
os.set_blocking(read, False)
print("end" if os.read(read, 1) == b"" else "held")
time.sleep(2.2)
PY
	[ "$output" = end ]
}
