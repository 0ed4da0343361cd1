// SPDX-License-Identifier: MIT
/* The table of signal names, without the SIG prefix. */
#include "base/signame.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"

/* 32 and 33 belong to the C library, so programs count real-time signals from 34, not from the kernel's 32. */
#define SIGNAME_RTMIN 34
#define SIGNAME_RTMAX 64

/* The first name of a number is the one that is printed. */
static const struct {
	int sig;
	const char *name;
} names[] = {
	{ SIGHUP, "HUP" },	 { SIGINT, "INT" },   { SIGQUIT, "QUIT" },     { SIGILL, "ILL" },
	{ SIGTRAP, "TRAP" },	 { SIGABRT, "ABRT" }, { SIGABRT, "IOT" },      { SIGBUS, "BUS" },
	{ SIGFPE, "FPE" },	 { SIGKILL, "KILL" }, { SIGUSR1, "USR1" },     { SIGSEGV, "SEGV" },
	{ SIGUSR2, "USR2" },	 { SIGPIPE, "PIPE" }, { SIGALRM, "ALRM" },     { SIGTERM, "TERM" },
#ifdef SIGSTKFLT
	{ SIGSTKFLT, "STKFLT" },
#endif
	{ SIGCHLD, "CHLD" },	 { SIGCHLD, "CLD" },  { SIGCONT, "CONT" },     { SIGSTOP, "STOP" },
	{ SIGTSTP, "TSTP" },	 { SIGTTIN, "TTIN" }, { SIGTTOU, "TTOU" },     { SIGURG, "URG" },
	{ SIGXCPU, "XCPU" },	 { SIGXFSZ, "XFSZ" }, { SIGVTALRM, "VTALRM" }, { SIGPROF, "PROF" },
	{ SIGWINCH, "WINCH" },	 { SIGIO, "IO" },     { SIGIO, "POLL" },       { SIGPWR, "PWR" },
	{ SIGSYS, "SYS" },
};

/* One or two digits and nothing else: no sign, no blanks, so that nothing but a signal number passes. */
static int parse_number(const char *s)
{
	int n = 0;
	size_t len = strlen(s);

	if (len < 1 || len > 2)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)s[i]))
			return -EINVAL;
		n = n * 10 + (s[i] - '0');
	}
	return n;
}

/* What follows RTMIN or RTMAX: nothing, or @sign and an offset. */
static int parse_offset(const char *s, char sign)
{
	if (!*s)
		return 0;
	return *s == sign ? parse_number(s + 1) : -EINVAL;
}

static int parse_realtime(const char *s)
{
	int offset;

	if (strncasecmp(s, "RTMIN", 5) == 0) {
		offset = parse_offset(s + 5, '+');
		if (offset >= 0 && offset <= SIGNAME_RTMAX - SIGNAME_RTMIN)
			return SIGNAME_RTMIN + offset;
	} else if (strncasecmp(s, "RTMAX", 5) == 0) {
		offset = parse_offset(s + 5, '-');
		if (offset >= 0 && offset <= SIGNAME_RTMAX - SIGNAME_RTMIN)
			return SIGNAME_RTMAX - offset;
	}
	return -EINVAL;
}

int signame_parse(const char *s)
{
	if (isdigit((unsigned char)*s)) {
		int n = parse_number(s);

		return n >= 1 && n <= SIGNAME_RTMAX ? n : -EINVAL;
	}
	if (strncasecmp(s, "SIG", 3) == 0)
		s += 3;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcasecmp(s, names[i].name) == 0)
			return names[i].sig;
	}
	return parse_realtime(s);
}

const char *signame_str(int sig, char *buf, size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (names[i].sig == sig) {
			(void)snprintf(buf, n, "SIG%s", names[i].name);
			return buf;
		}
	}
	if (sig == SIGNAME_RTMIN)
		(void)snprintf(buf, n, "SIGRTMIN");
	else if (sig > SIGNAME_RTMIN && sig <= SIGNAME_RTMAX)
		(void)snprintf(buf, n, "SIGRTMIN+%d", sig - SIGNAME_RTMIN);
	else
		(void)snprintf(buf, n, "%d", sig);
	return buf;
}
