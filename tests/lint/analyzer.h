/* SPDX-License-Identifier: MIT */
/* For clang-tidy alone: what err_*() return is told in macros, since an analyzer that sees one file at a time cannot know it. */
#ifndef TESTS_LINT_ANALYZER_H
#define TESTS_LINT_ANALYZER_H

#include <errno.h>

#include "base/err.h"

#define err_set(err, kind, code, ...) ((void)(err), (void)(kind), (code) < 0 ? (code) : -EINVAL)
#define err_sys(err, kind, ...) ((void)(err), (void)(kind), -EIO)
#define err_oom(err) ((void)(err), -ENOMEM)
#define err_prefix(err, r, ...) ((void)(err), (r))

#endif
