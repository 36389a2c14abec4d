#ifndef MEM_FAIL_H
#define MEM_FAIL_H
/* An allocator for tests: counts the blocks that live, and fails an allocation on demand. */
#include <stdbool.h>
#include <stddef.h>

void mem_fail_install(void); /* everything from fan_alloc() on goes through it; counts from 0 */
void mem_fail_remove(void);

size_t mem_fail_live(void);  /* blocks allocated and not yet freed */
size_t mem_fail_calls(void); /* allocations asked for since the last mem_fail_at() */

/* The n-th allocation from now on fails (1: the next); with `onward` all later ones too. 0: none. */
void mem_fail_at(size_t n, bool onward);
bool mem_fail_happened(void); /* has it? */

#endif
