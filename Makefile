# SPDX-License-Identifier: MIT
# make: build/racker and build/postroj. make demo, make test: see README.md.
CC ?= cc
BUILD ?= build
PKGS = libarchive yajl libseccomp libcap libzstd zlib

WARNINGS = -Wall -Wextra -Werror -Wconversion -Wsign-conversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wformat=2 -Wvla -Wimplicit-fallthrough
CFLAGS ?= -O2 -g
RCFLAGS = -std=gnu17 -D_GNU_SOURCE -I. $(WARNINGS) -fstack-protector-strong -fPIE -ffunction-sections -fdata-sections
ifdef DEBUG
RCFLAGS += -fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined
LDSAN = -fsanitize=address,undefined
else
RCFLAGS += -D_FORTIFY_SOURCE=2
endif

SRC := $(sort $(wildcard base/*.c oci/*.c registry/*.c runtime/*.c provision/*.c cmd/*.c))
MAIN := cmd/racker.c
LIBSRC := $(filter-out $(MAIN),$(SRC))
OBJ := $(SRC:%.c=$(BUILD)/obj/%.o)
LIBOBJ := $(LIBSRC:%.c=$(BUILD)/obj/%.o)

LDFLAGS_ALL = $(LDSAN) -pie -Wl,-z,relro,-z,now -Wl,--gc-sections -Wl,--as-needed
LIBS = -Wl,-Bstatic -larchive -lyajl_s -lseccomp -lcap -lzstd -lz -Wl,-Bdynamic

all: $(BUILD)/racker $(BUILD)/postroj

$(BUILD)/racker: $(OBJ)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

$(BUILD)/postroj: $(BUILD)/racker
	ln -f $< $@

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(RCFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

-include $(OBJ:.o=.d)

.PHONY: all
