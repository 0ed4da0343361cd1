// SPDX-License-Identifier: MIT
/* Where the program starts, under whichever of its names. */
#include <nss.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <sys/stat.h>

#include "cmd/dispatch.h"
#include "cmd/exit_status.h"

int main(int argc, char **argv)
{
	/* First of all: a name service module of another glibc would crash a static program (decisions 19). */
	(void)__nss_configure_lookup("hosts", "files dns");
	if (argc < 1 || getauxval(AT_SECURE)) {
		(void)fputs("racker: refusing to run with privileges of its file (set-user-ID)\n",
			    stderr);
		return EXIT_STATUS_OURS;
	}
	/* Directories made for the user, and what runs in a container, have docker's umask. */
	(void)umask(022);
	return dispatch(argv);
}
