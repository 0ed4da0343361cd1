// SPDX-License-Identifier: MIT
/*
 * One layer's stream as tar entries (see layer_reader.h).
 *
 * Names: libarchive tries to convert names of PAX headers from UTF-8 to the locale's charset. The program never calls setlocale(), so
 * that is ASCII; whatever is not ASCII fails to convert, libarchive warns and leaves the raw bytes, which is what we want.
 */
#include "oci/layer_reader.h"

#include <iconv.h>
#include <langinfo.h>
#include <string.h>

#include <archive.h>
#include <archive_entry.h>

#include "base/log.h"
#include "base/quote.h"

#define PIECE_BYTES ((size_t)128 << 10)

struct layer_reader {
	struct decompress *stream;
	struct archive *archive;
	struct digest_ctx *digest;
	struct err stream_err; /* of the stream, found inside libarchive's callback */
	char *piece;
	struct xattr xattrs[XATTRS_MAX];
};

void layer_reader_prepare(void)
{
	iconv_t cd = iconv_open(nl_langinfo(CODESET), "UTF-8");

	/* (iconv_t)-1 is fine: then it has looked, and libarchive will be told the same without another look */
	if (cd != (iconv_t)-1)
		(void)iconv_close(cd);
}

/* Every byte of the stream passes here: the digest sees what libarchive sees. */
static la_ssize_t feed_archive(struct archive *a, void *arg, const void **ret_buf)
{
	struct layer_reader *r = arg;
	ssize_t n = decompress_read(r->stream, r->piece, PIECE_BYTES, &r->stream_err);

	if (n < 0) {
		if (r->stream_err.code >= 0)
			r->stream_err.code = (int)n;
		archive_set_error(a, (int)-n, "read failed");
		return -1;
	}
	digest_update(r->digest, r->piece, (size_t)n);
	*ret_buf = r->piece;
	return n;
}

/* The stream's own failure is the reason, if there was one; everything else libarchive dislikes is a corrupt archive. */
static int reader_error(struct layer_reader *r, struct err *err)
{
	const char *why = archive_error_string(r->archive);

	if (r->stream_err.code < 0) {
		if (err)
			*err = r->stream_err;
		return r->stream_err.code;
	}
	if (archive_errno(r->archive) == ENOMEM)
		return err_oom(err);
	return err_set(err, ERR_CORRUPT, -EBADMSG, "not a valid tar archive: %s",
		       why ? why : "no reason given");
}

int layer_reader_open(struct decompress *stream, struct layer_reader **ret, struct err *err)
{
	AUTO_PTR(layer_reader) r = calloc(1, sizeof(*r));
	int rc;

	if (!r)
		return err_oom(err);
	r->stream = stream;
	r->piece = malloc(PIECE_BYTES);
	r->archive = archive_read_new();
	if (!r->piece || !r->archive)
		return err_oom(err);
	rc = digest_begin(&r->digest, err);
	if (rc < 0)
		return rc;
	/* a stream without a byte is a layer without an entry, as docker and umoci have it */
	if (archive_read_support_format_tar(r->archive) != ARCHIVE_OK ||
	    archive_read_support_format_empty(r->archive) != ARCHIVE_OK ||
	    archive_read_open(r->archive, r, NULL, feed_archive, NULL) != ARCHIVE_OK)
		return reader_error(r, err);
	*ret = MOVE_PTR(r);
	return 0;
}

static int entry_owner(struct archive_entry *e, struct tar_entry *ret, struct err *err)
{
	la_int64_t uid = archive_entry_uid(e), gid = archive_entry_gid(e);

	/* (uid_t)-1 means "leave it" to chown(2) */
	if (uid < 0 || uid >= UINT32_MAX || gid < 0 || gid >= UINT32_MAX)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "%s: owner %lld:%lld is out of range",
			       QUOTE(ret->path), (long long)uid, (long long)gid);
	ret->uid = (uid_t)uid;
	ret->gid = (gid_t)gid;
	return 0;
}

static int entry_xattrs(struct layer_reader *r, struct archive_entry *e, struct tar_entry *ret,
			struct err *err)
{
	const char *name;
	const void *value;
	size_t len, n = 0;

	if (archive_entry_xattr_reset(e) > XATTRS_MAX)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "%s: more than %d extended attributes",
			       QUOTE(ret->path), XATTRS_MAX);
	while (archive_entry_xattr_next(e, &name, &value, &len) == ARCHIVE_OK && n < XATTRS_MAX)
		r->xattrs[n++] = (struct xattr){ name, value, len };
	ret->xattrs = r->xattrs;
	ret->n_xattrs = n;
	return 0;
}

int layer_reader_next(struct layer_reader *r, struct tar_entry *ret, struct err *err)
{
	struct tar_entry entry = { 0 };
	struct archive_entry *e;
	int rc = archive_read_next_header(r->archive, &e);

	/* a stream that fails at once looks empty to libarchive */
	if (rc == ARCHIVE_EOF && r->stream_err.code == 0)
		return 0;
	if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN)
		return reader_error(r, err);
	entry.path = archive_entry_pathname(e);
	if (!entry.path)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "tar entry without a name");
	if (rc == ARCHIVE_WARN)
		log_debug("tar entry %s: %s", QUOTE(entry.path), archive_error_string(r->archive));
	entry.hardlink = archive_entry_hardlink(e);
	entry.mode = archive_entry_filetype(e) | (archive_entry_perm(e) & 07777);
	if (archive_entry_filetype(e) == AE_IFLNK)
		entry.symlink = archive_entry_symlink(e);
	entry.rdev = archive_entry_rdev(e);
	entry.size = archive_entry_size_is_set(e) ? archive_entry_size(e) : 0;
	entry.mtime = (struct timespec){ .tv_sec = archive_entry_mtime(e),
					 .tv_nsec = archive_entry_mtime_nsec(e) };
	if (entry.size < 0 || entry.mtime.tv_nsec < 0 || entry.mtime.tv_nsec > 999999999)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "%s: size or time is out of range",
			       QUOTE(entry.path));
	rc = entry_owner(e, &entry, err);
	if (rc < 0)
		return rc;
	rc = entry_xattrs(r, e, &entry, err);
	if (rc < 0)
		return rc;
	*ret = entry;
	return 1;
}

ssize_t layer_reader_data(struct layer_reader *r, const void **ret_buf, int64_t *ret_offset,
			  struct err *err)
{
	const void *buf;
	la_int64_t offset;
	size_t len;
	int rc;

	do {
		rc = archive_read_data_block(r->archive, &buf, &len, &offset);
		if (rc == ARCHIVE_EOF)
			return 0;
		if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN)
			return reader_error(r, err);
	} while (len == 0);
	*ret_buf = buf;
	*ret_offset = offset;
	return (ssize_t)len;
}

int layer_reader_finish(struct layer_reader *r, struct digest *ret, struct err *err)
{
	ssize_t n;

	do {
		n = decompress_read(r->stream, r->piece, PIECE_BYTES, err);
		if (n < 0)
			return (int)n;
		digest_update(r->digest, r->piece, (size_t)n);
	} while (n > 0);
	digest_finish(r->digest, ret);
	return 0;
}

void layer_reader_free(struct layer_reader *r)
{
	if (!r)
		return;
	(void)archive_read_free(r->archive);
	digest_ctx_free(r->digest);
	free(r->piece);
	free(r);
}
