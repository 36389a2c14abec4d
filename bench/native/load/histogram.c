#include "load.h"

#define SUB_BITS 6
#define SUB (1U << SUB_BITS)
#define BUCKETS (sizeof((histogram *)0)->buckets / sizeof(uint32_t))

static size_t bucket_of(uint64_t value) {
  if (value < SUB) return (size_t)value;
  unsigned exponent = 63U - (unsigned)__builtin_clzll(value);
  size_t at = ((size_t)(exponent - SUB_BITS + 1) << SUB_BITS) +
              (size_t)((value >> (exponent - SUB_BITS)) & (SUB - 1));
  return at < BUCKETS ? at : BUCKETS - 1;
}

/* The middle of a bucket. */
static uint64_t value_of(size_t bucket) {
  if (bucket < SUB) return bucket;
  unsigned shift = (unsigned)(bucket >> SUB_BITS) - 1;
  uint64_t low = (SUB + (bucket & (SUB - 1))) << shift;
  return low + ((UINT64_C(1) << shift) >> 1);
}

void histogram_add(histogram *h, uint64_t value) {
  h->buckets[bucket_of(value)]++;
  h->count++;
  if (value > h->max) h->max = value;
}

uint64_t histogram_at(const histogram *h, double p) {
  if (!h->count) return 0;
  uint64_t rank = (uint64_t)(p * (double)(h->count - 1)), below = 0;
  for (size_t i = 0; i < BUCKETS; i++) {
    below += h->buckets[i];
    if (below > rank) {
      uint64_t value = value_of(i);
      return value < h->max ? value : h->max;
    }
  }
  return h->max;
}

void histogram_merge(histogram *into, const histogram *from) {
  for (size_t i = 0; i < BUCKETS; i++) into->buckets[i] += from->buckets[i];
  into->count += from->count;
  if (from->max > into->max) into->max = from->max;
}
