// SPDX-License-Identifier: MIT
/* Shared by commands (see common.h). */
#include "cmd/common.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/quote.h"
#include "base/strv.h"

int common_platform(const char *flag, struct platform *buf, const struct platform **ret,
		    struct err *err)
{
	int r;

	*ret = NULL;
	if (!flag)
		flag = getenv("DOCKER_DEFAULT_PLATFORM");
	if (!flag || !*flag)
		return 0;
	r = platform_parse(flag, buf, err);
	if (r < 0)
		return r;
	*ret = buf;
	return 0;
}

int common_require_root(struct err *err)
{
	if (geteuid() == 0)
		return 0;
	return err_set(err, ERR_UNSUPPORTED, -EPERM,
		       "this needs root: containers of other users are not supported yet");
}

int common_list_records(const struct context *ctx, struct store *ret_store, struct record_list *ret,
			struct err *err)
{
	struct err why = { 0 };
	int r = store_open(ctx->settings.store_dir, false, ret_store, &why);

	if (r == -ENOENT)
		return 0;
	if (r < 0) {
		*err = why;
		return r;
	}
	return image_record_scan(ret_store, &ret->records, &ret->n, &ret->damaged, err);
}

void record_list_done(struct record_list *l)
{
	image_records_free(l->records, l->n);
	strv_free(l->damaged);
	*l = (struct record_list){ 0 };
}

int common_check_format(const char *format, const char *other, struct err *err)
{
	if (!format || strcmp(format, "json") == 0 || (other && strcmp(format, other) == 0))
		return 0;
	return err_set(err, ERR_UNSUPPORTED, -EOPNOTSUPP,
		       "--format %s is not supported yet (use json)", QUOTE(format));
}

int common_list_containers(const struct context *ctx, struct container_list *ret, struct err *err)
{
	return state_list(ctx->settings.state_dir, &ret->v, &ret->n, err);
}

void container_list_done(struct container_list *l)
{
	container_states_free(l->v, l->n);
	*l = (struct container_list){ 0 };
}

int common_layers_in_use(const struct container_list *l, struct digest **ret, size_t *ret_n,
			 struct err *err)
{
	struct digest *all;
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		n += l->v[i].n_layers;
	all = calloc(n + 1, sizeof(*all));
	if (!all)
		return err_oom(err);
	n = 0;
	for (size_t i = 0; i < l->n; i++)
		for (size_t j = 0; j < l->v[i].n_layers; j++)
			all[n++] = l->v[i].layers[j];
	*ret = all;
	*ret_n = n;
	return 0;
}

bool common_settle_tty(const struct context *ctx, bool strict, bool interactive, bool *tty)
{
	if (!*tty || isatty(STDIN_FILENO))
		return true;
	if (!strict && !ctx->settings.strict_tty) {
		log_info("stdin is not a terminal: going on without --tty");
		*tty = false;
		return true;
	}
	/* With -t alone docker makes a terminal that nobody types into. */
	if (!interactive)
		return true;
	(void)fputs("the input device is not a TTY\n", stderr);
	return false;
}
