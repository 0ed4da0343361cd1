/* SPDX-License-Identifier: MIT */
/* A session with a PID 1 that a test plays. */
#ifndef TESTS_UNIT_FAKE_SYSTEMD_H
#define TESTS_UNIT_FAKE_SYSTEMD_H

#include "base/deadline.h"
#include "runtime/systemd_session.h"
#include "tests/unit/fake_peer.h"

struct fake_systemd {
	struct systemd session;
	struct fake_peer peer;
};

/* fake_systemd_start() - @answer is called in the child for each call, @n of them having been answered before */
typedef void (*fake_answer_fn)(int fd, struct fake_call *call, unsigned n);
void fake_systemd_start(struct fake_systemd *f, unsigned version, fake_answer_fn answer);
void fake_systemd_end(struct fake_systemd *f);

usec_t in_ms(unsigned ms);

/* For answers: a reply that is one variant, and PropertiesChanged of a unit. */
void answer_text(int fd, const struct fake_call *call, const char *text);
void answer_number(int fd, const struct fake_call *call, char type, uint64_t number);
void answer_path(int fd, const struct fake_call *call, const char *path);
void put_text_property(struct bus_writer *w, const char *name, const char *text);
void put_number_property(struct bus_writer *w, const char *name, char type, uint64_t number);
void signal_job_removed(int fd, uint32_t id, const char *unit, const char *result);
/* @kind: "Unit" or "Service"; @put writes the properties */
void signal_changed(int fd, const char *path, const char *kind, void (*put)(struct bus_writer *w));
void answer_properties(int fd, const struct fake_call *call, void (*put)(struct bus_writer *w));

#endif
