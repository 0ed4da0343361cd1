// SPDX-License-Identifier: MIT
/* The files that docker writes into each container (see etc_files.h). */
#include "provision/etc_files.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/strbuf.h"

#define BLANKS " \t"

const char *etc_hosts_default(void)
{
	return "127.0.0.1\tlocalhost\n"
	       "::1\tlocalhost ip6-localhost ip6-loopback\n"
	       "fe00::\tip6-localnet\n"
	       "ff00::\tip6-mcastprefix\n"
	       "ff02::1\tip6-allnodes\n"
	       "ff02::2\tip6-allrouters\n";
}

/* If the line [line, line+len) is a nameserver, point @ret at its address. */
static bool is_nameserver(const char *line, size_t len, const char **ret, size_t *ret_len)
{
	static const char word[] = "nameserver";
	const char *end = line + len;

	line += strspn(line, BLANKS);
	if ((size_t)(end - line) <= sizeof(word) - 1 || line > end ||
	    strncmp(line, word, sizeof(word) - 1) != 0)
		return false;
	line += sizeof(word) - 1;
	if (!strchr(BLANKS, *line))
		return false;
	line += strspn(line, BLANKS);
	*ret = line;
	*ret_len = strcspn(line, BLANKS "\r\n#;");
	return *ret_len > 0;
}

static bool is_loopback(const char *address, size_t len)
{
	return (len >= 4 && strncmp(address, "127.", 4) == 0) ||
	       (len >= 3 && strncmp(address, "::1", 3) == 0 && (len == 3 || address[3] == '%'));
}

bool etc_resolv_is_stub(const char *text)
{
	bool stub = false;

	while (*text) {
		size_t len = strcspn(text, "\n"), n;
		const char *address;

		if (is_nameserver(text, len, &address, &n)) {
			if (n != strlen("127.0.0.53") || strncmp(address, "127.0.0.53", n) != 0)
				return false;
			stub = true;
		}
		text += len + (text[len] == '\n');
	}
	return stub;
}

int etc_resolv_filter(const char *text, char **ret, struct err *err)
{
	__attribute__((cleanup(strbuf_done))) struct strbuf out =
		STRBUF_INIT(ETC_FILE_BYTES_MAX + 256);
	bool any = false;

	while (*text) {
		size_t len = strcspn(text, "\n"), n;
		const char *address;
		bool server = is_nameserver(text, len, &address, &n);

		if (!server || !is_loopback(address, n)) {
			any = any || server;
			if (strbuf_add(&out, text, len) < 0 || strbuf_addc(&out, '\n') < 0)
				return err_oom(err);
		}
		text += len + (text[len] == '\n');
	}
	if (!any && strbuf_adds(&out, "nameserver 8.8.8.8\nnameserver 8.8.4.4\n") < 0)
		return err_oom(err);
	*ret = strbuf_steal(&out);
	return *ret ? 0 : err_oom(err);
}

/* NULL when it cannot be read: a container starts without it. */
static char *read_host_file(const char *path)
{
	char *text = NULL;

	if (fd_read_file_at(AT_FDCWD, path, ETC_FILE_BYTES_MAX, &text, NULL, NULL) < 0)
		return NULL;
	return text;
}

/* @text is consumed, also on failure; NULL is out of memory. */
static int add_file(struct container_spec *spec, const char *target, char *text, struct err *err)
{
	struct file_spec *f = &spec->files[spec->n_files];

	*f = (struct file_spec){ .text = text, .target = strdup(target) };
	if (!f->text || !f->target) {
		free(f->text);
		free(f->target);
		*f = (struct file_spec){ 0 };
		return err_oom(err);
	}
	spec->n_files++;
	return 0;
}

static int resolv_conf(bool shares_network, char **ret, struct err *err)
{
	AUTO_FREE char *text = read_host_file("/etc/resolv.conf");

	if (!shares_network && text && etc_resolv_is_stub(text)) {
		char *upstream = read_host_file("/run/systemd/resolve/resolv.conf");

		if (upstream) {
			free(text);
			text = upstream;
		}
	}
	if (!shares_network)
		return etc_resolv_filter(text ? text : "", ret, err);
	*ret = text ? MOVE_PTR(text) : strdup("");
	return *ret ? 0 : err_oom(err);
}

static int line_file(const char *line, char **ret, struct err *err)
{
	if (asprintf(ret, "%s\n", line) < 0) {
		*ret = NULL;
		return err_oom(err);
	}
	return 0;
}

/* A machine's own name must be found without a name server (sudo and mail programs look it up); Debian's address for that. */
static int hosts_file(const struct container_spec *spec, bool shares_network, bool machine,
		      char **ret, struct err *err)
{
	AUTO_FREE char *host = shares_network ? read_host_file("/etc/hosts") : NULL;
	const char *text = host ? host : etc_hosts_default();
	size_t len = strlen(text);
	const char *newline = len > 0 && text[len - 1] != '\n' ? "\n" : "";
	int r = machine ? asprintf(ret, "%s%s127.0.1.1\t%s\n", text, newline, spec->hostname) :
			  asprintf(ret, "%s", text);

	if (r < 0) {
		*ret = NULL;
		return err_oom(err);
	}
	return 0;
}

int etc_files_add(struct container_spec *spec, bool shares_network, const char *machine_id,
		  struct err *err)
{
	struct file_spec *grown =
		reallocarray(spec->files, spec->n_files + 4, sizeof(*spec->files));
	size_t first = spec->n_files;
	char *text;
	int r;

	if (!grown)
		return err_oom(err);
	spec->files = grown;
	r = hosts_file(spec, shares_network, machine_id != NULL, &text, err);
	if (r >= 0)
		r = add_file(spec, "/etc/hosts", text, err);
	if (r >= 0)
		r = line_file(spec->hostname, &text, err);
	if (r >= 0)
		r = add_file(spec, "/etc/hostname", text, err);
	if (r >= 0)
		r = resolv_conf(shares_network, &text, err);
	if (r >= 0)
		r = add_file(spec, "/etc/resolv.conf", text, err);
	if (r >= 0 && machine_id)
		r = line_file(machine_id, &text, err);
	if (r >= 0)
		r = machine_id ? add_file(spec, "/etc/machine-id", text, err) :
				 add_file(spec, "/.dockerenv", strdup(""), err);
	for (size_t i = first; machine_id && i < spec->n_files; i++)
		spec->files[i].in_root = true;
	return r;
}
