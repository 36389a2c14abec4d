# The C part without Node.
#   make            compile every object of core and io
#   make test       test/c/test_*.c with the core, under ASan and UBSan
#   make fuzz       test/c/fuzz_hub.c for FUZZ_SECONDS, beside whatever else is going on
#   make test-io    test/c/io_*.c with core and io, under TSan, once per poll backend
#   make clean
# A file dropped into a folder is registered. test/c/support/io_*.c is linked to the io tests only.

OUT := build/c
WARN := -Wall -Wextra -Wshadow -Wpointer-arith -Wstrict-prototypes -Wold-style-definition -Wvla \
        -Wundef -Wformat=2 -Wwrite-strings -Werror
CPPFLAGS += -Isrc -Itest/c -Itest/c/support -MMD -MP
CFLAGS_ALL := -std=c11 $(WARN) -g -fno-omit-frame-pointer -fvisibility=hidden -pthread $(CFLAGS)

BACKENDS := $(if $(filter Linux,$(shell uname -s)),epoll poll,poll)
DEFAULT_BACKEND := $(firstword $(BACKENDS))

CORE := $(wildcard src/core/*.c)
IO := $(filter-out src/io/poll_epoll.c src/io/poll_poll.c,$(wildcard src/io/*.c))
SUPPORT_IO := $(wildcard test/c/support/io_*.c)
SUPPORT := $(filter-out $(SUPPORT_IO),$(wildcard test/c/support/*.c))
TESTS := $(patsubst test/c/%.c,%,$(wildcard test/c/test_*.c))
IO_TESTS := $(patsubst test/c/%.c,%,$(wildcard test/c/io_*.c))

# One variant is one directory: the same sources under other flags.
FLAGS_plain := -O2
FLAGS_asan := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all
FLAGS_tsan-epoll := -O1 -fsanitize=thread
FLAGS_tsan-poll := -O1 -fsanitize=thread -DFAN_POLL_PORTABLE
objects = $(patsubst %.c,$(OUT)/$(1)/%.o,$(2))
io_sources = $(IO) $(wildcard src/io/poll_$(1).c)

PLAIN := $(call objects,plain,$(CORE) $(call io_sources,$(DEFAULT_BACKEND)))
ASAN_OBJECTS := $(call objects,asan,$(CORE) $(SUPPORT))
TEST_PROGRAMS := $(TESTS:%=$(OUT)/asan/%)
io_programs = $(IO_TESTS:%=$(OUT)/tsan-$(1)/%)
IO_PROGRAMS := $(foreach b,$(BACKENDS),$(call io_programs,$(b)))

FUZZ := $(OUT)/asan/fuzz_hub
FUZZ_SECONDS ?= 60

.PHONY: all test fuzz test-io clean
.SECONDARY:

all: $(PLAIN)

test: $(TEST_PROGRAMS)
	@sh scripts/run-c-tests.sh $(TEST_PROGRAMS)

fuzz: $(FUZZ)
	@nice -n 19 $(FUZZ) $(FUZZ_SECONDS)

# The probe runs first: where the kernel cannot run TSan, nothing is compiled in vain.
test-io:
	@CC="$(CC)" OUT=$(OUT) sh scripts/tsan-probe.sh || { test $$? = 3 && exit 0; exit 1; }; \
	$(MAKE) --no-print-directory $(OUT)/io.done

.PHONY: $(OUT)/io.done
$(OUT)/io.done: $(IO_PROGRAMS)
	@sh scripts/run-c-tests.sh --prefix "$$(cat $(OUT)/tsan-prefix)" $(IO_PROGRAMS)

define variant
$(OUT)/$(1)/%.o: %.c Makefile
	@mkdir -p $$(@D)
	$$(if $$(V),,@echo "  CC [$(1)] $$<" &&) $$(CC) $$(CPPFLAGS) $$(CFLAGS_ALL) $$(FLAGS_$(1)) -c -o $$@ $$<
endef
$(foreach v,plain asan tsan-epoll tsan-poll,$(eval $(call variant,$(v))))

$(TEST_PROGRAMS): $(OUT)/asan/%: $(OUT)/asan/test/c/%.o $(ASAN_OBJECTS)
	@$(CC) $(FLAGS_asan) -pthread -o $@ $^

$(OUT)/asan/test/c/fuzz_hub.o: CPPFLAGS += -DFAN_FUZZ_MAIN
$(FUZZ): $(OUT)/asan/test/c/fuzz_hub.o $(ASAN_OBJECTS)
	@$(CC) $(FLAGS_asan) -pthread -o $@ $^

define io_link
$(call io_programs,$(1)): $(OUT)/tsan-$(1)/%: $(OUT)/tsan-$(1)/test/c/%.o \
    $(call objects,tsan-$(1),$(CORE) $(call io_sources,$(1)) $(SUPPORT) $(SUPPORT_IO))
	@$$(CC) $$(FLAGS_tsan-$(1)) -pthread -o $$@ $$^
endef
$(foreach b,$(BACKENDS),$(eval $(call io_link,$(b))))

clean:
	rm -rf $(OUT)

-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
