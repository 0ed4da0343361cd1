// SPDX-License-Identifier: MIT
/*
 * Having an image in the store (see image_ensure.h).
 *
 * The store's shared lock is taken first and kept: nothing that is found or brought here can be collected before the caller is done with
 * it. A record that is present costs two small reads and no library load; its config is trusted because it was verified when it was
 * published and only root may write to the store. Sources of a curated label are tried in order; one that answers with damaged data ends
 * the search, since falling back would hide an attack.
 */
#include "provision/image_ensure.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/quote.h"
#include "base/strbuf.h"
#include "oci/layout.h"
#include "oci/rootfs_import.h"
#include "provision/image_name.h"
#include "provision/mmdebstrap.h"
#include "provision/pull_progress.h"
#include "registry/credentials.h"
#include "registry/pull.h"

#define ID_PREFIX "sha256:"
#define REASONS_BYTES_MAX 4096

/* One search: what the user wants and where it goes. */
struct search {
	const struct image_request *req;
	const struct image_name *name;
	struct store *store;
	struct platform platform;
	FILE *progress; /* NULL when quiet */
};

void image_done(struct image *i)
{
	image_record_done(&i->record);
	image_config_done(&i->config);
	*i = (struct image){ 0 };
}

/* Not hashed again: store_blob_read() would load libcrypto, a good part of the time that a start takes. */
static int read_config(const struct store *s, const struct digest *id, struct image_config *ret,
		       struct err *err)
{
	char path[sizeof("blobs/sha256/") + DIGEST_HEX_LEN];
	AUTO_FREE char *text = NULL;
	size_t len;
	int r;

	(void)snprintf(path, sizeof(path), "blobs/sha256/%s", id->hex);
	r = fd_read_file_at(s->root_fd, path, IMAGE_CONFIG_BYTES_MAX, &text, &len, err);
	if (r < 0)
		return r;
	return image_config_decode(text, len, ret, err);
}

/* -ENOENT only when there is no such record. */
static int load(struct store *s, const char *record, struct image *ret, struct err *err)
{
	AUTO(image) image = { 0 };
	int r = image_record_get(s, record, &image.record, err);

	if (r < 0)
		return r;
	r = read_config(s, &image.record.config, &image.config, err);
	if (r == -ENOENT)
		return err_set(err, ERR_CORRUPT, -EBADMSG,
			       "read image %s: its configuration is missing", QUOTE(record));
	if (r < 0)
		return err_prefix(err, r, "read image %s", QUOTE(record));
	*ret = image;
	image = (struct image){ 0 };
	return 0;
}

static int no_such_image(const char *name, struct err *err)
{
	return err_set(err, ERR_NOT_FOUND, -ENOENT, "No such image: %s", QUOTE_PLAIN(name));
}

/* The hex digits of "sha256:<64 hex>" or of a bare ID prefix; NULL if @name is neither. */
static const char *id_digits(const char *name)
{
	bool whole = strncmp(name, ID_PREFIX, strlen(ID_PREFIX)) == 0;
	const char *hex = whole ? name + strlen(ID_PREFIX) : name;
	size_t len = strspn(hex, "0123456789abcdef");

	if (len == 0 || len > DIGEST_HEX_LEN || hex[len] != '\0' ||
	    (whole && len != DIGEST_HEX_LEN))
		return NULL;
	return hex;
}

static int find_by_id(struct store *s, const char *name, const char *hex, struct image *ret,
		      struct err *err)
{
	struct image_record *list = NULL;
	const struct image_record *found = NULL;
	size_t n = 0;
	int r = image_record_list(s, &list, &n, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n && r == 0; i++) {
		if (strncmp(list[i].config.hex, hex, strlen(hex)) != 0)
			continue;
		if (!found)
			found = &list[i];
		else if (!digest_equal(&found->config, &list[i].config))
			r = err_set(err, ERR_USAGE, -EINVAL, "image ID %s is ambiguous",
				    QUOTE(name));
	}
	if (r == 0)
		r = found ? load(s, found->name, ret, err) : no_such_image(name, err);
	image_records_free(list, n);
	return r;
}

int image_find(struct store *s, const char *name, struct image *ret, struct err *err)
{
	AUTO(image_name) parsed = { 0 };
	const char *hex = id_digits(name);
	int r;

	if (hex && strlen(hex) == DIGEST_HEX_LEN)
		return find_by_id(s, name, hex, ret, err);
	r = image_name_parse(name, &parsed, err);
	if (r < 0)
		return r;
	r = load(s, parsed.record, ret, err);
	if (r != -ENOENT)
		return r;
	return hex ? find_by_id(s, name, hex, ret, err) : no_such_image(parsed.display, err);
}

static int pull_reference(const struct search *s, const struct image_ref *ref, struct err *err)
{
	AUTO_FREE char *familiar = image_ref_familiar(ref);
	struct pull_progress progress = {
		.out = s->progress,
		.id = ref->has_digest ? DIGEST_STR(&ref->digest) : ref->tag,
		.from = ref->repository,
	};
	AUTO(credentials) credentials = { 0 };
	struct pull_request pull = {
		.store = s->store,
		.ref = ref,
		.platform = &s->platform,
		.event = pull_progress_event,
		.found = pull_progress_found,
		.arg = &progress,
		.interrupted = s->req->interrupted,
	};
	struct pull_result result = { 0 };
	int r;

	if (!familiar)
		return err_oom(err);
	r = credentials_lookup(ref->registry, &credentials, err);
	if (r < 0)
		return r;
	pull.username = credentials.username;
	pull.password = credentials.password;
	r = pull_image(&pull, &result, err);
	if (r < 0)
		return r;
	pull_progress_end(&progress, &result.digest, result.up_to_date, familiar);
	return 0;
}

static int install_layout(const struct search *s, struct err *err)
{
	AUTO_FREE char *record = NULL;
	struct pull_progress progress = { .out = s->progress };
	const struct layout_request request = {
		.store = s->store,
		.spec = s->name->layout,
		.platform = &s->platform,
		.event = pull_progress_event,
		.event_arg = &progress,
	};

	return layout_install(&request, &record, err);
}

/* What a reference brought gets the label as a second name. */
static int label_from_registry(const struct search *s, const char *reference, struct err *err)
{
	AUTO(image_ref) ref = { 0 };
	AUTO(image_record) record = { 0 };
	AUTO_FREE char *canonical = NULL;
	int r = image_ref_parse(reference, &ref, err);

	if (r < 0)
		return r;
	canonical = image_ref_canonical(&ref);
	if (!canonical)
		return err_oom(err);
	r = pull_reference(s, &ref, err);
	if (r < 0)
		return r;
	r = image_record_get(s->store, canonical, &record, err);
	if (r < 0)
		return r;
	free(record.name);
	record.name = strdup(s->name->record);
	if (!record.name)
		return err_oom(err);
	return image_record_put(s->store, &record, err);
}

int image_bootstrap_dir(const struct settings *settings, char **ret, struct err *err)
{
	if (asprintf(ret, "%s/bootstrap", settings->cache_dir) < 0) {
		*ret = NULL;
		return err_oom(err);
	}
	return 0;
}

static int import_rootfs(const struct search *s, int tar_fd, struct err *err)
{
	char *const cmd[] = { (char[]){ "bash" }, NULL };
	char *const env[] = {
		(char[]){ "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
		NULL
	};
	const struct rootfs_import_request request = {
		.store = s->store,
		.name = s->name->record,
		.source = "mmdebstrap",
		.tar_fd = tar_fd,
		.platform = &s->platform,
		.cmd = cmd,
		.env = env,
	};
	int r;

	if (s->progress)
		(void)fprintf(s->progress, "%s: Importing the root file system\n", s->name->record);
	r = rootfs_import(&request, err);
	if (r < 0)
		return r;
	if (s->progress)
		(void)fprintf(s->progress, "Status: Built %s with mmdebstrap\n", s->name->record);
	return 0;
}

/* Somebody else may have built it while we waited for the lock. */
static bool built_since(const struct search *s, int64_t when)
{
	AUTO(image_record) record = { 0 };

	if (image_record_get(s->store, s->name->record, &record, NULL) < 0)
		return false;
	return s->req->policy != PULL_ALWAYS || record.pulled >= when;
}

static int label_from_mmdebstrap(const struct search *s, const struct catalog_source *source,
				 struct err *err)
{
	AUTO_CLOSE int lock = -EBADF, tar = -EBADF;
	AUTO_FREE char *work_dir = NULL;
	struct mmdebstrap_request build = {
		.label = s->name->record,
		.suite = source->value,
		.packages = source->packages,
		.progress = s->progress,
		.interrupted = s->req->interrupted,
	};
	struct platform native;
	int64_t began = (int64_t)time(NULL);
	int r;

	platform_native(&native);
	if (platform_rank(&native, &s->platform) == 0)
		return err_set(err, ERR_UNSUPPORTED, -EOPNOTSUPP,
			       "mmdebstrap builds for this machine's platform alone");
	r = image_bootstrap_dir(s->req->settings, &work_dir, err);
	if (r < 0)
		return r;
	build.work_dir = work_dir;
	lock = mmdebstrap_lock(&build, err);
	if (lock < 0)
		return lock;
	if (built_since(s, began))
		return 0;
	tar = mmdebstrap_build(&build, err);
	if (tar < 0)
		return tar;
	return import_rootfs(s, tar, err);
}

static int try_source(const struct search *s, const struct catalog_source *source, struct err *err)
{
	switch (source->kind) {
	case SOURCE_REGISTRY:
		return label_from_registry(s, source->value, err);
	case SOURCE_MMDEBSTRAP:
		return label_from_mmdebstrap(s, source, err);
	}
	return err_set(err, ERR_UNSUPPORTED, -EOPNOTSUPP, "unknown kind of source");
}

static const char *source_title(const struct catalog_source *source)
{
	return source->kind == SOURCE_REGISTRY ? source->value : "mmdebstrap";
}

static bool may_try_next(const struct err *e)
{
	return e->kind != ERR_CORRUPT && e->code != -ENOMEM && e->code != -ENOSPC;
}

static int ensure_label(const struct search *s, struct err *err)
{
	__attribute__((cleanup(strbuf_done))) struct strbuf reasons =
		STRBUF_INIT(REASONS_BYTES_MAX);
	const struct catalog_entry *entry = s->name->entry;
	struct err first = { 0 };

	for (size_t i = 0; i < entry->n_sources; i++) {
		const struct catalog_source *source = &entry->sources[i];
		struct err one = { 0 };
		int r = try_source(s, source, &one);

		if (r >= 0)
			return 0;
		if (one.kind == ERR_INTERRUPTED)
			return err_set(err, one.kind, r, "%s: interrupted", entry->label);
		if (i == 0)
			first = one;
		/* Reasons that do not fit are left out; the first ones say most. */
		(void)!strbuf_addf(&reasons, "%s%s: %s", i ? "; " : "", source_title(source),
				   one.msg);
		if (!may_try_next(&one)) {
			first = one;
			break;
		}
		if (i + 1 < entry->n_sources)
			log_error("%s: %s: %s; trying %s", entry->label, source_title(source),
				  one.msg, source_title(&entry->sources[i + 1]));
	}
	return err_set(err, first.kind, first.code, "%s: %s", entry->label, strbuf_str(&reasons));
}

static int acquire(const struct search *s, struct err *err)
{
	switch (s->name->kind) {
	case IMAGE_NAME_LABEL:
		return ensure_label(s, err);
	case IMAGE_NAME_LAYOUT:
		return install_layout(s, err);
	case IMAGE_NAME_REFERENCE:
		return pull_reference(s, &s->name->ref, err);
	}
	return err_set(err, ERR_UNSUPPORTED, -EOPNOTSUPP, "unknown kind of name");
}

static bool platform_fits(const struct search *s, const struct image *image)
{
	return !s->req->platform || platform_rank(&s->platform, &image->config.platform) > 0;
}

static int wrong_platform(const struct search *s, const struct image *image, struct err *err)
{
	return err_set(err, ERR_NOT_FOUND, -ENOENT,
		       "image with reference %s was found but its platform (%s) does not match the "
		       "specified platform (%s)",
		       QUOTE_PLAIN(s->name->display),
		       platform_str(&image->config.platform, (char[PLATFORM_STR_MAX]){ 0 }),
		       platform_str(&s->platform, (char[PLATFORM_STR_MAX]){ 0 }));
}

/*
 * Look before pulling. Return: 1 found, 0 to be acquired, or -errno.
 * A layout is local and may have changed, so it is read again unless pulling is forbidden.
 */
static int find_present(const struct search *s, struct image *ret, struct err *err)
{
	const char *hex = id_digits(s->req->name);
	int r;

	if (s->req->policy == PULL_ALWAYS ||
	    (s->name->kind == IMAGE_NAME_LAYOUT && s->req->policy != PULL_NEVER))
		return 0;
	r = load(s->store, s->name->record, ret, err);
	if (r == -ENOENT && hex && s->name->kind == IMAGE_NAME_REFERENCE)
		r = find_by_id(s->store, s->req->name, hex, ret, err);
	if (r == -ENOENT && s->req->policy != PULL_NEVER)
		return 0;
	if (r < 0)
		return r == -ENOENT ? no_such_image(s->name->display, err) : r;
	if (platform_fits(s, ret))
		return 1;
	r = s->req->policy == PULL_NEVER ? wrong_platform(s, ret, err) : 0;
	image_done(ret);
	return r;
}

static int ensure(const struct search *s, struct image *ret, struct err *err)
{
	int r = find_present(s, ret, err);

	if (r != 0)
		return r < 0 ? r : 0;
	if (s->req->announce_missing && s->req->policy == PULL_MISSING && s->progress &&
	    s->name->kind != IMAGE_NAME_LAYOUT) {
		(void)fprintf(s->progress, "Unable to find image '%s' locally\n",
			      QUOTE_PLAIN(s->name->display));
		(void)fflush(s->progress);
	}
	r = acquire(s, err);
	if (r >= 0)
		r = load(s->store, s->name->record, ret, err);
	/* A name that stands for one image alone was pulled whatever its platform is. */
	return r >= 0 && !platform_fits(s, ret) ? wrong_platform(s, ret, err) : r;
}

int image_ensure(const struct image_request *req, struct store *s, struct image *ret,
		 struct err *err)
{
	AUTO(image_name) name = { 0 };
	AUTO(image) image = { 0 };
	struct search search = {
		.req = req,
		.name = &name,
		.store = s,
		.progress = req->quiet ? NULL : req->progress,
	};
	const char *hex = id_digits(req->name);
	int r = store_lock(s, STORE_LOCK_SHARED, err);

	if (r < 0)
		return r;
	/* Docker never takes a whole ID for a reference. */
	if (hex && strlen(hex) == DIGEST_HEX_LEN)
		return find_by_id(s, req->name, hex, ret, err);
	r = image_name_parse(req->name, &name, err);
	if (r < 0)
		return r;
	if (req->platform)
		search.platform = *req->platform;
	else
		platform_native(&search.platform);
	r = ensure(&search, &image, err);
	if (r < 0)
		return r;
	*ret = image;
	image = (struct image){ 0 };
	return 0;
}
