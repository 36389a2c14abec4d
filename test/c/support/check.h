#ifndef CHECK_H
#define CHECK_H
/*
 * The smallest test harness that tells what went wrong. A test is a function without arguments; a check
 * that does not hold fails the test and lets it go on. Each test runs on a counting allocator
 * (mem_fail.h) and fails if it leaves a block behind.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHECK(condition) check_true((condition), #condition, __FILE__, __LINE__)
#define CHECK_EQ(got, want)                                                                        \
  check_eq((uint64_t)(got), (uint64_t)(want), #got " == " #want, __FILE__, __LINE__)
#define CHECK_BYTES(got, got_size, want, want_size)                                                \
  check_bytes((got), (got_size), (want), (want_size), #got " == " #want, __FILE__, __LINE__)
#define RUN(test) check_run(#test, (test))

/* They answer whether the check held. */
bool check_true(bool holds, const char *what, const char *file, int line);
bool check_eq(uint64_t got, uint64_t want, const char *what, const char *file, int line);
bool check_bytes(const void *got, size_t got_size, const void *want, size_t want_size,
                 const char *what, const char *file, int line);

void check_run(const char *name, void (*test)(void));
/* Has a check of the running test failed? For tests that had better stop then. */
bool check_failing(void);
/* Prints the last line; answers the exit code of main(). */
int check_done(const char *name);

#endif
