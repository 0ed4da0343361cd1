#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# racker on a host with systemd and cgroup v2 alone (tests/hostvm): one start of that host runs everything, the tests look at what it said.

load lib

setup_file() {
	local reason codename
	export HOSTVM_SKIP='' VM=$TMP/hostvm
	reason=$("$TOP/tests/hostvm/build" 2>"$TMP/hostvm-build.log") || {
		HOSTVM_SKIP=${reason:-$(tail -n 1 "$TMP/hostvm-build.log")}
		return
	}
	codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
	mkdir -p "$VM/results"
	"$TOP/tests/integration/boot_images.py" "$VM/layout" "$TMP" "$TOP/build/payload" "$(command -v busybox)" \
		"$TOP/build/tests/boot-$codename.tar"
	cat >"$VM/script" <<-T
		export RACKER_ROOT=/var/lib/racker-test PATH=\$PATH:/host/build
		box=oci:/share/layout:boot-busybox machine=oci:/share/layout:boot-$codename hostile=oci:/share/layout:boot-hostile
	T
	cat >>"$VM/script" <<-'T'
		cd /share/results
		# record NAME COMMAND...: NAME.out, NAME.err, NAME.status
		record() {
			local name=$1
			shift
			"$@" >"$name.out" 2>"$name.err" </dev/null
			echo $? >"$name.status"
		}
		snapshot() {
			find /sys/fs/cgroup -type d | grep -v 'systemd-\|user.slice' | sort
			cut -d' ' -f5 /proc/self/mountinfo | sort
			ls /sys/class/net
			find "$RACKER_ROOT/run" -mindepth 2
		}
		record host sh -c 'stat -f -c %T /sys/fs/cgroup; systemctl is-system-running; cat /proc/self/cgroup; for n in cgroup ipc mnt net pid uts; do echo $n $(readlink /proc/self/ns/$n); done'
		record pull racker run --rm -q "$box" true
		snapshot >before
		record plain racker run --rm -q --network none "$box" sh -c 'cat /proc/self/cgroup; for n in cgroup ipc mnt net pid uts; do echo $n $(readlink /proc/self/ns/$n); done; grep -c " /sys/fs/cgroup ro.* - cgroup2 " /proc/self/mountinfo'
		record code racker run --rm -q "$box" sh -c 'exit 7'
		record mapped racker run --rm -q --init "$box" sh -c 'kill -TERM $$'
		record boot racker run --rm -q --boot --network none --boot-timeout 120 "$machine" sh -c 'systemctl is-system-running; systemctl list-units --failed --plain --no-legend; cat /proc/1/cgroup /proc/self/cgroup; mkdir /sys/fs/cgroup/mine && echo own'
		record detached racker run --rm -q -d --name vm --boot --boot-timeout 120 "$machine"
		record inside racker exec vm sh -c 'systemctl is-system-running; exit 5'
		record state systemctl is-system-running
		record poweroff racker poweroff --time 60 vm
		record full racker run --rm -q --boot --boot-timeout 100 "$hostile-fill" /payload exit 9
		sleep 1
		snapshot >after
		record failed systemctl list-units --failed --plain --no-legend
		record end echo end
	T
	"$TOP/tests/hostvm/run" -t 240 -s "$VM" -- bash /share/script >"$TMP/hostvm.log" 2>&1 || cat "$TMP/hostvm.log" >&2
}

setup() {
	[ -z "$HOSTVM_SKIP" ] || skip "$HOSTVM_SKIP"
}
teardown() {
	:
}

# said NAME: status, out and err of that command there
said() {
	status=$(cat "$VM/results/$1.status") out=$(cat "$VM/results/$1.out") err=$(cat "$VM/results/$1.err")
}

@test "the host is what it should be, and the script came to its end" {
	said host
	out_line cgroup2fs
	out_line running
	said end
	out_is end
}

@test "a container has namespaces of its own, and its own part of the cgroup tree, read-only" {
	local host name
	said host
	host=$out
	said plain
	status_is 0
	out_line '0::/'
	out_line 1
	for name in cgroup ipc mnt net pid uts; do
		[ -n "$(grep "^$name " <<<"$out")" ]
		[ "$(grep "^$name " <<<"$out")" != "$(grep "^$name " <<<"$host")" ] || say "$name is the host's"
	done
}

@test "exit codes and signals are the command's" {
	said code
	status_is 7
	said mapped
	status_is 143
}

@test "a machine comes up, in a cgroup tree of its own" {
	said boot
	status_is 0
	err_is_empty
	out_line running
	out_line '0::/init.scope'
	out_line '0::/racker-exec-[0-9a-f]*'
	out_line own
	out_lacks .service
}

@test "a machine ends in order, and its host's systemd has not noticed" {
	said detached
	status_is 0
	said inside
	status_is 5
	out_is running
	said poweroff
	status_is 0
	said state
	out_is running
	said failed
	out_is ''
}

@test "a machine fills its volatile disk: it ends there" {
	said full
	status_is 9
}

@test "nothing is left there" {
	diff "$VM/results/before" "$VM/results/after"
}
