#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# racker run: what a command gets, and what comes back of it.
load lib

setup_file() {
	pull payload
	pull busybox
	pull config
}

P=$REG/test/payload
B=$REG/test/busybox

# ---- exit codes (doc/racker.1) ----

@test "the command's own exit code" {
	local code
	for code in 0 1 7 124 125 126 127 255; do
		try prun "$P" /payload exit "$code"
		status_is "$code"
		err_is_empty
	done
}

@test "128 + n after a signal" {
	try prun --init "$P" /payload signal 15
	status_is 143
	try prun --init "$P" /payload signal 9
	status_is 137
	try prun --init "$P" /payload signal 11
	status_is 139
}

@test "PID 1 ignores the signals that it sends itself: 0" {
	try prun "$P" /payload signal 15
	status_is 0
}

@test "127: not found in PATH, absolute path missing" {
	try prun "$P" nosuch
	status_is 127
	err_has 'exec: "nosuch": executable file not found in $PATH'
	try prun "$P" /bin/nosuch
	status_is 127
	err_has 'exec: "/bin/nosuch": stat /bin/nosuch: no such file or directory'
}

@test "126: a directory, a file without x" {
	try prun "$P" /etc
	status_is 126
	err_has 'exec: "/etc":'
	try prun "$P" /etc/noexec
	status_is 126
	err_has 'exec: "/etc/noexec": permission denied'
}

@test "a script whose interpreter is not there" {
	try prun "$P" /sub/script
	status_is 127
	err_has 'no such file or directory'
}

@test "125: our own failures" {
	try "$RACKER" run --foo "$P"
	status_is 125
	err_has 'unknown flag: --foo'
	try "$RACKER" run --rm "$REG/test/payload:nope"
	status_is 125
	err_has 'manifest unknown'
	try "$RACKER" run --rm Foo
	status_is 125
	err_has 'must be lowercase'
}

@test "1: no operand" {
	try "$RACKER" run
	status_is 1
	err_has 'requires at least 1 argument'
}

@test "no command anywhere" {
	try prun "$REG/test/payload:nocmd"
	status_is 125
	grep -qi 'no command specified' <<<"$err"
}

# ---- argv, env, user, workdir ----

@test "argv to the byte" {
	try prun "$P" /payload args '' ' ' 'a b' '"q"' "'s'" '$HOME' '\n' '*' $'tab\there' 'ü' --version -it --rm -- -x
	status_is 0
	out_is "[]
[ ]
[a b]
[\"q\"]
['s']
[\$HOME]
[\\n]
[*]
[tab	here]
[ü]
[--version]
[-it]
[--rm]
[--]
[-x]"
}

@test "flags end at IMAGE: the command's own are not eaten" {
	try prun "$P" /payload args --help
	status_is 0
	out_is '[--help]'
}

@test "CMD of the image" {
	try prun "$P"
	status_is 0
	out_is 'Hello from a container with nothing in it but this program.'
}

@test "ENTRYPOINT and CMD; words replace CMD alone" {
	try prun "$REG/test/config"
	out_is '[from-entrypoint]
[from-cmd]
[two words]'
	try prun "$REG/test/config" mine
	out_is '[from-entrypoint]
[mine]'
}

@test "--entrypoint replaces, and drops CMD" {
	try prun --entrypoint /payload "$REG/test/config"
	out_has 'Hello'
	try prun --entrypoint /payload "$REG/test/config" args x
	out_is '[x]'
}

@test "--entrypoint '' resets both" {
	try prun --entrypoint '' "$REG/test/config" /payload args y
	out_is '[y]'
	try prun --entrypoint '' "$REG/test/config"
	status_is 125
	grep -qi 'no command specified' <<<"$err"
}

@test "env: PATH, HOSTNAME, image's, HOME; nothing of the caller's" {
	SECRET=1 try prun -h box "$P" /payload env
	status_is 0
	out_line 'PATH=/bin:/usr/bin'
	out_line 'HOSTNAME=box'
	out_line 'FROM_IMAGE=yes'
	out_line 'HOME=/root'
	out_lacks SECRET
	out_lacks TERM=
}

@test "-e: sets, overrides, copies, removes" {
	B=caller try prun -e A=2 -e 'C=with space' -e B -e EMPTY= --entrypoint /payload "$REG/test/config" env
	out_line 'A=2'
	out_line 'B=caller'
	out_line 'C=with space'
	out_line 'EMPTY='
	unset B
	try prun -e B --entrypoint /payload "$REG/test/config" env
	out_lacks 'B='
}

@test "-e =x is refused in docker's words" {
	try prun -e =x "$P" /payload env
	status_is 125
	err_has 'invalid argument "=x" for "-e, --env" flag: invalid environment variable: =x'
}

@test "the default PATH where the image gives none" {
	try prun "$REG/test/payload:nocmd" /payload env
	out_line 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
}

@test "-t sets TERM=xterm" {
	try prun -t "$P" /payload env
	status_is 0
}

@test "user: by name with its groups, by number, with a group" {
	try prun -u bob "$P" /payload ids
	out_is 'uid=1000 euid=1000 gid=1001 egid=1001 groups=1001,2000,2001'
	try prun -u 1000 "$P" /payload ids
	out_is 'uid=1000 euid=1000 gid=1001 egid=1001 groups=1001,2000,2001'
	try prun -u bob:extra "$P" /payload ids
	out_is 'uid=1000 euid=1000 gid=2000 egid=2000 groups=2000'
	try prun -u 77:88 "$P" /payload ids
	out_is 'uid=77 euid=77 gid=88 egid=88 groups=88'
	try prun -u 77 "$P" /payload ids
	out_is 'uid=77 euid=77 gid=0 egid=0 groups=0'
	try prun "$P" /payload ids
	out_is 'uid=0 euid=0 gid=0 egid=0 groups=0'
}

@test "digits are a uid, never a name" {
	try prun -u 12345 "$P" /payload ids
	out_has 'uid=12345 '
}

@test "user: hostile values never become root" {
	local user
	for user in 0x0 ' 1' +1 -1 4294967296 2147483648 99999999999999999999 1: :1 'bob:' 'a:b:c' 1.5 'root '; do
		try prun -u "$user" "$P" /payload ids
		if [ "$status" -eq 0 ]; then
			case $user in
			1: | :1 | bob:) ;;
			*) say "-u '$user' was taken" ;;
			esac
		else
			status_is 125
		fi
	done
}

@test "unknown user, unknown group, in docker's words" {
	try prun -u nosuch "$P" /payload ids
	status_is 125
	err_has 'unable to find user nosuch: no matching entries in passwd file'
	try prun -u bob:nog "$P" /payload ids
	status_is 125
	err_has 'unable to find group nog: no matching entries in group file'
}

@test "the image's USER, HOME of that user, WORKDIR made" {
	try prun --entrypoint /payload "$REG/test/config" ids
	out_has 'uid=1000 '
	try prun --entrypoint /payload "$REG/test/config" env
	out_line 'HOME=/home/bob'
	try prun --entrypoint /payload "$REG/test/config" cwd
	out_is /made/by/workdir
	try prun -u 0 --entrypoint /payload "$REG/test/config" stat /made/by/workdir
	out_has 'mode=40755 uid=0 gid=0'
}

@test "an unknown uid has HOME=/" {
	try prun -u 4321 "$P" /payload env
	out_line 'HOME=/'
}

@test "-w: made if missing; relative refused; a file refused" {
	try prun -w /new/dir "$P" /payload cwd
	out_is /new/dir
	try prun -w rel "$P" /payload cwd
	status_is 125
	err_has "the working directory 'rel' is invalid, it needs to be an absolute path"
	try prun -w /etc/passwd "$P" /payload cwd
	status_is 125
	grep -qi 'not a directory' <<<"$err"
}

@test "-w that leads through /proc/self/fd ends inside or not at all" {
	local n
	for n in 3 4 5 6 7 8 9 10 16; do
		try prun -w "/proc/self/fd/$n" "$P" /payload cwd
		[ "$status" -ne 0 ] || out_is "/proc/self/fd/$n" || say 'a descriptor of the host'
	done
}

# ---- streams ----

@test "stdout and stderr stay apart" {
	try prun "$P" /payload both
	out_is 'out 0
out 1
out 2'
	[ "$err" = 'err 0
err 1
err 2' ]
}

@test "-i: stdin to its end" {
	try_in 'hello world' prun -i "$P" /payload cat
	status_is 0
	out_is 'hello world'
}

@test "without -i the command reads nothing" {
	try_in 'not for you' prun "$P" /payload cat
	status_is 0
	out_is ''
}

@test "the original's pipeline" {
	cd "$TMP"
	bash -c "time echo 'hello world' | '$RACKER' run -it --rm '$B' cat /dev/stdin > hello" 2>"$TMP/err"
	[ "$(cat hello)" = 'hello world' ]
	rm hello
}

@test "-t with a stdin that is no terminal goes on; RACKER_STRICT=1 refuses" {
	try_in x prun -it "$P" /payload cat
	status_is 0
	out_is x
	RACKER_STRICT=1 try_in x prun -it "$P" /payload cat
	status_is 1
	err_has 'the input device is not a TTY'
}

@test "16 MB through stdin and stdout, unharmed" {
	local want got
	want=$("$TOP/build/payload" flood 16777216 | sha256sum)
	got=$(prun "$P" /payload flood 16777216 | sha256sum)
	[ "$want" = "$got" ]
	got=$("$TOP/build/payload" flood 16777216 | prun -i "$P" /payload cat | sha256sum)
	[ "$want" = "$got" ]
}

@test "a reader that goes away ends the command" {
	prun "$P" /payload flood 1073741824 2>/dev/null | head -c 10 >"$TMP/head"
	[ "$(cat "$TMP/head")" = 0123456789 ]
}

@test "a pull by run keeps stdout clean" {
	"$RACKER" rmi -f "$P" >/dev/null 2>&1 || "$RACKER" rmi "$P" >/dev/null
	try "$RACKER" run --rm --network host "$P" /payload args clean
	status_is 0
	out_is '[clean]'
	err_has "Unable to find image '$P:latest' locally"
	grep -qE '^[0-9a-f]{12}: (Pull complete|Already exists)$' <<<"$err"
}

@test "-q: a pull by run says nothing" {
	"$RACKER" rmi "$P" >/dev/null
	try "$RACKER" run -q --rm "$P" /payload exit 0
	status_is 0
	err_is_empty
}

# ---- files ----

@test "-v: read-write, read-only, a file" {
	mkdir -p "$TMP/vol"
	echo from-host >"$TMP/vol/file"
	try prun -v "$TMP/vol:/mnt" "$P" /payload cat /mnt/file
	out_is from-host
	try prun -v "$TMP/vol:/mnt" "$P" /payload write /mnt/new text
	status_is 0
	[ "$(cat "$TMP/vol/new")" = text ]
	try prun -v "$TMP/vol:/mnt:ro" "$P" /payload writable /mnt/file /mnt/other
	out_is '/mnt/file EROFS
/mnt/other EROFS'
	try prun -v "$TMP/vol/file:/etc/passwd:ro" "$P" /payload cat /etc/passwd
	out_is from-host
	rm -r "$TMP/vol"
}

@test "-v :ro is recursive" {
	mkdir -p "$TMP/vol/below"
	mount -t tmpfs racker-test "$TMP/vol/below"
	try prun -v "$TMP/vol:/mnt:ro" "$P" /payload writable /mnt/below/x
	umount "$TMP/vol/below"
	rm -r "$TMP/vol"
	out_is '/mnt/below/x EROFS'
}

@test "-v: a missing source becomes a directory, as docker has it" {
	rm -rf "$TMP/made"
	try prun -v "$TMP/made:/mnt" "$P" /payload ls /mnt
	status_is 0
	[ -d "$TMP/made" ]
	rmdir "$TMP/made"
}

@test "-v: refused in docker's words" {
	try prun -v /tmp:/x:zz "$P" /payload hello
	status_is 125
	err_has 'invalid mode: zz'
	try prun -v foo:bar "$P" /payload hello
	status_is 125
	err_has "mount path must be absolute"
	try prun -v /:/ "$P" /payload hello
	status_is 125
}

@test "-v: a target that is a link in the image stays inside" {
	pull hostile
	mkdir -p "$TMP/vol"
	try prun -v "$TMP/vol:/etc/hosts" "$REG/test/hostile" /payload hello
	[ ! -e /canary ]
	rm -r "$TMP/vol"
}

@test "--read-only: the root file system is, /dev and /proc work" {
	try prun --read-only "$P" /payload writable /x /etc/passwd /tmp/x /dev/null /dev/shm/x
	status_is 0
	out_line '/x EROFS'
	out_line '/etc/passwd EROFS'
	out_line '/tmp/x EROFS'
	out_line '/dev/null OK'
	out_line '/dev/shm/x OK'
}

@test "--read-only: a working directory that is missing is made all the same, as docker does" {
	try prun --read-only -w /new/dir "$P" /payload cwd
	out_is /new/dir
}

@test "what a container writes is gone with it" {
	try prun "$P" /payload write /etc/passwd mine
	status_is 0
	try prun "$P" /payload cat /etc/passwd
	out_has 'root:x:0:0'
	out_lacks mine
}

@test "directories of lower layers can be renamed, files removed" {
	try prun "$B" sh -c 'mv /home /home2 && ls /home2 && rm /etc/group && test ! -e /etc/group && mkdir /etc2 && mv /etc2 /etc3'
	status_is 0
	out_is bob
}

# ---- names, flags ----

@test "--name: a conflict while it runs; free again after" {
	local pid
	prun_bg --name web1 "$P" /payload spin >"$TMP/spin" 2>&1 &
	pid=$!
	wait_for 5 file_has "$TMP/spin" ready
	try prun --name web1 "$P" /payload hello
	kill -KILL "$pid" || true
	wait "$pid" || true
	status_is 125
	err_has 'Conflict. The container name "/web1" is already in use by container "'
	# The killed owner's container is swept by the next start, and its name is free.
	try prun --name web1 "$P" /payload exit 6
	status_is 6
}

@test "--name: bad ones, in docker's words" {
	local name
	for name in 'a b' x ../x /a/b ''$'\n'; do
		try prun --name "$name" "$P" /payload hello
		status_is 125
		err_has 'Invalid container name'
	done
}

@test "a flag that comes later is refused by name, never ignored" {
	local flag
	for flag in -d --detach --privileged --restart=always --memory=1g -m=1g --cpus=1 --cap-add=ALL -p=80:80 \
		--device=/dev/null --gpus=all --mount=type=bind,src=/,dst=/x --tmpfs=/x --ulimit=nofile=1 --security-opt=x \
		--env-file=/x --cidfile=/x --uts=host --pid=host --add-host=a:1.2.3.4 --dns=1.1.1.1 --shm-size=1m; do
		try "$RACKER" run --rm $flag "$P" /payload hello
		status_is 125
		err_has "${flag%%=*}"
		out_lacks Hello
	done
}

@test "--network: host and none; others by name" {
	try prun "$P" /payload ls /sys/class/net
	out_has lo
	try "$RACKER" run --rm -q --network none "$P" /payload ls /sys/class/net
	out_is lo
	try "$RACKER" run --rm -q --network bridge "$P" /payload hello
	status_is 125
	err_has bridge
	try "$RACKER" run --rm -q --network nosuch "$P" /payload hello
	status_is 125
	err_has nosuch
}

@test "--network none: lo is up" {
	try "$RACKER" run --rm -q --network none "$B" sh -c 'ip addr show lo; ping -c1 -W2 127.0.0.1 >/dev/null && echo pong'
	out_has '127.0.0.1/8'
	out_has pong
}

@test "--init: PID 1 reaps, and the command is its child" {
	try prun --init "$P" /payload orphan
	status_is 0
	out_is reaped
	try prun --init "$P" /payload pids
	out_has 'self 2 of 2'
	try prun --init "$P" /payload exit 42
	status_is 42
	try prun --init "$P" nosuch
	status_is 127
}

@test "a process left in the background ends with the command" {
	try prun "$P" /payload background
	status_is 0
	try prun --init "$P" /payload background
	status_is 0
}

@test "-h and the default host name" {
	try prun -h some.host "$P" /payload hostname
	out_is some.host
	try prun -h some.host "$P" /payload cat /etc/hostname
	out_is some.host
	try prun "$P" /payload hostname
	out_is "$(uname -n)"
	try "$RACKER" run --rm -q --network none "$P" /payload hostname
	out_line '[0-9a-f]{12}'
}

@test "--pull: always, missing, never; others refused" {
	try "$RACKER" run --rm -q --pull always "$P" /payload exit 3
	status_is 3
	try "$RACKER" run --rm -q --pull never "$P" /payload exit 3
	status_is 3
	try "$RACKER" run --rm -q --pull never "$REG/test/payload:docker" /payload exit 3
	status_is 125
	err_has 'No such image'
	try "$RACKER" run --rm --pull=x "$P"
	status_is 125
	err_has "invalid pull option: 'x': must be one of \"always\", \"missing\" or \"never\""
}

@test "--platform of the image that runs" {
	try prun --platform linux/amd64 "$REG/test/payload:index" /payload env
	out_line ARCH=amd64
}

@test "hello-world: an image that is one static program, Docker's media types" {
	try "$RACKER" run --rm "$REG/test/hello"
	status_is 0
	out_is 'Hello from a container with nothing in it but this program.'
}

@test "an image of three layers, merged by overlayfs" {
	try prun "$REG/test/multi" /payload cat /data/a /data/b /data/dir2file /data/file2dir/child /data/lower/only
	status_is 0
	out_is 'second
back again
now a file
child
l'
	try prun "$REG/test/multi" /payload ls /data/opaque
	out_is new
	try prun "$REG/test/multi" /payload stat /data/hard1 /data/filecap /data/keep
	out_has 'mode=40700 uid=1000 gid=1001'
}

@test "an operating system runs" {
	[ -n "$OS_TAR" ] || skip 'mmdebstrap could not make a root file system here (no mirror?)'
	try prun "$REG/test/os" sh -c '. /etc/os-release && echo "$ID"; id -u; apt-get --version | head -n1; su -s /bin/sh nobody -c "id -un"'
	status_is 0
	out_has nobody
	out_has 'apt '
}

@test "oci:DIR:REF runs; a directory of several images needs REF" {
	try prun "oci:$TMP/layout:payload" /payload exit 8
	status_is 8
	try prun "oci:$TMP/layout" /payload exit 8
	status_is 125
	try prun "oci:$TMP/nosuch" /payload
	status_is 125
	err_has nosuch
}

@test "twenty at once, each its own" {
	local i pids=()
	for i in {1..20}; do
		prun_bg "$P" /payload exit "$i" >"$TMP/many.$i" 2>&1 &
		pids+=($!)
	done
	for i in {1..20}; do
		status=0
		wait "${pids[i - 1]}" || status=$?
		[ "$status" -eq "$i" ] || { cat "$TMP/many.$i" >&2; false; }
	done
	rm -f "$TMP"/many.*
}

@test "RACKER_ROOT and --root keep store and state apart" {
	try "$RACKER" --root "$TMP/other" images -q
	status_is 0
	out_is ''
	try "$RACKER" --root "$TMP/other" run --rm -q "$P" /payload exit 9
	status_is 9
	[ -d "$TMP/other/layers" ]
	rm -rf "$TMP/other"
}
