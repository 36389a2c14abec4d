#include "mem_fail.h"

#include <stdlib.h>

#include "core/mem.h"

static size_t live, calls, fail_at;
static bool fail_onward, happened;

static bool fails(void) {
  calls++;
  if (!fail_at || calls < fail_at || (calls > fail_at && !fail_onward)) return false;
  return happened = true;
}

static void *alloc(size_t bytes) {
  if (fails()) return NULL;
  void *block = malloc(bytes);
  if (!block) abort();
  /* Nobody may count on zeroes. */
  for (size_t i = 0; i < bytes && i < 256; i++) ((unsigned char *)block)[i] = 0xa5;
  live++;
  return block;
}

static void *resize(void *block, size_t bytes) {
  if (!block) return alloc(bytes);
  if (fails()) return NULL;
  void *moved = realloc(block, bytes);
  if (!moved) abort();
  return moved;
}

static void release(void *block) {
  if (block) live--;
  free(block);
}

static const fan_allocator counting = {alloc, resize, release};

void mem_fail_install(void) {
  live = 0;
  mem_fail_at(0, false);
  fan_mem_use(&counting);
}

void mem_fail_remove(void) { fan_mem_use(NULL); }

size_t mem_fail_live(void) { return live; }
size_t mem_fail_calls(void) { return calls; }

void mem_fail_at(size_t n, bool onward) {
  calls = 0;
  fail_at = n;
  fail_onward = onward;
  happened = false;
}

bool mem_fail_happened(void) { return happened; }
