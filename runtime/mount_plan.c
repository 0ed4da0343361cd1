// SPDX-License-Identifier: MIT
/* The file systems of a container as an ordered list of operations (see mount_plan.h). */
#include "runtime/mount_plan.h"

#include <errno.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strv.h"
#include "runtime/boot_spec.h"

#define NOSUID MOUNT_ATTR_NOSUID
#define NODEV MOUNT_ATTR_NODEV
#define NOEXEC MOUNT_ATTR_NOEXEC
#define RDONLY MOUNT_ATTR_RDONLY

/* runtime-spec config-linux.md "Default Filesystems" and docker's mount options. /dev comes before what lies in it. */
static const struct mount_op kernel_mounts[] = {
	{ MOUNT_FS, "proc", "/proc", NULL, NOSUID | NODEV | NOEXEC, 0, 0, 0, false },
	{ MOUNT_FS, "tmpfs", "/dev", "mode=755,size=65536k", NOSUID | MOUNT_ATTR_STRICTATIME, 0, 0,
	  0, false },
	{ MOUNT_FS, "devpts", "/dev/pts", "newinstance,ptmxmode=0666,mode=0620,gid=5",
	  NOSUID | NOEXEC, 0, 0, 0, false },
	{ MOUNT_FS, "mqueue", "/dev/mqueue", NULL, NOSUID | NODEV | NOEXEC, 0, 0, 0, false },
};
static const struct mount_op sysfs[] = {
	{ MOUNT_FS, "sysfs", "/sys", NULL, NOSUID | NODEV | NOEXEC | RDONLY, 0, 0, 0, false },
};

/* A sysfs shows the devices of a network namespace, and only who owns that may mount one. On the host's network in a user namespace of its own
 * a container gets the host's, all but fs, power and firmware. */
static const struct mount_op host_sysfs[] = {
	{ MOUNT_FS, "tmpfs", "/sys", "mode=755", NOSUID | NODEV | NOEXEC, 0, 0, 0, false },
	{ MOUNT_BIND, "/sys/block", "/sys/block", NULL, NOSUID | NODEV | NOEXEC, 0, 0, 0, false },
	{ MOUNT_BIND, "/sys/bus", "/sys/bus", NULL, NOSUID | NODEV | NOEXEC, 0, 0, 0, false },
	{ MOUNT_BIND, "/sys/class", "/sys/class", NULL, NOSUID | NODEV | NOEXEC, 0, 0, 0, false },
	{ MOUNT_BIND, "/sys/dev", "/sys/dev", NULL, NOSUID | NODEV | NOEXEC, 0, 0, 0, false },
	{ MOUNT_BIND, "/sys/devices", "/sys/devices", NULL, NOSUID | NODEV | NOEXEC, 0, 0, 0,
	  false },
	{ MOUNT_BIND, "/sys/kernel", "/sys/kernel", NULL, NOSUID | NODEV | NOEXEC, 0, 0, 0, false },
	{ MOUNT_DIRECTORY, NULL, "/sys/fs/cgroup", NULL, 0, 0, 0, 0, false },
	{ MOUNT_READONLY, NULL, "/sys", NULL, 0, 0, 0, 0, false },
};

static const struct mount_op cgroup_mounts[] = {
	{ MOUNT_FS, "cgroup2", "/sys/fs/cgroup", NULL, NOSUID | NODEV | NOEXEC | RDONLY, 0, 0, 0,
	  false },
};

/* A machine has its own /run and /tmp, as its init would mount them, and may order its own cgroup subtree (systemd, CONTAINER_INTERFACE.md). */
static const struct mount_op machine_mounts[] = {
	{ MOUNT_FS, "cgroup2", "/sys/fs/cgroup", NULL, NOSUID | NODEV | NOEXEC, 0, 0, 0, false },
	{ MOUNT_FS, "tmpfs", "/run", "mode=755", NOSUID | NODEV, 0, 0, 0, false },
	{ MOUNT_FS, "tmpfs", "/tmp", "mode=1777", NOSUID | NODEV, 0, 0, 0, false },
};

/* runtime-spec config-linux.md "Default Devices" (ptmx is a link into the own devpts). */
static const struct mount_op devices[] = {
	{ MOUNT_DEVICE, NULL, "/dev/null", NULL, 0, 1, 3, 0666, false },
	{ MOUNT_DEVICE, NULL, "/dev/zero", NULL, 0, 1, 5, 0666, false },
	{ MOUNT_DEVICE, NULL, "/dev/full", NULL, 0, 1, 7, 0666, false },
	{ MOUNT_DEVICE, NULL, "/dev/random", NULL, 0, 1, 8, 0666, false },
	{ MOUNT_DEVICE, NULL, "/dev/urandom", NULL, 0, 1, 9, 0666, false },
	{ MOUNT_DEVICE, NULL, "/dev/tty", NULL, 0, 5, 0, 0666, false },
};

/* runtime-linux.md "Dev symbolic links". */
static const struct mount_op links[] = {
	{ MOUNT_SYMLINK, "pts/ptmx", "/dev/ptmx", NULL, 0, 0, 0, 0, false },
	{ MOUNT_SYMLINK, "/proc/self/fd", "/dev/fd", NULL, 0, 0, 0, 0, false },
	{ MOUNT_SYMLINK, "/proc/self/fd/0", "/dev/stdin", NULL, 0, 0, 0, 0, false },
	{ MOUNT_SYMLINK, "/proc/self/fd/1", "/dev/stdout", NULL, 0, 0, 0, 0, false },
	{ MOUNT_SYMLINK, "/proc/self/fd/2", "/dev/stderr", NULL, 0, 0, 0, 0, false },
	{ MOUNT_SYMLINK, "/proc/kcore", "/dev/core", NULL, 0, 0, 0, 0, false },
};

static int add(struct mount_plan *plan, const struct mount_op *ops, size_t n)
{
	struct mount_op *grown = reallocarray(plan->ops, plan->n + n, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	memcpy(grown + plan->n, ops, n * sizeof(*ops));
	plan->ops = grown;
	plan->n += n;
	return 0;
}

static int add_shm(struct mount_plan *plan, const struct container_spec *spec)
{
	struct mount_op op = { .kind = MOUNT_FS,
			       .source = "tmpfs",
			       .target = "/dev/shm",
			       .attrs = NOSUID | NODEV | NOEXEC };
	char *data = NULL;
	int r;

	if (asprintf(&data, "mode=1777,size=%llu", (unsigned long long)spec->shm_size) < 0)
		return -ENOMEM;
	r = strv_take(&plan->strings, data);
	if (r < 0)
		return r;
	op.data = data;
	return add(plan, &op, 1);
}

/* Each boot has an ID of its own: journald tells boots apart by it. */
static int add_machine(struct mount_plan *plan, const struct boot_spec *boot)
{
	int r = add(plan, machine_mounts, ARRAY_SIZE(machine_mounts));

	if (r < 0)
		return r;
	return add(plan,
		   &(struct mount_op){ .kind = MOUNT_FILE,
				       .target = "/proc/sys/kernel/random/boot_id",
				       .data = boot->boot_id,
				       .attrs = RDONLY | NOSUID | NODEV | NOEXEC },
		   1);
}

static size_t depth(const char *path)
{
	size_t n = 0;

	for (; *path; path++)
		if (*path == '/' && path[1] && path[1] != '/')
			n++;
	return n;
}

/* Shallow targets first, else in the order given, as docker does: -v X:/a/b -v Y:/a must not hide /a/b. */
static void sort_binds(struct mount_op *ops, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct mount_op op = ops[i];
		size_t at = i;

		for (; at > 0 && depth(ops[at - 1].target) > depth(op.target); at--)
			ops[at] = ops[at - 1];
		ops[at] = op;
	}
}

static int add_user_mounts(struct mount_plan *plan, const struct container_spec *spec, bool nodev)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < spec->n_files; i++)
		r = add(plan,
			&(struct mount_op){ .kind = spec->files[i].in_root ? MOUNT_WRITE :
									     MOUNT_FILE,
					    .target = spec->files[i].target,
					    .data = spec->files[i].text,
					    .attrs = spec->readonly_rootfs ? RDONLY : 0 },
			1);
	for (size_t i = 0; r == 0 && i < spec->n_binds; i++) {
		const struct bind_spec *b = &spec->binds[i];
		r = add(plan,
			&(struct mount_op){ .kind = MOUNT_BIND,
					    .source = b->source,
					    .target = b->target,
					    .attrs = (b->readonly ? RDONLY : 0U) |
						     (nodev ? NODEV : 0U) },
			1);
	}
	if (r == 0)
		sort_binds(plan->ops + plan->n - spec->n_binds, spec->n_binds);
	return r;
}

static int add_paths(struct mount_plan *plan, enum mount_kind kind, char *const *paths)
{
	int r = 0;

	for (; r == 0 && paths && *paths; paths++)
		r = add(plan,
			&(struct mount_op){ .kind = kind, .target = *paths, .optional = true }, 1);
	return r;
}

static int build(const struct container_spec *spec, bool nodev, struct mount_plan *plan)
{
	static const struct mount_op console = { .kind = MOUNT_CONSOLE,
						 .source = "/dev/pts",
						 .target = "/dev/console" };
	static const struct mount_op readonly_root = { .kind = MOUNT_READONLY, .target = "/" };
	const char *workdir = spec->boot ? spec->boot->command.workdir : spec->workdir;
	int r;

	r = add(plan, kernel_mounts, ARRAY_SIZE(kernel_mounts));
	if (r == 0)
		r = add_shm(plan, spec);
	if (r == 0)
		r = add(plan, devices, ARRAY_SIZE(devices));
	if (r == 0)
		r = add(plan, links, ARRAY_SIZE(links));
	if (r == 0 && (spec->tty || spec->boot))
		r = add(plan, &console, 1);
	if (r == 0)
		r = spec->userns && spec->namespaces[NS_NET] == NAMESPACE_HOST ?
			    add(plan, host_sysfs, ARRAY_SIZE(host_sysfs)) :
			    add(plan, sysfs, ARRAY_SIZE(sysfs));
	if (r == 0)
		r = spec->boot ? add_machine(plan, spec->boot) :
				 add(plan, cgroup_mounts, ARRAY_SIZE(cgroup_mounts));
	if (r == 0)
		r = add_user_mounts(plan, spec, nodev);
	if (r == 0 && workdir && *workdir)
		r = add(plan, &(struct mount_op){ .kind = MOUNT_DIRECTORY, .target = workdir }, 1);
	if (r == 0)
		r = add_paths(plan, MOUNT_MASK, spec->masked_paths);
	if (r == 0)
		r = add_paths(plan, MOUNT_READONLY, spec->readonly_paths);
	/* Last, since mount points may still have to be made in it. */
	if (r == 0 && spec->readonly_rootfs)
		r = add(plan, &readonly_root, 1);
	return r;
}

int mount_plan_build(const struct container_spec *spec, bool nodev, struct mount_plan *ret)
{
	struct mount_plan plan = { 0 };
	int r = build(spec, nodev, &plan);

	if (r < 0) {
		mount_plan_done(&plan);
		return r;
	}
	*ret = plan;
	return 0;
}

void mount_plan_done(struct mount_plan *plan)
{
	free(plan->ops);
	strv_free(plan->strings);
	*plan = (struct mount_plan){ 0 };
}

static int print_attrs(uint64_t attrs, struct strbuf *out)
{
	static const struct {
		uint64_t bit;
		const char *name;
	} names[] = {
		{ RDONLY, "ro" },
		{ NOSUID, "nosuid" },
		{ NODEV, "nodev" },
		{ NOEXEC, "noexec" },
		{ MOUNT_ATTR_STRICTATIME, "strictatime" },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(names); i++)
		if (attrs & names[i].bit)
			r = strbuf_addf(out, " %s", names[i].name);
	return r;
}

int mount_plan_print(const struct mount_plan *plan, struct strbuf *out)
{
	static const char *const kinds[] = { "mount",  "bind",	  "file",    "write", "directory",
					     "device", "symlink", "console", "mask",  "readonly" };

	for (size_t i = 0; i < plan->n; i++) {
		const struct mount_op *op = &plan->ops[i];
		int r = strbuf_addf(out, "%s %s", kinds[op->kind], op->target);
		if (r == 0 && op->kind == MOUNT_DEVICE)
			r = strbuf_addf(out, " %u:%u %03o", op->major, op->minor, op->mode);
		if (r == 0 && op->source)
			r = strbuf_addf(out, " %s", op->source);
		if (r == 0 && op->kind == MOUNT_FS && op->data)
			r = strbuf_addf(out, " %s", op->data);
		if (r == 0)
			r = print_attrs(op->attrs, out);
		if (r == 0)
			r = strbuf_addc(out, '\n');
		if (r < 0)
			return r;
	}
	return 0;
}
