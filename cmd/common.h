/* SPDX-License-Identifier: MIT */
/* What several commands need: the platform flag, the wish for root, a store that may not exist, containers in use. */
#ifndef CMD_COMMON_H
#define CMD_COMMON_H

#include "base/err.h"
#include "cmd/commands.h"
#include "oci/platform.h"
#include "oci/store.h"
#include "runtime/state.h"

/**
 * common_platform() - --platform, or DOCKER_DEFAULT_PLATFORM
 * @flag: NULL if not given; @buf: where a platform is put
 * @ret: @buf, or NULL for the native platform. Return: 0 or -EINVAL/ERR_USAGE
 */
int common_platform(const char *flag, struct platform *buf, const struct platform **ret,
		    struct err *err);

/** common_require_root() - Return: 0, or -EPERM/ERR_UNSUPPORTED for other users */
int common_require_root(struct err *err);

/**
 * common_settle_tty() - a terminal is wanted, but stdin may be none: go on without one, so that pipelines work as with the original racker;
 * docker refuses
 * @strict: of the command line. @tty: in and out
 * Return: false to refuse, which has been said
 */
bool common_settle_tty(const struct context *ctx, bool strict, bool interactive, bool *tty);

/** common_check_format() - --format: NULL, "json", or @other (may be NULL). Return: 0 or -EOPNOTSUPP/ERR_UNSUPPORTED */
int common_check_format(const char *format, const char *other, struct err *err);

/* All records of a store. */
struct record_list {
	struct image_record *records;
	size_t n;
	char **damaged; /* names of those that cannot be read */
};
/** common_list_records() - those of the user's store; none if there is no store yet. *ret_store: store_done() in either case. */
int common_list_records(const struct context *ctx, struct store *ret_store, struct record_list *ret,
			struct err *err);
void record_list_done(struct record_list *l);

/* Containers that run. */
struct container_list {
	struct container_state *v;
	size_t n;
};
/** common_list_containers() - Return: 0 or -errno */
int common_list_containers(const struct context *ctx, struct container_list *ret, struct err *err);
void container_list_done(struct container_list *l);
/** common_layers_in_use() - of all containers, for store_collect(); *ret owned */
int common_layers_in_use(const struct container_list *l, struct digest **ret, size_t *ret_n,
			 struct err *err);

#endif
