#include "target.h"

#include "mem.h"

fan_target *fan_target_new(size_t keys) {
  return fan_zalloc(sizeof(fan_target) + keys * sizeof(uint64_t));
}
