#include "encode.h"

#include <cstring>

namespace fanline {

int Name::read(napi_env env, napi_value value) {
  napi_valuetype type;
  napi_typeof(env, value, &type);
  if (type != napi_string) return 0;
  size_t size;
  napi_get_value_string_utf8(env, value, bytes_, sizeof bytes_, &size);
  if (size + 3 >= kNameBytes) { /* perhaps cut off, in front of a character of several bytes */
    napi_get_value_string_utf8(env, value, nullptr, 0, &size);
    if (size > kNameBytes) return FAN_ETOOLARGE;
  }
  size_ = size;
  present_ = true;
  return 0;
}

Text::Text(napi_env env, napi_value value) : env_(env) {
  napi_valuetype type;
  napi_typeof(env, value, &type);
  if (type == napi_string) {
    string_ = value;
    napi_get_value_string_utf8(env, value, nullptr, 0, &size_);
    return;
  }
  void *bytes;
  napi_get_typedarray_info(env, value, nullptr, &size_, &bytes, nullptr, nullptr);
  bytes_ = bytes;
}

void Text::copy(char *to) const {
  if (string_) {
    size_t written;
    napi_get_value_string_utf8(env_, string_, to, size_ + 1, &written);
  } else {
    if (size_) std::memcpy(to, bytes_, size_);
    to[size_] = '\0';
  }
}

fan_buf *encode_event(const fan_fields &fields, const Text &text) {
  fan_buf *frame = fan_frame_begin(&fields, text.size());
  if (!frame) return nullptr;
  text.copy(fan_frame_data(frame));
  return fan_frame_seal(frame, text.size());
}

} // namespace fanline
