/* SPDX-License-Identifier: MIT */
/* Monotonic time in microseconds, for deadlines and elapsed times. */
#ifndef BASE_DEADLINE_H
#define BASE_DEADLINE_H

#include <stdint.h>
#include <time.h>

typedef uint64_t usec_t;

#define USEC_PER_MSEC ((usec_t)1000)
#define USEC_PER_SEC ((usec_t)1000000)
#define USEC_INFINITY ((usec_t)-1)

static inline usec_t now_usec(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (usec_t)ts.tv_sec * USEC_PER_SEC + (usec_t)ts.tv_nsec / 1000;
}

/* Milliseconds left until @deadline for poll(2): 0 when passed, -1 for USEC_INFINITY; rounded up, never negative otherwise. */
static inline int deadline_poll_ms(usec_t deadline)
{
	usec_t now = now_usec();

	if (deadline == USEC_INFINITY)
		return -1;
	if (deadline <= now)
		return 0;
	if ((deadline - now) / USEC_PER_MSEC >= INT32_MAX)
		return INT32_MAX;
	return (int)((deadline - now + USEC_PER_MSEC - 1) / USEC_PER_MSEC);
}

#endif
