#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What a container is, told from inside by the payload: capabilities, system calls, mounts, devices, namespaces, descriptors.
load lib

setup_file() {
	pull payload
	pull busybox
}

P=$REG/test/payload
B=$REG/test/busybox

# What our own bounding set leaves of docker's fourteen: a host without one of them cannot give it.
docker_caps() {
	local bounding
	bounding=$(sed -n 's/^CapBnd:\t*//p' /proc/self/status)
	printf '%016x' $((0xa80425fb & 0x$bounding))
}

@test "capabilities: docker's fourteen, inheritable and ambient empty" {
	try prun "$P" /payload status CapInh CapPrm CapEff CapBnd CapAmb
	out_line "CapInh:.0{16}"
	out_line "CapPrm:.$(docker_caps)"
	out_line "CapEff:.$(docker_caps)"
	out_line "CapBnd:.$(docker_caps)"
	out_line "CapAmb:.0{16}"
}

@test "capabilities of a user: the bounding set alone" {
	try prun -u 1000 "$P" /payload status CapInh CapPrm CapEff CapBnd CapAmb
	out_line "CapInh:.0{16}"
	out_line "CapPrm:.0{16}"
	out_line "CapEff:.0{16}"
	out_line "CapBnd:.$(docker_caps)"
	out_line "CapAmb:.0{16}"
}

@test "capabilities under --init are the same" {
	try prun --init "$P" /payload status CapInh CapEff CapBnd CapAmb
	out_line "CapEff:.$(docker_caps)"
	out_line "CapBnd:.$(docker_caps)"
	out_line "CapInh:.0{16}"
}

@test "seccomp filters the command; no_new_privs is off, as docker's" {
	try prun "$P" /payload status Seccomp NoNewPrivs
	out_line 'Seccomp:.2'
	out_line 'NoNewPrivs:.0'
	try prun -u 1000 "$P" /payload status Seccomp
	out_line 'Seccomp:.2'
	try prun --init "$P" /payload status Seccomp
	out_line 'Seccomp:.2'
}

@test "system calls: what docker refuses is refused, the rest works" {
	local call
	try prun "$P" /payload syscalls
	for call in unshare-user unshare-mount mount umount pivot_root setns keyctl add_key bpf perf_event_open \
		kexec_load init_module reboot swapon settimeofday userfaultfd open_by_handle_at \
		personality-addr-no-randomize sethostname; do
		out_line "$call EPERM"
	done
	out_line 'clone3 ENOSYS'
	out_line 'socket-vsock EPERM'
	out_line 'socket-alg EPERM'
	for call in socket-unix socket-inet chroot getpid; do
		out_line "$call OK"
	done
}

@test "namespaces: pid, mnt, uts, ipc, cgroup are new; net as asked" {
	local kind
	try prun "$P" /payload ns
	for kind in pid mnt ipc cgroup uts; do
		out_lacks "$(readlink "/proc/self/ns/$kind")"
	done
	out_has "$(readlink /proc/self/ns/net)"
	try "$RACKER" run --rm -q --network none "$P" /payload ns
	out_lacks "$(readlink /proc/self/ns/net)"
}

@test "the command is PID 1 and sees nobody else" {
	try prun "$P" /payload pids
	out_is 'self 1 of 1'
}

@test "descriptors: 0, 1, 2 and no more; also with -t, --init and open ones of the caller" {
	try prun "$P" /payload fds
	out_is '0
1
2'
	try prun -i --init "$P" /payload fds
	out_is '0
1
2'
	status=0
	out=$(prun "$P" /payload fds 7</etc/passwd 9>/dev/null 11</ </dev/null 2>/dev/null)
	out_is '0
1
2'
}

@test "/proc/1 is the command: no descriptor, root or cwd of the host behind it" {
	try prun "$B" sh -c 'ls -l /proc/1/fd | grep -c . ; readlink /proc/1/cwd; readlink /proc/1/root; cat /proc/1/comm; true'
	out_line sh
	out_lacks "$TMP"
	try prun --init "$B" sh -c 'ls -l /proc/1/fd /proc/1/exe 2>&1'
	out_lacks "$RACKER_ROOT/layers"
}

@test "mounts: those of a container and none of the host's" {
	try prun "$P" /payload cat /proc/self/mountinfo
	awk '{ print $5 }' <<<"$out" | sort >"$TMP/points"
	local point
	for point in / /proc /dev /dev/pts /dev/shm /dev/mqueue /sys /sys/fs/cgroup /etc/hosts /etc/hostname /etc/resolv.conf; do
		grep -qx "$point" "$TMP/points" || say "no mount at $point"
	done
	# Only these trees have mounts.
	! grep -vE '^/($|proc($|/)|dev($|/)|sys($|/)|etc/(hosts|hostname|resolv.conf)$)' "$TMP/points"
}

@test "mount options: docker's" {
	try prun "$P" /payload cat /proc/self/mountinfo
	option() { # POINT OPTION...
		local line point=$1 want
		shift
		line=$(awk -v p="$point" '$5 == p { print $6 "," $NF }' <<<"$out" | head -n1)
		for want in "$@"; do
			[[ ",$line," == *",$want,"* ]] || say "$point is mounted $line, without $want"
		done
	}
	option /proc nosuid nodev noexec
	option /dev nosuid mode=755
	option /dev/pts nosuid noexec gid=5 mode=620 ptmxmode=666
	option /dev/shm nosuid nodev noexec
	option /dev/mqueue nosuid nodev noexec
	option /sys ro nosuid nodev noexec
	option /sys/fs/cgroup ro nosuid nodev noexec
}

@test "/dev/shm is 64 MiB and for everyone" {
	try prun "$P" /payload statfs /dev/shm
	out_has 'bytes=67108864'
	try prun "$P" /payload stat /dev/shm
	out_has mode=41777
}

@test "masked paths are empty, read-only ones refuse a write" {
	local path
	for path in /proc/kcore /proc/keys /proc/timer_list /proc/sched_debug /proc/latency_stats; do
		[ -e "$path" ] || continue
		try prun "$P" /payload cat "$path"
		out_is ''
	done
	for path in /proc/acpi /proc/scsi /proc/asound /sys/firmware /sys/devices/virtual/powercap; do
		[ -d "$path" ] || continue
		try prun "$P" /payload ls "$path"
		out_is ''
	done
	try prun "$P" /payload writable /proc/sys/kernel/domainname /proc/sysrq-trigger /sys/kernel/uevent_seqnum /sys/fs/cgroup/cgroup.procs
	out_line '/proc/sys/kernel/domainname EROFS'
	[ ! -e /proc/sysrq-trigger ] || out_line '/proc/sysrq-trigger EROFS'
	out_lacks OK
}

@test "/dev: docker's nodes and links, no other" {
	try prun "$P" /payload ls /dev
	out_is 'core
fd
full
mqueue
null
ptmx
pts
random
shm
stderr
stdin
stdout
tty
urandom
zero'
	try prun "$P" /payload stat /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty /dev/ptmx /dev/fd
	out_line '/dev/null mode=20666 .* rdev=1:3'
	out_line '/dev/zero mode=20666 .* rdev=1:5'
	out_line '/dev/full mode=20666 .* rdev=1:7'
	out_line '/dev/random mode=20666 .* rdev=1:8'
	out_line '/dev/urandom mode=20666 .* rdev=1:9'
	out_line '/dev/tty mode=20666 .* rdev=5:0'
	out_line '/dev/ptmx .* -> pts/ptmx'
	out_line '/dev/fd .* -> /proc/self/fd'
}

@test "a device that is not the container's cannot be opened" {
	[ -n "$(grep ' cgroup2 ' /proc/self/mounts)" ] || skip 'no cgroup2 here: no device filter'
	try prun "$P" /payload mknod /tmp/mem 1 1
	out_lacks 'open OK'
	try prun "$P" /payload mknod /tmp/kmsg 1 11
	out_lacks 'open OK'
	try prun "$P" /payload mknod /tmp/fuse 10 229
	out_lacks 'open OK'
}

@test "a device node of an image is not one of the host's" {
	pull multi
	try prun "$REG/test/multi" /payload cat /data/null
	out_lacks OK
}

@test "hosts, hostname, resolv.conf: docker's, bound so that rename says EBUSY" {
	try "$RACKER" run --rm -q --network none -h box "$P" /payload cat /etc/hosts
	out_line '127.0.0.1.localhost'
	out_line '::1.localhost ip6-localhost ip6-loopback'
	out_line 'fe00::.ip6-localnet'
	out_line 'ff00::.ip6-mcastprefix'
	out_line 'ff02::1.ip6-allnodes'
	out_line 'ff02::2.ip6-allrouters'
	# With the host's network they are the host's.
	try prun "$P" /payload cat /etc/hosts
	[ ! -s /etc/hosts ] || out_has "$(grep -v '^#' /etc/hosts | head -n1)"
	try prun "$P" /payload rename /etc/hosts /etc/hosts.old
	out_is EBUSY
	try prun "$P" /payload writable /etc/hosts /etc/resolv.conf /etc/hostname
	out_lacks EROFS
	try prun "$P" /payload cat /etc/resolv.conf
	status_is 0
}

@test "the host's own files stay as they are when these are written" {
	local before
	before=$(cat /etc/hosts /etc/resolv.conf /etc/hostname 2>/dev/null | sha256sum)
	try prun "$B" sh -c 'echo spoiled > /etc/hosts; echo spoiled > /etc/resolv.conf; echo spoiled > /etc/hostname'
	[ "$before" = "$(cat /etc/hosts /etc/resolv.conf /etc/hostname 2>/dev/null | sha256sum)" ]
}

@test "an image full of links that lead out: nothing of the host is touched" {
	pull hostile
	try prun "$REG/test/hostile" /payload hello
	[ ! -e /canary ]
	# Whether it runs or is refused, it says so in one line and leaves no trace.
	[ "$(grep -c . <<<"$err")" -le 2 ]
}

@test "cgroup: a namespace of its own, the path inside is /" {
	try prun "$P" /payload cat /proc/self/cgroup
	grep -q '^0::/$' <<<"$out" || ! grep -q '^0::' /proc/self/cgroup
	out_lacks racker
}

@test "TIOCSTI and TIOCLINUX are refused, with a terminal and without" {
	try prun "$P" /payload tiocsti
	out_lacks OK
	try python3 "$TOP/tests/integration/terminal.py" "$RACKER" run -it --rm -q "$P" /payload tiocsti
	out_lacks 'TIOCSTI OK'
	out_lacks 'TIOCLINUX OK'
}

@test "supplementary groups of the caller are dropped" {
	try setpriv --groups 4,24,27 "$RACKER" run --rm -q "$P" /payload ids
	out_is 'uid=0 euid=0 gid=0 egid=0 groups=0'
}

@test "resource limits are the caller's: never raised, never a reason to fail" {
	status=0
	out=$(ulimit -n 512 && prun "$B" sh -c 'ulimit -n') || status=$?
	status_is 0
	out_is 512
}

@test "signals are as new: none blocked, none ignored" {
	status=0
	out=$(
		trap '' USR1 PIPE
		prun "$P" /payload status SigBlk SigIgn
	) || status=$?
	# 32 and 33 are glibc's own; its posix_spawn() leaves them ignored, and signal() cannot change that.
	out=${out/SigIgn:$'\t'0000000180000000/SigIgn:$'\t'0000000000000000}
	out_line 'SigBlk:.0{16}'
	out_line 'SigIgn:.0{16}'
}

@test "umask is 022" {
	try prun "$B" sh -c umask
	out_is 0022
	status=0
	out=$(umask 077 && prun "$B" sh -c umask)
	out_is 0022
}

@test "racker's own binary cannot be reached from inside" {
	local before
	before=$(sha256sum <"$RACKER")
	try prun --init "$B" sh -c 'echo spoiled > /proc/1/exe; ls -l /proc/1/exe'
	[ "$before" = "$(sha256sum <"$RACKER")" ]
	pull payload
	try prun "$B" sh -c 'printf "#!/proc/self/exe\n" > /x; chmod +x /x; exec /x'
	[ "$before" = "$(sha256sum <"$RACKER")" ]
}

@test "two containers of one image see nothing of each other" {
	local pid
	prun_bg -e SECRET=mine "$P" /payload spin >"$TMP/spin" 2>&1 &
	pid=$!
	wait_for 5 file_has "$TMP/spin" ready
	try prun "$P" /payload env
	out_lacks SECRET
	try prun "$P" /payload pids
	out_is 'self 1 of 1'
	kill -KILL "$pid"
	wait "$pid" || true
	try prun "$P" /payload exit 0
}

@test "no abstract socket, no file of ours is open to others" {
	try prun "$P" /payload cat /proc/net/unix
	[ "$(grep -c '@.*racker' <<<"$out")" -eq 0 ]
	if [ -d "$RACKER_ROOT/run" ]; then
		[ -z "$(find "$RACKER_ROOT/run" -perm /077 ! -type l)" ] || [ "$(stat -c %a "$RACKER_ROOT/run")" = 700 ] || [ "$(stat -c %a "$RACKER_ROOT")" = 700 ]
	fi
}
