// SPDX-License-Identifier: MIT
/* Which devices a container may open (see device_filter.h). CAP_MKNOD is among docker's capabilities, so without this a root process
 * inside could make a node of the host's disk and read it. */
#include "runtime/device_filter.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

#define ANY_MINOR (-1)

/* Character devices open to a container (docker's and runc's defaults). */
static const struct {
	int major, minor;
} allowed[] = {
	{ 1, 3 }, /* null */
	{ 1, 5 }, /* zero */
	{ 1, 7 }, /* full */
	{ 1, 8 }, /* random */
	{ 1, 9 }, /* urandom */
	{ 5, 0 }, /* tty */
	{ 5, 1 }, /* console */
	{ 5, 2 }, /* ptmx */
	{ 136, ANY_MINOR }, /* pts/N */
	{ 10, 200 }, /* net/tun */
};

#define HEAD_LEN 10
#define RULE_LEN 4
#define TAIL_LEN 2
#define PROGRAM_MAX (HEAD_LEN + RULE_LEN * ARRAY_SIZE(allowed) + TAIL_LEN)

static struct bpf_insn load(unsigned int dst, size_t offset)
{
	return (struct bpf_insn){ .code = BPF_LDX | BPF_MEM | BPF_W,
				  .dst_reg = dst & 0xf,
				  .src_reg = BPF_REG_1,
				  .off = (int16_t)offset };
}

static struct bpf_insn with_imm(unsigned int code, unsigned int dst, int off, int imm)
{
	return (struct bpf_insn){
		.code = (uint8_t)code, .dst_reg = dst & 0xf, .off = (int16_t)off, .imm = imm
	};
}

static struct bpf_insn jump_unless_equal(unsigned int reg, int imm, int skip)
{
	return with_imm(BPF_JMP | BPF_JNE | BPF_K, reg, skip, imm);
}

static struct bpf_insn set_result(int allow)
{
	return with_imm(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, allow);
}

static size_t build(struct bpf_insn *p)
{
	const struct bpf_insn leave = { .code = BPF_JMP | BPF_EXIT };
	size_t n = 0;

	/* access_type: device type in the low half, what is wanted in the high half. */
	p[n++] = load(BPF_REG_2, offsetof(struct bpf_cgroup_dev_ctx, access_type));
	p[n++] = load(BPF_REG_4, offsetof(struct bpf_cgroup_dev_ctx, major));
	p[n++] = load(BPF_REG_5, offsetof(struct bpf_cgroup_dev_ctx, minor));
	p[n++] = (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_X,
				    .dst_reg = BPF_REG_3,
				    .src_reg = BPF_REG_2 };
	p[n++] = with_imm(BPF_ALU64 | BPF_RSH | BPF_K, BPF_REG_3, 0, 16);
	/* Making a node alone is harmless while it cannot be opened. */
	p[n++] = jump_unless_equal(BPF_REG_3, BPF_DEVCG_ACC_MKNOD, 2);
	p[n++] = set_result(1);
	p[n++] = leave;
	p[n++] = with_imm(BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_2, 0, 0xffff);
	p[n++] = jump_unless_equal(BPF_REG_2, BPF_DEVCG_DEV_CHAR,
				   RULE_LEN * (int)ARRAY_SIZE(allowed));
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++) {
		p[n++] = jump_unless_equal(BPF_REG_4, allowed[i].major, 3);
		p[n++] = allowed[i].minor == ANY_MINOR ?
				 with_imm(BPF_JMP | BPF_JA, 0, 0, 0) :
				 jump_unless_equal(BPF_REG_5, allowed[i].minor, 2);
		p[n++] = set_result(1);
		p[n++] = leave;
	}
	p[n++] = set_result(0);
	p[n++] = leave;
	return n;
}

static int bpf(int cmd, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

int device_filter_attach(int cgroup_fd, struct err *err)
{
	struct bpf_insn program[PROGRAM_MAX];
	union bpf_attr load_attr = { 0 }, attach_attr = { 0 };
	AUTO_CLOSE int prog_fd = -EBADF;

	load_attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	load_attr.insn_cnt = (uint32_t)build(program);
	load_attr.insns = (uint64_t)(uintptr_t)program;
	load_attr.license = (uint64_t)(uintptr_t) "MIT";
	prog_fd = bpf(BPF_PROG_LOAD, &load_attr);
	if (prog_fd < 0)
		return err_sys(err, ERR_SYSTEM, "load the device filter");
	/* What an enclosing cgroup forbids stays forbidden. The cgroup holds the program from here on. */
	attach_attr.target_fd = (uint32_t)cgroup_fd;
	attach_attr.attach_bpf_fd = (uint32_t)prog_fd;
	attach_attr.attach_type = BPF_CGROUP_DEVICE;
	attach_attr.attach_flags = BPF_F_ALLOW_MULTI;
	if (bpf(BPF_PROG_ATTACH, &attach_attr) < 0)
		return err_sys(err, ERR_SYSTEM, "attach the device filter");
	return 0;
}
