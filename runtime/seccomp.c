// SPDX-License-Identifier: MIT
/*
 * From a policy to filters in the kernel. libseccomp compiles, which takes milliseconds; so the result is kept in the cache under a name
 * that holds all it was made from, and a usual start touches neither JSON nor libseccomp.
 *
 * Parent: seccomp_default_filters(), before the clone. Child: seccomp_install(), as its last step. The tty filter goes in first: the
 * policy might one day forbid seccomp(2) itself.
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
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <seccomp.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "runtime/seccomp_data.h"
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

static const enum scmp_compare compare[SECCOMP_OP_MAX] = {
	[SECCOMP_OP_NE] = SCMP_CMP_NE,
	[SECCOMP_OP_LT] = SCMP_CMP_LT,
	[SECCOMP_OP_LE] = SCMP_CMP_LE,
	[SECCOMP_OP_EQ] = SCMP_CMP_EQ,
	[SECCOMP_OP_GE] = SCMP_CMP_GE,
	[SECCOMP_OP_GT] = SCMP_CMP_GT,
	[SECCOMP_OP_MASKED_EQ] = SCMP_CMP_MASKED_EQ,
};

void seccomp_filters_done(struct seccomp_filters *filters)
{
	free(filters->image);
	*filters = (struct seccomp_filters){ 0 };
}

static void cleanup_scmp(scmp_filter_ctx *ctx)
{
	if (*ctx)
		seccomp_release(*ctx);
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

static bool arch_is_mips(const char *scmp_arch)
{
	return strncmp(scmp_arch, "SCMP_ARCH_MIPS", sizeof("SCMP_ARCH_MIPS") - 1) == 0;
}

/* Machines that the native one runs programs of. Those that libseccomp does not know stay out: their calls then kill. */
static int add_arches(scmp_filter_ctx ctx, const struct seccomp_profile *profile,
		      struct seccomp_newer *newer, struct err *err)
{
	newer->arches[newer->n_arches++] = seccomp_arch_native();
	for (size_t i = 0; i < profile->n_sub_arches; i++) {
		uint32_t token = arch_token(profile->sub_arches[i]);
		int r = token ? seccomp_arch_add(ctx, token) : -EEXIST;

		if (r < 0 && r != -EEXIST)
			return err_set(err, ERR_SYSTEM, r, "add %s to the seccomp filter: %s",
				       profile->sub_arches[i], strerror(-r));
		if (r == 0 && token != SCMP_ARCH_X32 && !arch_is_mips(profile->sub_arches[i]) &&
		    newer->n_arches < SECCOMP_NEWER_ARCHES_MAX)
			newer->arches[newer->n_arches++] = token;
	}
	return 0;
}

/* A call that libseccomp does not know by name: decided ahead of its filter, or, with conditions or no number either, by the default. */
static void add_newer(const struct seccomp_rule *rule, struct seccomp_newer *newer)
{
	int number = seccomp_newer_number(rule->name);

	if (number < 0 || rule->n_args > 0 || newer->n_calls == SECCOMP_NEWER_MAX)
		return;
	newer->calls[newer->n_calls].number = (uint32_t)number;
	newer->calls[newer->n_calls++].action = rule->action;
	if ((uint32_t)number > newer->last)
		newer->last = (uint32_t)number;
}

static int add_rule(scmp_filter_ctx ctx, const struct seccomp_rule *rule,
		    struct seccomp_newer *newer, struct err *err)
{
	struct scmp_arg_cmp args[SECCOMP_ARGS_MAX] = { 0 };
	int number = seccomp_syscall_resolve_name(rule->name);
	int r;

	if (number == __NR_SCMP_ERROR) {
		add_newer(rule, newer);
		return 0;
	}
	if (number >= SECCOMP_NEWER_UNIFIED && (uint32_t)number > newer->last)
		newer->last = (uint32_t)number;
	for (size_t i = 0; i < rule->n_args; i++) {
		args[i].arg = rule->args[i].index;
		args[i].op = compare[rule->args[i].op];
		args[i].datum_a = rule->args[i].value;
		args[i].datum_b = rule->args[i].value_two;
	}
	r = seccomp_rule_add_array(ctx, rule->action, number, (unsigned int)rule->n_args, args);
	/* EEXIST: two groups allow the same */
	if (r < 0 && r != -EEXIST)
		return err_set(err, ERR_SYSTEM, r, "add %s to the seccomp filter: %s", rule->name,
			       strerror(-r));
	return 0;
}

/* The program of @ctx behind the instructions of @newer. */
static int export_program(scmp_filter_ctx ctx, const struct seccomp_newer *newer,
			  struct sock_filter **ret, size_t *ret_len, struct err *err)
{
	AUTO_CLOSE int fd = memfd_create("seccomp", MFD_CLOEXEC);
	AUTO_FREE struct sock_filter *program = NULL;
	struct stat st;
	size_t head, len;
	ssize_t got;
	int r;

	if (fd < 0)
		return err_sys(err, ERR_SYSTEM, "memfd_create");
	r = seccomp_export_bpf(ctx, fd);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, r, "compile seccomp filter: %s", strerror(-r));
	if (fstat(fd, &st) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(err, ERR_SYSTEM, "read compiled seccomp filter");
	len = (size_t)st.st_size;
	program = malloc(SECCOMP_NEWER_INSNS_MAX * sizeof(*program) + len);
	if (!program)
		return err_oom(err);
	head = seccomp_newer_emit(newer, program);
	got = fd_read_full(fd, program + head, len);
	if (got < 0 || (size_t)got != len)
		return err_set(err, ERR_SYSTEM, got < 0 ? (int)got : -EIO,
			       "read compiled seccomp filter");
	*ret_len = head * sizeof(*program) + len;
	*ret = MOVE_PTR(program);
	return 0;
}

static int compile(const struct seccomp_profile *profile, struct sock_filter **ret, size_t *ret_len,
		   struct err *err)
{
	__attribute__((cleanup(cleanup_scmp)))
	scmp_filter_ctx ctx = seccomp_init(profile->default_action);
	struct seccomp_newer newer = { 0 };
	int r;

	if (!ctx)
		return err_set(err, ERR_SYSTEM, -ENOMEM, "begin seccomp filter");
	/* the caller decides about no_new_privs; docker leaves it off */
	r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_NNP, 0);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, r, "configure seccomp filter: %s", strerror(-r));
	/* a binary tree instead of a list: before libseccomp 2.5 there is none, which is slower and no more */
	(void)seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	r = add_arches(ctx, profile, &newer, err);
	for (size_t i = 0; r == 0 && i < profile->n_rules; i++) {
		if (profile->rules[i].action != profile->default_action)
			r = add_rule(ctx, &profile->rules[i], &newer, err);
	}
	if (r < 0)
		return r;
	if (profile->default_action == SECCOMP_RET_ALLOW)
		newer.last = 0;
	return export_program(ctx, &newer, ret, ret_len, err);
}

static int compile_text(const char *start, const char *end, const struct seccomp_target *target,
			struct sock_filter **ret, size_t *ret_len, struct err *err)
{
	AUTO(seccomp_profile) profile = { 0 };
	int r = seccomp_profile_decode(start, (size_t)(end - start), target, &profile, err);

	return r < 0 ? r : compile(&profile, ret, ret_len, err);
}

static int compile_defaults(const struct seccomp_target *target, struct seccomp_filters *ret,
			    size_t *ret_len, struct err *err)
{
	AUTO_FREE struct sock_filter *tty_bpf = NULL, *policy_bpf = NULL;
	struct seccomp_filter tty, policy;
	int r = compile_text(seccomp_data_tty_start, seccomp_data_tty_end, target, &tty_bpf,
			     &tty.len_bytes, err);

	if (r < 0)
		return r;
	r = compile_text(seccomp_data_default_start, seccomp_data_default_end, target, &policy_bpf,
			 &policy.len_bytes, err);
	if (r < 0)
		return r;
	tty.bpf = tty_bpf;
	policy.bpf = policy_bpf;
	return seccomp_image_make(&tty, &policy, ret, ret_len, err);
}

/* Everything that the compiled filters depend on. */
static void cache_name(const struct seccomp_target *target, char name[static CACHE_NAME_MAX])
{
	const struct scmp_version *lib = seccomp_version();
	uint64_t hash =
		seccomp_image_hash(COMPILER_VERSION, seccomp_data_default_start,
				   (size_t)(seccomp_data_default_end - seccomp_data_default_start));

	hash = seccomp_image_hash(hash, seccomp_data_tty_start,
				  (size_t)(seccomp_data_tty_end - seccomp_data_tty_start));
	(void)snprintf(name, CACHE_NAME_MAX, "%016" PRIx64 "-%s-%" PRIx64 "-%u.%u-%u.%u.%u.bpf",
		       hash, target->arch, target->caps, target->kernel_major, target->kernel_minor,
		       lib->major, lib->minor, lib->micro);
}

static int read_kernel_version(struct seccomp_target *target, struct err *err)
{
	struct utsname uts;

	if (uname(&uts) < 0)
		return err_sys(err, ERR_SYSTEM, "uname");
	if (sscanf(uts.release, "%3u.%3u", &target->kernel_major, &target->kernel_minor) != 2)
		return err_set(err, ERR_SYSTEM, -EINVAL, "kernel release %s is no version",
			       uts.release);
	return 0;
}

int seccomp_default_filters(const char *cache_dir, uint64_t bounding_caps,
			    struct seccomp_filters *ret, struct err *err)
{
	struct seccomp_target target = {
		.caps = bounding_caps,
		.arch = NATIVE_ARCH,
		.scmp_arch = NATIVE_SCMP_ARCH,
	};
	struct err store_err;
	char name[CACHE_NAME_MAX];
	size_t len;
	int r = read_kernel_version(&target, err);

	if (r < 0)
		return r;
	cache_name(&target, name);
	if (cache_dir) {
		r = seccomp_image_load(cache_dir, name, ret);
		if (r == 0)
			return 0;
		log_debug("seccomp filters are not in the cache: %s", strerror(-r));
	}
	r = compile_defaults(&target, ret, &len, err);
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

	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
		return err_sys(err, ERR_SYSTEM, "install the %s seccomp filter", what);
	return 0;
}

int seccomp_install(const struct seccomp_filters *filters, struct err *err)
{
	int r = install_one(&filters->tty, "terminal", err);

	return r < 0 ? r : install_one(&filters->policy, "default", err);
}
