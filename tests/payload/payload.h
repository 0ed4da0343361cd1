/* SPDX-License-Identifier: MIT */
/* What the payload can be told to do: a name and words, each in the file that it belongs to. */
#ifndef TESTS_PAYLOAD_H
#define TESTS_PAYLOAD_H

#include <stddef.h>

struct verb {
	const char *name;
	int (*run)(char **args); /* NULL-terminated; returns the exit code */
};

extern const struct verb hostile_verbs[]; /* hostile.c: a PID 1 that is not what a manager expects */
extern const size_t n_hostile_verbs;

#endif
