/* frame.h: the key that a frame keeps behind its bytes, and the frame that is an id alone. */
#include <stdlib.h>
#include <string.h>

#include "core/frame.h"
#include "support/check.h"
#include "support/frames.h"
#include "support/mem_fail.h"
#include "support/random.h"
#include "support/sse_parse.h"

static uint64_t seed;

static fan_buf *encode(const fan_fields *fields, const char *data, size_t cap) {
  size_t size = strlen(data);
  fan_buf *frame = fan_frame_begin(fields, cap);
  if (!frame) return NULL;
  memcpy(fan_frame_data(frame), data, size);
  fan_frame_data(frame)[cap] = 0; /* allowed: a terminating NUL */
  return fan_frame_seal(frame, size);
}

static fan_fields with_key(const void *key, size_t size, uint64_t key_seed) {
  return (fan_fields){.retry_ms = FAN_NO_RETRY, .key = {key, size}, .key_seed = key_seed};
}

static void check_key(const fan_buf *frame, const void *key, size_t size) {
  CHECK(frame->key != 0);
  CHECK_BYTES(frame->bytes + frame->capacity - frame->key_size, frame->key_size, key, size);
  CHECK(frame->end + frame->key_size <= frame->capacity);
}

static void test_frame_key_is_kept_and_not_written(void) {
  static const char key[] = "a\0b\r\n\xff";
  for (size_t size = 0; size < sizeof key; size++)
    for (size_t cap = 1; cap < 20; cap++) {
      fan_fields fields = with_key(key, size, 5);
      fan_buf *frame = encode(&fields, "x", cap);
      CHECK_BYTES(fan_buf_raw(frame).data, fan_buf_raw(frame).size, "data: x\n\n", 9);
      CHECK_BYTES(fan_buf_chunked(frame).data, fan_buf_chunked(frame).size, "9\r\ndata: x\n\n\r\n",
                  14);
      check_key(frame, key, size);
      fan_buf_unref(frame);
    }
}

static void test_frame_key_stays_when_the_data_fills_the_frame(void) {
  static const int64_t retries[] = {FAN_NO_RETRY, 1, INT64_MAX};
  for (int i = 0; i < 3; i++) {
    fan_fields fields = with_key("key", 3, 5);
    fields.id = slice_of_text("1-2");
    fields.event = slice_of_text("tick");
    fields.retry_ms = retries[i];
    fan_buf *frame = encode(&fields, "0123456789", 10);
    check_key(frame, "key", 3);
    fan_buf_unref(frame);
  }
}

static void test_frame_key_survives_the_split_of_the_data(void) {
  fan_fields fields = with_key("key", 3, 5);
  fan_buf *whole = encode(&fields, "ab", 2), *split = encode(&fields, "a\nb\r\n", 9);
  CHECK_BYTES(fan_buf_raw(split).data, fan_buf_raw(split).size, "data: a\ndata: b\ndata: \n\n", 24);
  check_key(split, "key", 3);
  CHECK(fan_buf_same_key(whole, split));
  fan_buf_unref(whole);
  fan_buf_unref(split);
  fan_buf *plain = encode(&(fan_fields){.retry_ms = FAN_NO_RETRY}, "a\nb", 3);
  CHECK_EQ(plain->key, 0);
  CHECK_EQ(plain->key_size, 0);
  fan_buf_unref(plain);
}

static void test_frame_without_a_key_has_no_hash_and_costs_nothing(void) {
  fan_fields none = {.retry_ms = FAN_NO_RETRY, .key = {NULL, 9}, .key_seed = 5};
  fan_fields with = with_key("123456789", 9, 5);
  fan_buf *plain = encode(&none, "x", 1), *keyed = encode(&with, "x", 1);
  CHECK_EQ(plain->key, 0);
  CHECK_EQ(plain->key_size, 0);
  CHECK_EQ(fan_buf_cost(plain) + 9, fan_buf_cost(keyed));
  fan_buf_unref(plain);
  fan_buf_unref(keyed);
}

static uint64_t hash_of(const void *key, size_t size, uint64_t key_seed) {
  fan_fields fields = with_key(key, size, key_seed);
  fan_buf *frame = encode(&fields, "", 0);
  uint64_t hash = frame->key;
  fan_buf_unref(frame);
  return hash;
}

static void test_frame_hash_depends_on_every_byte_the_size_and_the_seed(void) {
  char key[40] = {0};
  uint64_t plain = hash_of(key, sizeof key, 1);
  CHECK_EQ(plain, hash_of(key, sizeof key, 1));
  CHECK(plain != hash_of(key, sizeof key, 2));
  CHECK(plain != hash_of(key, sizeof key, UINT64_C(1) << 63));
  CHECK(plain != hash_of(key, sizeof key - 1, 1));
  for (size_t i = 0; i < sizeof key; i++) {
    key[i] = 1;
    CHECK(plain != hash_of(key, sizeof key, 1));
    key[i] = 0;
  }
}

static void test_frame_hash_is_never_that_of_no_key(void) {
  /* The seed that takes FNV's first value away, and no byte to bring another. */
  CHECK(hash_of("", 0, UINT64_C(0xcbf29ce484222325)) != 0);
}

static int compare(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? -1 : x > y;
}

static void test_frame_hashes_of_like_keys_differ(void) {
  enum { COUNT = 50000 };
  static uint64_t hashes[COUNT];
  char key[32];
  rng r;
  rng_init(&r, seed);
  uint64_t key_seed = rng_next(&r);
  for (unsigned i = 0; i < COUNT; i++)
    hashes[i] = hash_of(key, (size_t)snprintf(key, sizeof key, "symbol-%u", i), key_seed);
  qsort(hashes, COUNT, sizeof *hashes, compare);
  for (unsigned i = 1; i < COUNT; i++) CHECK(hashes[i - 1] != hashes[i]);
}

static void test_frame_key_of_the_largest_size_fits(void) {
  char *key = malloc(FAN_KEY_MAX);
  memset(key, 'k', FAN_KEY_MAX);
  fan_fields fields = with_key(key, FAN_KEY_MAX, 1);
  fan_buf *frame = encode(&fields, "a\nb", 3);
  check_key(frame, key, FAN_KEY_MAX);
  fan_buf_unref(frame);
  mem_fail_at(1, false);
  CHECK(fan_frame_begin(&fields, UINT32_MAX - FAN_KEY_MAX) == NULL);
  CHECK(!mem_fail_happened()); /* too large to be asked for */
  mem_fail_at(2, false);
  CHECK(encode(&fields, "a\nb", 3) == NULL);
  CHECK(mem_fail_happened());
  free(key);
}

static void test_frame_id_alone_is_one_line(void) {
  fan_buf *frame = fan_frame_id(slice_of_text("Kx0-12"));
  CHECK_BYTES(fan_buf_chunked(frame).data, fan_buf_chunked(frame).size, "b\r\nid: Kx0-12\n\r\n",
              16);
  CHECK_EQ(frame->kind, FAN_BUF_COMMENT);
  fan_buf_unref(frame);
  frame = fan_frame_id(slice_of_text(""));
  CHECK_BYTES(fan_buf_raw(frame).data, fan_buf_raw(frame).size, "id: \n", 5);
  fan_buf_unref(frame);
  mem_fail_at(1, false);
  CHECK(fan_frame_id(slice_of_text("1")) == NULL);
}

static void test_frame_id_is_that_of_the_next_event(void) {
  char wire[64];
  fan_buf *id = fan_frame_id(slice_of_text("e-7")), *event = frame_event("x");
  fan_slice first = fan_buf_raw(id), second = fan_buf_raw(event);
  memcpy(wire, first.data, first.size);
  memcpy(wire + first.size, second.data, second.size);
  sse_stream stream;
  sse_parse(&stream, wire, first.size);
  CHECK_EQ(stream.count, 0);
  sse_free(&stream);
  sse_parse(&stream, wire, first.size + second.size);
  if (CHECK_EQ(stream.count, 1))
    CHECK_BYTES(stream.events->last_id.bytes, stream.events->last_id.size, "e-7", 3);
  sse_free(&stream);
  fan_buf_unref(id);
  fan_buf_unref(event);
}

int main(void) {
  seed = rng_seed("test_frame_key");
  RUN(test_frame_key_is_kept_and_not_written);
  RUN(test_frame_key_stays_when_the_data_fills_the_frame);
  RUN(test_frame_key_survives_the_split_of_the_data);
  RUN(test_frame_without_a_key_has_no_hash_and_costs_nothing);
  RUN(test_frame_hash_depends_on_every_byte_the_size_and_the_seed);
  RUN(test_frame_hash_is_never_that_of_no_key);
  RUN(test_frame_hashes_of_like_keys_differ);
  RUN(test_frame_key_of_the_largest_size_fits);
  RUN(test_frame_id_alone_is_one_line);
  RUN(test_frame_id_is_that_of_the_next_event);
  return check_done("test_frame_key");
}
