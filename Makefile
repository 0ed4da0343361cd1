# SPDX-License-Identifier: MIT
# make: build/racker and build/postroj. make demo, make test: see README.md. The other targets: make help.
CC ?= cc
CLANG ?= clang
PREFIX ?= /usr/local
CFLAGS ?= -O2 -g
FUZZ_SECONDS ?= 60

# One job a processor unless the caller says otherwise.
ifeq ($(MAKELEVEL),0)
ifeq ($(filter -j% --jobs%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(shell nproc)
endif
endif
MAKEFLAGS += --no-builtin-rules

ifdef DEBUG
BUILD ?= build-asan
else
BUILD ?= build
endif

WARNINGS = -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wformat=2 -Wvla -Wimplicit-fallthrough
BASE_CFLAGS = -std=gnu17 -D_GNU_SOURCE -I. $(WARNINGS) -fstack-protector-strong -fPIE \
	-ffunction-sections -fdata-sections
SAN = -fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined
HARDEN = -D_FORTIFY_SOURCE=2
LDFLAGS_ALL = -pie -Wl,-z,relro,-z,now -Wl,--gc-sections -Wl,--as-needed $(LDFLAGS)

MAIN := cmd/racker.c
SRC := $(sort $(wildcard base/*.c oci/*.c registry/*.c runtime/*.c provision/*.c cmd/*.c))
LIBSRC := $(filter-out $(MAIN),$(SRC))
DATA := $(wildcard config/*.json)
# Objects that carry config/*.json inside (.incbin): the compiler's dependency files do not know it.
INCBIN := $(if $(SRC),$(shell grep -lsE 'incbin|INCBIN' $(SRC)))
UNIT := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
UNIT_HELPERS := $(filter-out $(UNIT:%=tests/unit/%.c),$(wildcard tests/unit/*.c))
FUZZ := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))

all: $(BUILD)/racker $(BUILD)/postroj

# LIBS: which libraries are linked statically, asked of the linker once.
LIBS_MK = build/libs.mk
NEED_LIBS := $(filter-out demo test check unit integration bench deps format clean help,$(or $(MAKECMDGOALS),all))
ifneq ($(NEED_LIBS),)
-include $(LIBS_MK)
endif
$(LIBS_MK): mk/probe-libs
	@mkdir -p $(@D)
	@CC="$(CC)" mk/probe-libs > $@.tmp && mv $@.tmp $@

# Short lines unless V=1.
ifdef V
say =
else
say = @echo '  $(1) $@';
MAKEFLAGS += --no-print-directory
endif

# The stub is the last program between racker and a container's command, copied into each container: small and static, best with musl.
STUB_CC ?= $(if $(shell command -v musl-gcc 2>/dev/null),musl-gcc,$(CC))
build/stub: runtime/stub/stub.c runtime/stub.h runtime/ctl.h base/err.h
	@mkdir -p $(@D)
	$(call say,CC)$(STUB_CC) -std=gnu17 -D_GNU_SOURCE -I. $(WARNINGS) -Os -static -s -o $@ $<

# variant: the whole tree compiled into a directory of its own; an object there is made anew when the flags change.
# $(1) directory, $(2) compiler, $(3) compiler flags, $(4) linker flags
define variant
$(1)/flags: FORCE
	@mkdir -p $(1)
	@printf '%s\n' '$(2) $(3) $(BASE_CFLAGS) $(CFLAGS)' | cmp -s - $$@ || \
		printf '%s\n' '$(2) $(3) $(BASE_CFLAGS) $(CFLAGS)' > $$@
$(1)/obj/%.o: %.c $(1)/flags
	@mkdir -p $$(@D)
	$$(call say,CC)$(2) $(BASE_CFLAGS) $(CFLAGS) $(3) -MMD -MP -c -o $$@ $$<
$(INCBIN:%.c=$(1)/obj/%.o): $(DATA)
$(1)/libracker.a: $(LIBSRC:%.c=$(1)/obj/%.o)
	@rm -f $$@
	$$(call say,AR)ar rcs $$@ $$^
$(1)/obj/runtime/stub.o: build/stub
$(1)/racker: $(SRC:%.c=$(1)/obj/%.o) $(LIBS_MK)
	$$(call say,LD)$(2) $(LDFLAGS_ALL) $(4) -o $$@ $$(filter %.o,$$^) $$(LIBS)
$(1)/postroj: $(1)/racker
	$$(call say,LN)ln -f $$< $$@
-include $(SRC:%.c=$(1)/obj/%.d)
endef

$(eval $(call variant,build,$(CC),$(HARDEN)))
$(eval $(call variant,build-asan,$(CC),$(SAN),$(SAN)))
$(eval $(call variant,build-fuzz,$(CLANG),-fsanitize=fuzzer-no-link $(SAN),$(SAN)))
# Stages fail on purpose: RACKER_FAULT=stage:errno (tests/integration/faults.bats).
$(eval $(call variant,build-fault,$(CC),$(HARDEN) -DRACKER_FAULT))
# Warnings are errors here, and only here: a user's newer compiler must not stop the build.
$(eval $(call variant,build/check-gcc,gcc,$(HARDEN) -Werror))
$(eval $(call variant,build/check-clang,$(CLANG),$(HARDEN) -Werror))

# Unit tests: one program a module, with the sanitizers.
UNIT_BIN := $(UNIT:%=build-asan/unit/%)
UNIT_HELPER_OBJ := $(UNIT_HELPERS:%.c=build-asan/obj/%.o)
unit-build: $(UNIT_BIN)
$(UNIT_BIN): build-asan/unit/%: build-asan/obj/tests/unit/%.o $(UNIT_HELPER_OBJ) build-asan/libracker.a $(LIBS_MK)
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(LDFLAGS_ALL) $(SAN) -o $@ $(filter %.o %.a,$^) -lcmocka $(LIBS)
-include $(UNIT:%=build-asan/obj/tests/unit/%.d)

# Fuzzers: clang's libFuzzer; each target has its seeds in tests/fuzz/corpus/NAME.
FUZZ_BIN := $(FUZZ:%=build-fuzz/fuzz/%)
fuzz-build: $(FUZZ_BIN)
$(FUZZ_BIN): build-fuzz/fuzz/%: build-fuzz/obj/tests/fuzz/%.o build-fuzz/libracker.a $(LIBS_MK)
	@mkdir -p $(@D)
	$(call say,LD)$(CLANG) -pie $(LDFLAGS) -fsanitize=fuzzer $(SAN) -o $@ $(filter %.o %.a,$^) $(LIBS)
-include $(FUZZ:%=build-fuzz/obj/tests/fuzz/%.d)

build/payload: $(wildcard tests/payload/*.[ch])
	@mkdir -p $(@D)
	$(call say,CC)$(CC) -std=gnu17 -D_GNU_SOURCE $(WARNINGS) -O2 -static -o $@ $(filter %.c,$^)

BENCH_BIN := build/bench/floor build/bench/measure
$(BENCH_BIN): build/bench/%: tests/bench/%.c
	@mkdir -p $(@D)
	$(call say,CC)$(CC) -std=gnu17 -D_GNU_SOURCE $(WARNINGS) -O2 -o $@ $<

# What the integration tests run.
fault-build: build-fault/racker
test-build: all build/payload fault-build unit-build fuzz-build
check-build: $(SRC:%.c=build/check-gcc/obj/%.o)
check-build-clang: $(SRC:%.c=build/check-clang/obj/%.o)
bench-build: all build/payload $(BENCH_BIN)

demo:
	@tests/setup demo
	@$(MAKE) --no-print-directory all
	@echo 'racker run --rm debian-bookworm cat /etc/os-release'
	@mk/as-root build/racker run --rm debian-bookworm cat /etc/os-release

test:
	@tests/setup test
	@tests/run

check:
	@tests/run lint
unit:
	@tests/run unit
integration:
	@tests/run integration
fuzz: fuzz-build
	@tests/fuzz/run $(FUZZ_SECONDS)
bench:
	@tests/setup bench
	@$(MAKE) --no-print-directory bench-build
	@mk/as-root tests/bench/run

deps:
	@tests/setup demo

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 755 build/racker $(DESTDIR)$(PREFIX)/bin/racker
	ln -f $(DESTDIR)$(PREFIX)/bin/racker $(DESTDIR)$(PREFIX)/bin/postroj
	install -m 644 doc/racker.1 $(DESTDIR)$(PREFIX)/share/man/man1/racker.1

format:
	clang-format -i $$(git ls-files '*.c' '*.h')

clean:
	rm -rf build build-asan build-fuzz build-fault

help:
	@echo 'all          build/racker and build/postroj (DEBUG=1: with sanitizers, in build-asan)'
	@echo 'demo         install what is needed, build, run a command in debian-bookworm'
	@echo 'test         install what is needed, run every test; the last line counts them'
	@echo 'check        style and static analysis: no root, no network'
	@echo 'unit         unit tests with sanitizers'
	@echo 'integration  tests of the program against a local registry: needs root'
	@echo 'fuzz         fuzzers, FUZZ_SECONDS=60 each'
	@echo 'bench        racker beside its peers: needs root'
	@echo 'deps         install what building and running needs'
	@echo 'install      into PREFIX=/usr/local, DESTDIR='
	@echo 'format       clang-format on every C file'
	@echo 'clean        remove the build directories'

FORCE:
.PHONY: all demo test check unit integration fuzz bench deps install format clean help FORCE \
	test-build unit-build fuzz-build fault-build check-build check-build-clang bench-build
.DELETE_ON_ERROR:
