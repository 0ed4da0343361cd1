// SPDX-License-Identifier: MIT
/* The interrupt flag (see interrupt.h). */
#include "cmd/interrupt.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

static volatile int caught; /* as good as sig_atomic_t: which glibc makes an int */
static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };
static struct sigaction before[ARRAY_SIZE(signals)];
static bool catching;

_Static_assert(sizeof(sig_atomic_t) == sizeof(int), "the flag is written by a handler");

static void on_signal(int sig)
{
	caught = sig;
}

void interrupt_catch(void)
{
	if (catching)
		return;
	catching = true;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		/* Without SA_RESTART: waits end with EINTR, and the flag is looked at. */
		struct sigaction ours = { .sa_handler = signals[i] == SIGPIPE ? SIG_IGN :
										on_signal };

		(void)sigaction(signals[i], NULL, &before[i]);
		if (before[i].sa_handler != SIG_IGN)
			(void)sigaction(signals[i], &ours, NULL);
	}
}

void interrupt_release(void)
{
	if (!catching)
		return;
	catching = false;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		(void)sigaction(signals[i], &before[i], NULL);
}

const volatile int *interrupt_flag(void)
{
	return &caught;
}

int interrupt_signal(void)
{
	return caught;
}
