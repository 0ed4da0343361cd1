#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The command line itself: help in docker's form, what is refused and how.
load lib

# Read from the dispatcher's table, so that none is forgotten.
commands=$(sed -n 's/^\t&command_\(.*\),$/\1/p' "$TOP/cmd/dispatch.c" | grep -vE '^(postroj_pull|list_images)$' | tr '_' '-')

@test "--help: usage, commands; on stdout, 0" {
	local command
	try "$RACKER" --help
	status_is 0
	out_has 'Usage:  racker [OPTIONS] COMMAND'
	for command in $commands; do
		out_line " +$command .*"
	done
	err_is_empty
}

@test "each command's --help, in docker's form" {
	local command
	for command in $commands; do
		try "$RACKER" "$command" --help
		status_is 0
		out_has "Usage:  racker $command"
		[ "$(wc -l <<<"$out")" -ge 3 ]
		err_is_empty
	done
	try "$RACKER" run --help
	out_has 'Usage:  racker run [OPTIONS] IMAGE [COMMAND] [ARG...]'
	out_has 'Options:'
	local flag
	for flag in entrypoint env hostname init interactive name network platform pull quiet read-only rm tty user volume workdir; do
		out_line " +(-[a-z], )? *--$flag .*"
	done
}

@test "the manual knows every command and flag, and no other flag" {
	local command
	{
		"$RACKER" --help
		for command in $commands; do
			"$RACKER" "$command" --help
			grep -q "^\.Ss racker $command" "$TOP/doc/racker.1" || say "no racker $command in the manual"
		done
		"$TOP/build/postroj" pull --help
	} | grep -oE '^ +(-[a-zA-Z], )?--[a-z-]+' | grep -oE '[-][-][a-z-]+' | sort -u >"$TMP/flags.help"
	echo --help >>"$TMP/flags.help"
	grep -oE 'Fl Fl [a-z-]+' "$TOP/doc/racker.1" | sed 's/Fl Fl /--/' | sort -u >"$TMP/flags.man"
	diff <(sort -u "$TMP/flags.help") "$TMP/flags.man"
}

@test "no command: help" {
	try "$RACKER"
	[[ $out$err == *'Usage:  racker [OPTIONS] COMMAND'* ]]
}

@test "an unknown command, in docker's words" {
	try "$RACKER" foo
	status_is 1
	err_has 'unknown command: racker foo'
	err_has "Run 'racker --help' for more information"
}

@test "an unknown flag: run 125, others 125 too, as docker" {
	try "$RACKER" run --foo x
	status_is 125
	err_has 'unknown flag: --foo'
	err_has "Run 'racker run --help' for more information"
	try "$RACKER" pull --foo x
	status_is 125
	err_has 'unknown flag: --foo'
	try "$RACKER" run -X x
	status_is 125
	err_has "unknown shorthand flag: 'X' in -X"
}

@test "a flag without its value" {
	try "$RACKER" run --name
	status_is 125
	err_has 'flag needs an argument: --name'
}

@test "messages go to stderr, in one line, and name the program" {
	try "$RACKER" run --rm --pull never nosuch
	status_is 125
	out_is ''
	[[ $err == racker:* ]]
	[ "$(head -n1 <<<"$err" | grep -c 'No such image')" -eq 1 ]
}

@test "control characters of others are not printed raw" {
	try "$RACKER" run --rm --pull never $'x\e[31my'
	[ "$status" -ne 0 ]
	! grep -q $'\e' "$TMP/err"
}

@test "flags of booleans: --rm=false, -it clusters, -- ends them" {
	pull payload
	try "$RACKER" run --rm=true -q "$REG/test/payload" /payload exit 3
	status_is 3
	try "$RACKER" run --rm -iq -- "$REG/test/payload" /payload exit 4
	status_is 4
	try "$RACKER" run --rm=maybe "$REG/test/payload"
	status_is 125
	err_has 'invalid argument "maybe" for "--rm" flag'
}

@test "--debug and --verbose say more, on stderr alone" {
	pull payload
	try "$RACKER" --debug run --rm -q "$REG/test/payload" /payload args x
	status_is 0
	out_is '[x]'
	[ -n "$err" ]
}

@test "one program under two names" {
	[ "$TOP/build/racker" -ef "$TOP/build/postroj" ]
	try "$TOP/build/postroj" --help
	status_is 0
	out_has postroj
}

@test "it is never to be setuid" {
	cp "$RACKER" "$TMP/suid"
	chmod 4755 "$TMP/suid"
	chmod 755 "$TMP"
	try setpriv --reuid 65534 --regid 65534 --clear-groups "$TMP/suid" version
	rm -f "$TMP/suid"
	chmod 700 "$TMP"
	[ "$status" -ne 0 ] || say 'ran with privileges of its file'
}

@test "closed stdin, stdout or stderr do no harm" {
	pull payload
	status=0
	"$RACKER" run --rm -q "$REG/test/payload" /payload exit 6 <&- >/dev/null 2>&1 || status=$?
	[ "$status" -eq 6 ]
	status=0
	"$RACKER" run --rm -q "$REG/test/payload" /payload exit 6 </dev/null >&- 2>/dev/null || status=$?
	[ "$status" -eq 6 ]
	status=0
	"$RACKER" run --rm -q "$REG/test/payload" /payload exit 6 </dev/null >/dev/null 2>&- || status=$?
	[ "$status" -eq 6 ]
}

@test "a full stdout is an error" {
	[ -c /dev/full ] || skip 'no /dev/full here'
	status=0
	"$RACKER" version >/dev/full 2>/dev/null || status=$?
	[ "$status" -ne 0 ]
}
