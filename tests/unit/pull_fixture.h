/* SPDX-License-Identifier: MIT */
/* What tests of pull share: a store in a directory of its own, a fake registry as child, pulls from it, and what must hold after. */
#ifndef TESTS_UNIT_PULL_FIXTURE_H
#define TESTS_UNIT_PULL_FIXTURE_H

#include <ftw.h>
#include <sys/types.h>

#include "oci/store.h"
#include "registry/pull.h"

struct fixture {
	char dir[64];
	struct store store;
	pid_t pid; /* of the registry; 0: none */
	char registry[32]; /* "127.0.0.1:PORT" */
	char log[96];
	unsigned events[LAYER_UNPACKED + 1];
	unsigned found;
	int interrupted;
};

struct who {
	const char *username, *password, *platform;
};

struct failure {
	const char *options, *image;
	enum err_kind kind;
	const char *text; /* in the message */
};

/** fixture_setup() - a store in a new directory */
int fixture_setup(void **state);
/** fixture_teardown() - removes all of it */
int fixture_teardown(void **state);
/** start_registry() - with these options; skips the test where there is no python3 */
void start_registry(struct fixture *f, const char *options);
/** pull_as() - pull_image() of @image from the registry that runs */
int pull_as(struct fixture *f, const char *image, const struct who *who, struct pull_result *ret,
	    struct err *err);
int pull(struct fixture *f, const char *image, struct pull_result *ret, struct err *err);
int get_record(struct fixture *f, const char *image, struct image_record *ret);
/** assert_whole() - the image is in the store: three layers with the files that the fake puts there */
void assert_whole(struct fixture *f, const char *image);
/** assert_store_empty() - no record, no layer, nothing half done */
void assert_store_empty(struct fixture *f);
/** assert_no_children() - no worker was left behind */
void assert_no_children(void);
/** assert_fails_as() - starts the registry, pulls, and fails unless that failed so and left nothing */
void assert_fails_as(struct fixture *f, const struct failure *x, const struct who *who);
void assert_all_fail(struct fixture *f, const struct failure *list, size_t n);
void assert_pulls_as(struct fixture *f, const char *image, const struct who *who);
void assert_pulls(struct fixture *f, const char *image);
/** requests_with() - how many lines of the registry's log have both in them */
unsigned requests_with(struct fixture *f, const char *a, const char *b);
/** fixture_remove_entry() - for nftw(3) */
int fixture_remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw);

#endif
