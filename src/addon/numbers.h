#ifndef FAN_NUMBERS_H
#define FAN_NUMBERS_H
/* Numbers that lib/ has checked. Thread: JavaScript's. */
#include <napi.h>

namespace fanline {

inline uint64_t to_u64(const Napi::Value &value) {
  return static_cast<uint64_t>(value.As<Napi::Number>().DoubleValue());
}

inline uint32_t to_u32(const Napi::Value &value) { return value.As<Napi::Number>().Uint32Value(); }

} // namespace fanline

#endif
