#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What a booted machine may do and what of its boot is left out: that nothing which is left out is missing when it is asked for.
# boots: boot-bullseye boot-bookworm boot-trixie boot-sid

load lib

B=$REG/test/boot-bookworm

# boot WORDS...: racker run of a machine, to its end
boot() {
	try timeout 100 "$RACKER" run --rm -q --boot "$@"
}

# mask NAME...: a mask of those capabilities, as far as we have them ourselves
mask() {
	python3 -c '
import sys
names = ("CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST "
         "NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE "
         "SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP").split()
own = int(next(line for line in open("/proc/self/status") if line.startswith("CapBnd")).split()[1], 16)
print("%016x" % (own & sum(1 << names.index(name) for name in sys.argv[1:])))' "$@"
}

BOOT_CAPS=(CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE
	NET_BROADCAST NET_RAW IPC_OWNER SYS_CHROOT SYS_PTRACE SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TTY_CONFIG MKNOD LEASE
	AUDIT_WRITE SETFCAP)

@test "an unknown profile is told, with those that there are" {
	need_root boot-bookworm
	boot --boot-profile=tiny "$B" true
	status_is 125
	err_has 'unknown boot profile "tiny": must be one of "full", "default"'
}

@test "PID 1 has the boot set of capabilities, NET_ADMIN only over a network of its own" {
	need_root boot-bookworm
	boot --network host "$B" grep CapBnd /proc/1/status
	status_is 0
	out_is "CapBnd:	$(mask "${BOOT_CAPS[@]}")"
	boot --network none "$B" grep CapBnd /proc/1/status
	status_is 0
	out_is "CapBnd:	$(mask "${BOOT_CAPS[@]}" NET_ADMIN)"
}

@test "a filter makes sync do nothing where all is volatile, and only there" {
	need_root boot-bookworm
	mkdir -p "$TMP/vol"
	for words in '' '--suppress-sync=yes' "-v $TMP/vol:/vol:ro" "-v $TMP/vol:/vol --suppress-sync=yes"; do
		# shellcheck disable=SC2086 # words on purpose
		boot $words "$B" grep Seccomp_filters /proc/1/status
		out_is 'Seccomp_filters:	3'
	done
	for words in '--suppress-sync=no' "-v $TMP/vol:/vol"; do
		# shellcheck disable=SC2086 # words on purpose
		boot $words "$B" grep Seccomp_filters /proc/1/status
		out_is 'Seccomp_filters:	2'
	done
	rmdir "$TMP/vol"
}

# sandboxes SUITE: a unit with namespaces, mounts, filters and a user of its own starts
sandboxes() {
	need_root "boot-$1"
	boot --network none "$REG/test/boot-$1" sh -c 'run() { systemd-run -q --wait "$@" true || echo "failed: $*"; }
		run -p PrivateTmp=yes -p ProtectSystem=strict -p ProtectHome=yes -p PrivateDevices=yes
		run -p PrivateNetwork=yes -p PrivateUsers=yes -p DynamicUser=yes -p StateDirectory=state
		run -p SystemCallFilter=@system-service -p MemoryDenyWriteExecute=yes -p RestrictNamespaces=yes -p NoNewPrivileges=yes
		run -p ProtectKernelTunables=yes -p ProtectControlGroups=yes -p ProtectKernelLogs=yes -p ProtectHostname=yes
		run -p IPAddressDeny=any -p DevicePolicy=closed -p KeyringMode=private -p LockPersonality=yes
		run -p TemporaryFileSystem=/opt -p BindReadOnlyPaths=/etc:/mnt -p InaccessiblePaths=/root
		run -p User=nobody -p AmbientCapabilities=CAP_NET_BIND_SERVICE -p Nice=-5
		systemctl is-system-running'
	status_is 0
	out_is running
}

@test "units of bullseye have their sandboxes" {
	sandboxes bullseye
}

@test "units of bookworm have their sandboxes" {
	sandboxes bookworm
}

@test "units of trixie have their sandboxes" {
	sandboxes trixie
}

@test "units of sid have their sandboxes" {
	sandboxes sid
}

# profile SUITE: what the default profile leaves out does not run, and does when it is asked for
profile() {
	need_root "boot-$1"
	boot --network none "$REG/test/boot-$1" sh -c 'systemctl list-dependencies --plain --all default.target >/tmp/wanted
		grep -E "sysusers|hugepages|apt-daily|dbus.service|logind.service|getty|user-sessions" /tmp/wanted
		systemctl is-active dbus.service systemd-logind.service
		ls /run/nologin 2>&1
		busctl --no-pager list >/dev/null && systemctl is-active dbus.service
		systemctl start apt-daily.timer systemd-user-sessions.service systemd-journal-flush.service systemd-sysusers.service &&
			systemctl is-active apt-daily.timer
		systemctl is-system-running'
	status_is 0
	out_is $'inactive\ninactive\nls: cannot access \'/run/nologin\': No such file or directory\nactive\nactive\nrunning'
}

@test "the default profile of bullseye: left out, not forbidden" {
	profile bullseye
}

@test "the default profile of bookworm: left out, not forbidden" {
	profile bookworm
}

@test "the default profile of trixie: left out, not forbidden" {
	profile trixie
}

@test "the default profile of sid: left out, not forbidden" {
	profile sid
}

@test "a login of somebody else starts logind and a user's own systemd" {
	need_root boot-bookworm
	boot --network none "$B" sh -c 'useradd -m joe && su - joe -c "id -un; echo \$XDG_RUNTIME_DIR; systemctl --user is-system-running"
		systemctl is-active systemd-logind'
	status_is 0
	out_is $'joe\n/run/user/1000\nrunning\nactive'
}

SCRIPT='#!/bin/sh
### BEGIN INIT INFO
# Provides: old
# Default-Start: 2 3 4 5
# Default-Stop:
### END INIT INFO
[ "$1" != start ] || touch /run/old
'

@test "an init script and a line of /etc/fstab that come later are read, and no more than what is left out is masked then" {
	need_root boot-bookworm
	printf %s "$SCRIPT" >"$TMP/old"
	boot --network none -v "$TMP/old:/old:ro" "$B" sh -c 'cp /old /etc/init.d/old; chmod +x /etc/init.d/old
		echo "tmpfs /mnt tmpfs defaults" >>/etc/fstab
		systemctl daemon-reload; systemctl start old mnt.mount; ls /run/old; findmnt -no TARGET /mnt
		ls /run/systemd/system-generators | grep -E "fstab|sysv|rc-local"'
	out_is $'/run/old\n/mnt'
}

@test "an init script, /etc/rc.local and a line of /etc/fstab that the image has are read from the start" {
	need_root boot-bookworm
	printf %s "$SCRIPT" >"$TMP/old"
	printf '#!/bin/sh\ntouch /run/local\n' >"$TMP/rc.local"
	chmod +x "$TMP/old" "$TMP/rc.local"
	echo 'tmpfs /mnt tmpfs defaults' >"$TMP/fstab"
	boot --network none -v "$TMP/old:/etc/init.d/old:ro" -v "$TMP/rc.local:/etc/rc.local:ro" -v "$TMP/fstab:/etc/fstab:ro" "$B" \
		sh -c 'systemctl start old; ls /run/old /run/local; findmnt -no TARGET /mnt; systemctl is-system-running'
	out_is $'/run/local\n/run/old\n/mnt\nrunning'
}

@test "the full profile leaves out nothing; credentials bring back what reads them" {
	need_root boot-bookworm
	boot --network none --boot-profile=full "$B" sh -c 'systemctl is-active dbus systemd-logind getty.target systemd-sysusers; ls /run/systemd/system.control'
	out_is $'active\nactive\nactive\nactive'
	boot --network none --set-credential=a:b "$B" systemctl is-active getty.target systemd-sysusers
	out_is $'inactive\nactive'
}
