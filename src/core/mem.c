#include "mem.h"

#include <stdlib.h>
#include <string.h>

static const fan_allocator c_library = {malloc, realloc, free};
static const fan_allocator *current = &c_library;

void fan_mem_use(const fan_allocator *allocator) { current = allocator ? allocator : &c_library; }

void *fan_alloc(size_t bytes) { return current->alloc(bytes); }

void *fan_zalloc(size_t bytes) {
  void *block = current->alloc(bytes);
  if (block) memset(block, 0, bytes);
  return block;
}

void *fan_resize(void *block, size_t bytes) { return current->resize(block, bytes); }

void fan_free(void *block) { current->release(block); }
