/*
 * Counts what the addon's objects call of the world outside them. addon.js links the objects of the release build once more,
 * each import `f` through a __wrap_f made here (ld --wrap), and writes the list of all imports, which is included below. What
 * is counted is thus what the compiler really left in the addon, and nothing can be called past it.
 *
 * The counters lie in the file that $FANLINE_COUNTS names, mapped, so that anybody can read them at any time: one row for
 * JavaScript's thread, one for the loop's, each with the totals of enum total and then one number for each import in order.
 *
 * Every import is wrapped with one signature: up to eight arguments of general registers go in, one comes out, and floating-point
 * registers are left alone. That holds for all of them in the ABIs of x86-64 and AArch64; no import takes more.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum total { CROSSINGS, COPIED_BYTES, ALLOCATED_BYTES, ASLEEP, HEARD, TOTALS };

#define COUNTED(name) AT_##name,
#define COPIES(name, size) AT_##name,
#define ALLOCATES(name, size) AT_##name,
#define READS_TEXT(name) AT_##name,
#define ENTERS(name) AT_##name,
#define WAITS(name) AT_##name,
#define HEARS(name) AT_##name,
enum import {
  BEFORE_FIRST = TOTALS - 1,
#include "imports.h"
  CELLS
};
#undef COUNTED
#undef COPIES
#undef ALLOCATES
#undef READS_TEXT
#undef ENTERS
#undef WAITS
#undef HEARS

typedef uint64_t row[CELLS];

static row nowhere[2];
static row *rows = nowhere;
static __thread row *own __attribute__((tls_model("initial-exec")));

__attribute__((constructor)) static void open_counts(void) {
  const char *path = getenv("FANLINE_COUNTS");
  if (!path) return;
  int fd = open(path, O_RDWR | O_CLOEXEC);
  void *found = MAP_FAILED;
  if (fd >= 0 && ftruncate(fd, sizeof nowhere) == 0)
    found = mmap(NULL, sizeof nowhere, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (found == MAP_FAILED) abort();
  rows = found;
  close(fd);
}

#define INTEGERS __attribute__((target("general-regs-only")))

INTEGERS static void add(int cell, uint64_t number) {
  if (!own) own = &rows[syscall(SYS_gettid) != getpid()];
  __atomic_fetch_add(&(*own)[cell], number, __ATOMIC_RELAXED);
}

INTEGERS static void set(int cell, uint64_t number) {
  __atomic_store_n(&(*own)[cell], number, __ATOMIC_SEQ_CST);
}

/* What is smaller is no payload of the scenarios: names, and structures, for which some compilers call memcpy. */
#define PAYLOAD 1000

INTEGERS static void copy(uint64_t size) {
  if (size >= PAYLOAD) add(COPIED_BYTES, size);
}

#define TAKEN long a, long b, long c, long d, long e, long f, long g, long h
#define PASSED a, b, c, d, e, f, g, h
#define WRAP(name, before, after)                                                                  \
  long __real_##name(TAKEN);                                                                       \
  long __wrap_##name(TAKEN);                                                                       \
  INTEGERS long __wrap_##name(TAKEN) {                                                             \
    add(AT_##name, 1);                                                                             \
    before;                                                                                        \
    long result = __real_##name(PASSED);                                                           \
    after;                                                                                         \
    return result;                                                                                 \
  }

#define COUNTED(name) WRAP(name, (void)0, (void)0)
#define COPIES(name, size) WRAP(name, copy((uint64_t)(size)), (void)0)
#define ALLOCATES(name, size) WRAP(name, add(ALLOCATED_BYTES, (uint64_t)(size)), (void)0)
/* (env, value, buffer, buffer_size, &size): without a buffer it only measures the text. */
#define READS_TEXT(name) WRAP(name, (void)0, if (c) copy(e ? *(size_t *)(uintptr_t)e : (size_t)d))
/* (env, info, &count, arguments, &this, &data): node-addon-api asks once with `this` in each call from JavaScript, and again for more
 * than six arguments. */
#define ENTERS(name) WRAP(name, if (e) add(CROSSINGS, 1), (void)0)
/* (epoll, events, max, timeout_ms): who gives no time is not asleep. */
#define WAITS(name) WRAP(name, set(ASLEEP, (int)d != 0), set(ASLEEP, 0))
/* (fd, &times, 8): an eventfd says how many wake-ups there were. */
#define HEARS(name) WRAP(name, (void)0, if (result == 8) add(HEARD, *(uint64_t *)(uintptr_t)b))
#include "imports.h"
