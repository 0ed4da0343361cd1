// SPDX-License-Identifier: MIT
/*
 * From a policy to filters in the kernel. libseccomp knows what system calls are called on each machine, seccomp_bpf.h writes the program.
 * That takes milliseconds; so the result is kept in the cache under a name that holds all it was made from, and a usual start touches
 * neither JSON nor libseccomp.
 *
 * Parent: seccomp_filters_load(), before the clone. Child: seccomp_install(), once everything is mounted. The policy goes in last: it
 * might one day forbid seccomp(2) itself.
 */
#include "runtime/seccomp.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <seccomp.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/quote.h"
#include "runtime/config_data.h"
#include "runtime/seccomp_bpf.h"
#include "runtime/seccomp_image.h"
#include "runtime/seccomp_newer.h"
#include "runtime/seccomp_profile.h"

/* To be raised when the same policy compiles to something else. */
#define COMPILER_VERSION 1

#define CACHE_NAME_MAX 160

#if defined(__x86_64__) && !defined(__ILP32__)
#define NATIVE_ARCH "amd64"
#define NATIVE_SCMP_ARCH "SCMP_ARCH_X86_64"
#elif defined(__i386__)
#define NATIVE_ARCH "x86"
#define NATIVE_SCMP_ARCH "SCMP_ARCH_X86"
#elif defined(__aarch64__)
#define NATIVE_ARCH "arm64"
#define NATIVE_SCMP_ARCH "SCMP_ARCH_AARCH64"
#elif defined(__arm__)
#define NATIVE_ARCH "arm"
#define NATIVE_SCMP_ARCH "SCMP_ARCH_ARM"
#elif defined(__riscv) && __riscv_xlen == 64
#define NATIVE_ARCH "riscv64"
#define NATIVE_SCMP_ARCH "SCMP_ARCH_RISCV64"
#elif defined(__s390x__)
#define NATIVE_ARCH "s390x"
#define NATIVE_SCMP_ARCH "SCMP_ARCH_S390X"
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define NATIVE_ARCH "ppc64le"
#define NATIVE_SCMP_ARCH "SCMP_ARCH_PPC64LE"
#elif defined(__loongarch64)
#define NATIVE_ARCH "loong64"
#define NATIVE_SCMP_ARCH "SCMP_ARCH_LOONGARCH64"
#else
#error "seccomp: this machine's names are not known; add them here"
#endif

/* System call numbers that a machine may have: Linux 6.17 ends at 469. ARM's own ones lie apart. */
#define NUMBERS_MAX 640
#define ARM_PRIVATE_BASE 0xf0000
#define ARM_PRIVATE_MAX 8

void seccomp_filters_done(struct seccomp_filters *filters)
{
	free(filters->image);
	*filters = (struct seccomp_filters){ 0 };
}

/* The rules of a policy by name, and the tables of numbers that come out. */
struct build {
	const struct seccomp_rule **rules; /* by name, then in the policy's order */
	size_t n_rules;
	struct seccomp_table tables[1 + SECCOMP_ARCHES_MAX];
	size_t n_tables;
};

static void build_done(struct build *b)
{
	for (size_t i = 0; i < b->n_tables; i++)
		free(b->tables[i].entries);
	free(b->rules);
}

/* "SCMP_ARCH_X86" -> libseccomp's token, which is the kernel's AUDIT_ARCH (but for x32); 0: not known to this libseccomp. */
static uint32_t arch_token(const char *scmp_arch)
{
	static const char prefix[] = "SCMP_ARCH_";
	char name[32] = { 0 };
	size_t len = strlen(scmp_arch);

	if (strncmp(scmp_arch, prefix, sizeof(prefix) - 1) != 0 || len >= sizeof(name))
		return 0;
	for (size_t i = sizeof(prefix) - 1; i < len; i++)
		name[i - (sizeof(prefix) - 1)] = (char)tolower((unsigned char)scmp_arch[i]);
	return seccomp_arch_resolve_name(name);
}

static int compare_rules(const void *a, const void *b)
{
	const struct seccomp_rule *x = *(const struct seccomp_rule *const *)a;
	const struct seccomp_rule *y = *(const struct seccomp_rule *const *)b;
	int r = strcmp(x->name, y->name);

	return r ? r : (x > y) - (x < y);
}

static int sort_rules(struct build *b, const struct seccomp_profile *profile)
{
	b->rules = calloc(profile->n_rules + 1, sizeof(struct seccomp_rule *));
	if (!b->rules)
		return -ENOMEM;
	for (size_t i = 0; i < profile->n_rules; i++)
		b->rules[i] = &profile->rules[i];
	b->n_rules = profile->n_rules;
	qsort(b->rules, b->n_rules, sizeof(struct seccomp_rule *), compare_rules);
	return 0;
}

/* Appends the rules of that name, if any, as rules of @number. */
static int add_named(const struct build *b, struct seccomp_table *table, uint32_t number,
		     const char *name)
{
	size_t low = 0, high = b->n_rules, n = 0;
	struct seccomp_entry *grown;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(b->rules[middle]->name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	while (low + n < b->n_rules && strcmp(b->rules[low + n]->name, name) == 0)
		n++;
	if (n == 0)
		return 0;
	grown = reallocarray(table->entries, table->n_entries + n, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	table->entries = grown;
	for (size_t i = 0; i < n; i++) {
		table->entries[table->n_entries++] =
			(struct seccomp_entry){ number, b->rules[low + i] };
	}
	return 1;
}

/*
 * Number to name, not the other way round: for i386 and s390 libseccomp gives no number to "socket" and its kin, as they may come through
 * socketcall() too. That one is a call of its own here, which the policy allows or not.
 */
static int add_numbers(const struct build *b, struct seccomp_table *table, uint32_t arch,
		       uint32_t base, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		AUTO_FREE char *known = seccomp_syscall_resolve_num_arch(arch, (int)(base | i));
		const char *name = known;
		int r;

		if (!name && base != ARM_PRIVATE_BASE)
			name = seccomp_newer_name(i);
		r = name ? add_named(b, table, base | i, name) : 0;
		if (r < 0)
			return r;
		/* x32 has numbers of its own from 512 on */
		if (r > 0 && base == 0 && i >= SECCOMP_NEWER_UNIFIED)
			table->newest = i;
	}
	return 0;
}

/* A machine's numbers; x32's are put behind those of x86-64, whose AUDIT_ARCH they share. */
static int add_arch(struct build *b, uint32_t arch)
{
	bool x32 = arch == SCMP_ARCH_X32;
	uint32_t audit_arch = x32 ? SCMP_ARCH_X86_64 : arch;
	struct seccomp_table *table = NULL;
	int r;

	for (size_t i = 0; i < b->n_tables; i++) {
		if (b->tables[i].audit_arch == audit_arch)
			table = &b->tables[i];
	}
	if (!table) {
		table = &b->tables[b->n_tables++];
		table->audit_arch = audit_arch;
	}
	r = add_numbers(b, table, arch, x32 ? SECCOMP_X32_BIT : 0, NUMBERS_MAX);
	if (r == 0 && arch == SCMP_ARCH_ARM)
		r = add_numbers(b, table, arch, ARM_PRIVATE_BASE, ARM_PRIVATE_MAX);
	return r;
}

/* The native machine, and those whose programs it runs. One that libseccomp does not know stays out: its calls then kill. */
static int compile(const struct seccomp_profile *profile, struct sock_filter **ret, size_t *ret_n,
		   struct err *err)
{
	AUTO(build) b = { 0 };
	struct seccomp_tables policy = {
		.tables = b.tables,
		.default_action = profile->default_action,
		.bad_arch_action = SECCOMP_RET_KILL_THREAD,
	};
	int r = sort_rules(&b, profile);

	if (r == 0)
		r = add_arch(&b, seccomp_arch_native());
	for (size_t i = 0; r == 0 && i < profile->n_sub_arches; i++) {
		uint32_t arch = arch_token(profile->sub_arches[i]);

		if (arch && arch != seccomp_arch_native())
			r = add_arch(&b, arch);
	}
	if (r < 0)
		return err_oom(err);
	/* there is nothing to fall back from where the default is to allow */
	for (size_t i = 0; i < b.n_tables && profile->default_action == SECCOMP_RET_ALLOW; i++)
		b.tables[i].newest = 0;
	policy.n_tables = b.n_tables;
	return seccomp_bpf_compile(&policy, ret, ret_n, err);
}

/* A text of config/; of no length: no filter is wanted. */
struct text {
	const char *text;
	uint64_t len;
};

struct texts {
	struct text tty, policy, sync;
};

static struct texts choose_texts(const struct seccomp_request *req)
{
	struct texts t = {
		.tty = { config_seccomp_tty, config_seccomp_tty_len },
		.policy = { config_seccomp_default, config_seccomp_default_len },
	};

	if (req->policy == SECCOMP_POLICY_BOOT)
		t.policy = (struct text){ config_seccomp_boot, config_seccomp_boot_len };
	if (req->suppress_sync)
		t.sync = (struct text){ config_seccomp_sync, config_seccomp_sync_len };
	return t;
}

/* @ret_bpf: owned, what @ret borrows from */
static int compile_text(const struct text *text, const struct seccomp_target *target,
			struct sock_filter **ret_bpf, struct seccomp_filter *ret, struct err *err)
{
	AUTO(seccomp_profile) profile = { 0 };
	size_t n = 0;
	int r = seccomp_profile_decode(text->text, text->len, target, &profile, err);

	if (r == 0)
		r = compile(&profile, ret_bpf, &n, err);
	if (r < 0)
		return r;
	*ret = (struct seccomp_filter){ *ret_bpf, n * sizeof(struct sock_filter) };
	return 0;
}

static int compile_texts(const struct texts *texts, const struct seccomp_target *target,
			 struct seccomp_filters *ret, size_t *ret_len, struct err *err)
{
	AUTO_FREE struct sock_filter *tty = NULL, *policy = NULL, *sync_bpf = NULL;
	struct seccomp_filters parts = { 0 };
	int r = compile_text(&texts->tty, target, &tty, &parts.tty, err);

	if (r == 0)
		r = compile_text(&texts->policy, target, &policy, &parts.policy, err);
	if (r == 0 && texts->sync.len > 0)
		r = compile_text(&texts->sync, target, &sync_bpf, &parts.sync, err);
	if (r < 0)
		return r;
	return seccomp_image_make(&parts, ret, ret_len, err);
}

/* Everything that the compiled filters depend on. */
static void cache_name(const struct texts *texts, const struct seccomp_target *target,
		       char name[static CACHE_NAME_MAX])
{
	const struct scmp_version *lib = seccomp_version();
	uint64_t hash = seccomp_image_hash(COMPILER_VERSION, texts->policy.text, texts->policy.len);

	hash = seccomp_image_hash(hash, texts->tty.text, texts->tty.len);
	hash = seccomp_image_hash(hash, texts->sync.text, texts->sync.len);
	(void)snprintf(name, CACHE_NAME_MAX, "%016" PRIx64 "-%s-%" PRIx64 "-%u.%u-%u.%u.%u.bpf",
		       hash, target->arch, target->caps, target->kernel_major, target->kernel_minor,
		       lib->major, lib->minor, lib->micro);
}

/* "6.1.0-18-amd64" */
static int read_kernel_version(struct seccomp_target *target, struct err *err)
{
	struct utsname uts;
	char *end;

	if (uname(&uts) < 0)
		return err_sys(err, ERR_SYSTEM, "uname");
	target->kernel_major = (unsigned int)strtoul(uts.release, &end, 10);
	if (end == uts.release || *end != '.')
		return err_set(err, ERR_SYSTEM, -EINVAL, "kernel release %s is no version",
			       QUOTE(uts.release));
	target->kernel_minor = (unsigned int)strtoul(end + 1, NULL, 10);
	return 0;
}

int seccomp_filters_load(const char *cache_dir, const struct seccomp_request *req,
			 struct seccomp_filters *ret, struct err *err)
{
	struct seccomp_target target = {
		.caps = req->bounding_caps,
		.arch = NATIVE_ARCH,
		.scmp_arch = NATIVE_SCMP_ARCH,
	};
	struct texts texts = choose_texts(req);
	struct err store_err;
	char name[CACHE_NAME_MAX];
	size_t len;
	int r = read_kernel_version(&target, err);

	if (r < 0)
		return r;
	cache_name(&texts, &target, name);
	if (cache_dir) {
		r = seccomp_image_load(cache_dir, name, ret);
		if (r == 0)
			return 0;
		log_debug("seccomp filters are not in the cache: %s", strerror(-r));
	}
	r = compile_texts(&texts, &target, ret, &len, err);
	if (r < 0)
		return r;
	if (cache_dir && seccomp_image_store(cache_dir, name, ret, len, &store_err) < 0)
		log_debug("keep compiled seccomp filters: %s", store_err.msg);
	return 0;
}

static int install_one(const struct seccomp_filter *filter, const char *what, struct err *err)
{
	struct sock_fprog program = {
		.len = (unsigned short)(filter->len_bytes / sizeof(struct sock_filter)),
		.filter = (struct sock_filter *)filter->bpf,
	};

	if (program.len == 0)
		return 0;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
		return err_sys(err, ERR_SYSTEM, "install the %s seccomp filter", what);
	return 0;
}

int seccomp_install(const struct seccomp_filters *filters, struct err *err)
{
	int r = install_one(&filters->tty, "terminal", err);

	if (r == 0)
		r = install_one(&filters->sync, "sync", err);
	return r < 0 ? r : install_one(&filters->policy, "main", err);
}
