/* SPDX-License-Identifier: MIT */
/* A directory of its own for a test, removed with everything in it. */
#ifndef TESTS_UNIT_SCRATCH_H
#define TESTS_UNIT_SCRATCH_H

/* cmocka fixtures: *state points to the fd of a new empty directory. */
int scratch_setup(void **state);
int scratch_teardown(void **state);
#define SCRATCH_FD(state) (*(const int *)*(state))

#endif
