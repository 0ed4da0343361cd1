// SPDX-License-Identifier: MIT
/* What of a machine's own boot is left out (see boot_profile.h). */
#include "runtime/boot_profile.h"
#include "base/strv.h"
#include <string.h>
void boot_profile_done(struct boot_profile *p)
{
	strv_free(p->masked_units);
	strv_free(p->masked_generators);
}
int boot_profile_load(const char *name, struct boot_profile *ret, struct err *err)
{
	static const char *m[] = { "dev-hugepages.mount",
				   "sys-kernel-debug.mount",
				   "sys-kernel-tracing.mount",
				   "sys-kernel-config.mount",
				   "sys-fs-fuse-connections.mount",
				   "proc-sys-fs-binfmt_misc.automount",
				   "proc-sys-fs-binfmt_misc.mount",
				   "modprobe@configfs.service",
				   "modprobe@drm.service",
				   "modprobe@efi_pstore.service",
				   "modprobe@fuse.service",
				   "modprobe@dm_mod.service",
				   "modprobe@loop.service",
				   "systemd-modules-load.service",
				   "kmod-static-nodes.service",
				   "e2scrub_reap.service",
				   "e2scrub_all.timer",
				   "apt-daily.timer",
				   "apt-daily-upgrade.timer",
				   "dpkg-db-backup.timer",
				   "fstrim.timer",
				   "systemd-update-utmp.service",
				   "systemd-update-utmp-runlevel.service",
				   "systemd-sysctl.service",
				   "systemd-udevd.service",
				   "systemd-udev-trigger.service",
				   "getty.target",
				   "console-getty.service",
				   "systemd-remount-fs.service",
				   "systemd-tmpfiles-setup-dev.service",
				   "systemd-tmpfiles-setup-dev-early.service",
				   "systemd-machine-id-commit.service",
				   "systemd-firstboot.service",
				   "systemd-hwdb-update.service",
				   "systemd-pstore.service",
				   "systemd-random-seed.service",
				   "systemd-journal-flush.service",
				   "systemd-journal-catalog-update.service",
				   "ldconfig.service",
				   "systemd-update-done.service",
				   "tmp.mount",
				   "run-lock.mount",
				   0 };
	(void)err;
	if (strcmp(name, "full"))
		for (int i = 0; m[i]; i++)
			(void)!strv_add(&ret->masked_units, m[i]);
	return 0;
}
