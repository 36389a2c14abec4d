#ifndef FAN_ENCODE_H
#define FAN_ENCODE_H
/*
 * JavaScript values into frames: text is written as UTF-8 straight into the frame's memory.
 *
 * Thread: JavaScript's. Owns: nothing; the caller owns the frames.
 */
#include <napi.h>

extern "C" {
#include "core/fan.h"
}

namespace fanline {

/* Names (event, id, key) are at most this long, in UTF-8 bytes. */
constexpr size_t kNameBytes = 4096;

/* A short string in memory of its own; undefined and null read as absent. */
class Name {
public:
  /* 0 or FAN_ETOOLARGE. */
  int read(napi_env env, napi_value value);
  fan_slice slice() const { return {present_ ? bytes_ : nullptr, size_}; }

private:
  char bytes_[kNameBytes + 1];
  size_t size_ = 0;
  bool present_ = false;
};

/* A string, Buffer or Uint8Array that is to be copied once. */
class Text {
public:
  Text(napi_env env, napi_value value);
  size_t size() const { return size_; } /* UTF-8 bytes */
  /* Copies the bytes, and one NUL behind them. */
  void copy(char *to) const;

private:
  napi_env env_;
  napi_value string_ = nullptr; /* NULL: bytes_ */
  const void *bytes_ = nullptr;
  size_t size_ = 0;
};

/* Event of `text` with the given fields; NULL: no memory. */
fan_buf *encode_event(const fan_fields &fields, const Text &text);

} // namespace fanline

#endif
