/* frame.h: the bytes of a frame, exactly; and that any data comes out of a parser as it went in. */
#include <stdlib.h>
#include <string.h>

#include "core/frame.h"
#include "support/check.h"
#include "support/frames.h"
#include "support/mem_fail.h"
#include "support/random.h"
#include "support/sse_parse.h"

#define CHECK_RAW(frame, want)                                                                     \
  CHECK_BYTES(fan_buf_raw(frame).data, fan_buf_raw(frame).size, want, strlen(want))
#define CHECK_CHUNK(frame, want)                                                                   \
  CHECK_BYTES(fan_buf_chunked(frame).data, fan_buf_chunked(frame).size, want, strlen(want))

static uint64_t seed;

static fan_buf *encode(const fan_fields *fields, const void *data, size_t size, size_t cap) {
  fan_buf *frame = fan_frame_begin(fields, cap);
  if (!frame) return NULL;
  if (size) memcpy(fan_frame_data(frame), data, size);
  fan_frame_data(frame)[cap] = 0; /* allowed: a terminating NUL */
  return fan_frame_seal(frame, size);
}

/* What a data text looks like on the wire. */
static void check_data(const char *data, const char *wire) {
  fan_buf *frame = frame_event(data);
  CHECK_RAW(frame, wire);
  CHECK_EQ(frame->kind, FAN_BUF_EVENT);
  fan_buf_unref(frame);
}

static void test_frame_writes_fields_in_the_order_id_event_retry_data(void) {
  static const struct {
    const char *id, *event;
    int64_t retry;
    const char *wire;
  } cases[] = {
      {NULL, NULL, -1, "data: x\n\n"},
      {"7", NULL, -1, "id: 7\ndata: x\n\n"},
      {NULL, "up", -1, "event: up\ndata: x\n\n"},
      {NULL, NULL, 0, "retry: 0\ndata: x\n\n"},
      {"7", "up", -1, "id: 7\nevent: up\ndata: x\n\n"},
      {"7", NULL, 10, "id: 7\nretry: 10\ndata: x\n\n"},
      {NULL, "up", 1234567890, "event: up\nretry: 1234567890\ndata: x\n\n"},
      {"7", "up", INT64_MAX, "id: 7\nevent: up\nretry: 9223372036854775807\ndata: x\n\n"},
      {"", "", -1, "id: \nevent: \ndata: x\n\n"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    fan_fields fields = {.id = slice_of_text(cases[i].id),
                         .event = slice_of_text(cases[i].event),
                         .retry_ms = cases[i].retry};
    fan_buf *frame = encode(&fields, "x", 1, 1);
    CHECK_RAW(frame, cases[i].wire);
    fan_buf_unref(frame);
    frame = encode(&fields, "x", 1, 100); /* more room than was needed */
    CHECK_RAW(frame, cases[i].wire);
    fan_buf_unref(frame);
  }
}

static void test_frame_splits_data_at_cr_lf_and_crlf(void) {
  check_data("", "data: \n\n");
  check_data("a b", "data: a b\n\n");
  check_data("a\nb", "data: a\ndata: b\n\n");
  check_data("a\rb", "data: a\ndata: b\n\n");
  check_data("a\r\nb", "data: a\ndata: b\n\n");
  check_data("a\n\rb", "data: a\ndata: \ndata: b\n\n");
  check_data("a\r\r\nb", "data: a\ndata: \ndata: b\n\n");
  check_data("a\r\n\r\nb", "data: a\ndata: \ndata: b\n\n");
}

static void test_frame_splits_data_at_breaks_at_both_ends(void) {
  check_data("\n", "data: \ndata: \n\n");
  check_data("\r", "data: \ndata: \n\n");
  check_data("\r\n", "data: \ndata: \n\n");
  check_data("\n\n", "data: \ndata: \ndata: \n\n");
  check_data("a\r", "data: a\ndata: \n\n");
  check_data("a\r\n", "data: a\ndata: \n\n");
  check_data("\ra", "data: \ndata: a\n\n");
  check_data("\r\na", "data: \ndata: a\n\n");
  check_data(" a\n: b\ndata: c\nid: 9", "data:  a\ndata: : b\ndata: data: c\ndata: id: 9\n\n");
}

static void test_frame_split_keeps_the_fields_before_the_data(void) {
  fan_fields fields = {.id = slice_of_text("1"), .event = slice_of_text("e"), .retry_ms = 5};
  fan_buf *frame = encode(&fields, "a\nb", 3, 9);
  CHECK_CHUNK(frame, "29\r\nid: 1\nevent: e\nretry: 5\ndata: a\ndata: b\n\n\r\n");
  fan_buf_unref(frame);
}

static void test_frame_chunk_head_tells_the_size_in_hex(void) {
  static const size_t sizes[] = {1,    15,   16,    17,    255,   256,     4094,   4095,
                                 4096, 4097, 65535, 65536, 65537, 1 << 20, 1 << 24};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    size_t size = sizes[i];
    char *text = malloc(size), head[16];
    memset(text, 'x', size);
    fan_buf *frame = fan_frame_text((fan_slice){text, size}, FAN_BUF_EVENT);
    int head_size = snprintf(head, sizeof head, "%zx\r\n", size);
    fan_slice chunk = fan_buf_chunked(frame);
    CHECK_EQ(chunk.size, (size_t)head_size + size + 2);
    CHECK_BYTES(chunk.data, (size_t)head_size, head, (size_t)head_size);
    CHECK_BYTES((const char *)chunk.data + head_size, size, text, size);
    CHECK_BYTES((const char *)chunk.data + head_size + size, 2, "\r\n", 2);
    CHECK_BYTES(fan_buf_raw(frame).data, fan_buf_raw(frame).size, text, size);
    fan_buf_unref(frame);
    free(text);
  }
}

static void check_comment(const char *text, const char *wire) {
  fan_buf *frame = fan_frame_comment(slice_of_text(text), FAN_BUF_COMMENT);
  CHECK_RAW(frame, wire);
  CHECK_EQ(frame->kind, FAN_BUF_COMMENT);
  fan_buf_unref(frame);
}

static void test_frame_comment_puts_a_colon_before_each_line(void) {
  check_comment(NULL, ":\n");
  check_comment("", ":\n");
  check_comment("hi", ":hi\n");
  check_comment("hi\ndata: x", ":hi\n:data: x\n");
  check_comment("\r\n", ":\n:\n");
  check_comment("a\r\rb\n", ":a\n:\n:b\n:\n");
  check_comment("\n\ndata: x\n\n", ":\n:\n:data: x\n:\n:\n");
}

static void test_frame_retry_text_and_verbatim_are_as_written(void) {
  fan_buf *frame = fan_frame_retry(2500);
  CHECK_CHUNK(frame, "c\r\nretry: 2500\n\r\n");
  CHECK_EQ(frame->kind, FAN_BUF_COMMENT);
  fan_buf_unref(frame);
  frame = fan_frame_text(slice_of_text("data: a\r\rid: 5\n\n"), FAN_BUF_HEARTBEAT);
  CHECK_CHUNK(frame, "10\r\ndata: a\r\rid: 5\n\n\r\n");
  CHECK_EQ(frame->kind, FAN_BUF_HEARTBEAT);
  fan_buf_unref(frame);
  frame = fan_frame_verbatim(slice_of_text("0\r\n\r\nany"));
  CHECK_CHUNK(frame, "0\r\n\r\nany");
  CHECK_RAW(frame, "0\r\n\r\nany");
  CHECK_EQ(frame->kind, FAN_BUF_VERBATIM);
  fan_buf_unref(frame);
}

static void test_frame_answers_null_without_memory_and_frees_the_first_half(void) {
  fan_fields fields = {.retry_ms = FAN_NO_RETRY};
  fan_slice text = slice_of_text("x");
  mem_fail_at(1, true);
  CHECK(fan_frame_begin(&fields, 1) == NULL);
  CHECK(fan_frame_text(text, FAN_BUF_EVENT) == NULL);
  CHECK(fan_frame_comment(text, FAN_BUF_COMMENT) == NULL);
  CHECK(fan_frame_retry(1) == NULL);
  CHECK(fan_frame_verbatim(text) == NULL);
  mem_fail_at(2, false);
  CHECK(encode(&fields, "a\nb", 3, 3) == NULL);
  CHECK(mem_fail_happened());
  mem_fail_at(1, false);
  CHECK(fan_frame_begin(&fields, UINT32_MAX) == NULL);
  CHECK(fan_frame_begin(&fields, (size_t)UINT32_MAX - 5) == NULL);
  CHECK(fan_frame_begin(&fields, SIZE_MAX) == NULL);
  CHECK(!mem_fail_happened());
}

/* CR and CRLF become LF: what a reader can get back of a text. */
static size_t normalise(char *out, const char *data, size_t size) {
  size_t n = 0;
  for (size_t i = 0; i < size; i++) {
    if (data[i] == '\r' && i + 1 < size && data[i + 1] == '\n') continue;
    out[n++] = data[i] == '\r' ? '\n' : data[i];
  }
  return n;
}

static size_t random_text(rng *r, char *out, size_t most, const char *letters, size_t count) {
  size_t size = rng_below(r, (uint32_t)most + 1);
  for (size_t i = 0; i < size; i++) out[i] = letters[rng_below(r, (uint32_t)count)];
  return size;
}

#define MOST 60

static void check_round_trip(rng *r) {
  static const char any[] = "\r\n\r\n :ax\0di\xc3\xa9";
  char id[8], event[8], data[MOST], want[MOST];
  size_t id_size = random_text(r, id, sizeof id, "ab :", 4);
  size_t event_size = random_text(r, event, sizeof event, "ab :", 4);
  size_t size = random_text(r, data, MOST, any, sizeof any - 1);
  bool with_id = rng_below(r, 2), with_event = rng_below(r, 2);
  int64_t retry = rng_below(r, 2) ? (int64_t)(rng_next(r) >> (1 + rng_below(r, 63))) : -1;
  fan_fields fields = {.id = {with_id ? id : NULL, id_size},
                       .event = {with_event ? event : NULL, event_size},
                       .retry_ms = retry};
  fan_buf *frame = encode(&fields, data, size, size + rng_below(r, 9));

  unsigned char wire[2048];
  fan_slice chunk = fan_buf_chunked(frame), raw = fan_buf_raw(frame);
  memcpy(wire, chunk.data, chunk.size);
  bool complete;
  size_t body = sse_dechunk(wire, chunk.size, &complete);
  CHECK(complete);
  CHECK_BYTES(wire, body, raw.data, raw.size);
  CHECK(fan_buf_cost(frame) >= chunk.size);
  sse_stream stream;
  sse_parse(&stream, raw.data, raw.size);
  CHECK(stream.in_order);
  CHECK_EQ(stream.comments, 0);
  CHECK_EQ(stream.retry_ms, retry);
  if (CHECK_EQ(stream.count, 1)) {
    sse_event *got = stream.events;
    CHECK_BYTES(got->data.bytes, got->data.size, want, normalise(want, data, size));
    CHECK_BYTES(got->last_id.bytes, got->last_id.size, id, with_id ? id_size : 0);
    CHECK_BYTES(got->type.bytes, got->type.size, event, with_event ? event_size : 0);
  }
  sse_free(&stream);
  fan_buf_unref(frame);
}

static void test_frame_decoded_is_what_was_encoded(void) {
  rng r;
  rng_init(&r, seed);
  for (int i = 0; i < 50000 && !check_failing(); i++) check_round_trip(&r);
}

static void test_frame_comment_of_anything_dispatches_nothing(void) {
  static const char any[] = "\r\n\r\n :data: x";
  char text[MOST];
  rng r;
  rng_init(&r, seed);
  for (int i = 0; i < 20000 && !check_failing(); i++) {
    size_t size = random_text(&r, text, MOST, any, sizeof any - 1);
    fan_buf *frame = fan_frame_comment((fan_slice){text, size}, FAN_BUF_COMMENT);
    sse_stream stream;
    sse_parse(&stream, fan_buf_raw(frame).data, fan_buf_raw(frame).size);
    CHECK(stream.in_order && stream.comments > 0);
    CHECK_EQ(stream.count, 0);
    CHECK_EQ(stream.retry_ms, -1);
    sse_free(&stream);
    fan_buf_unref(frame);
  }
}

int main(void) {
  seed = rng_seed("test_frame");
  RUN(test_frame_writes_fields_in_the_order_id_event_retry_data);
  RUN(test_frame_splits_data_at_cr_lf_and_crlf);
  RUN(test_frame_splits_data_at_breaks_at_both_ends);
  RUN(test_frame_split_keeps_the_fields_before_the_data);
  RUN(test_frame_chunk_head_tells_the_size_in_hex);
  RUN(test_frame_comment_puts_a_colon_before_each_line);
  RUN(test_frame_retry_text_and_verbatim_are_as_written);
  RUN(test_frame_answers_null_without_memory_and_frees_the_first_half);
  RUN(test_frame_decoded_is_what_was_encoded);
  RUN(test_frame_comment_of_anything_dispatches_nothing);
  return check_done("test_frame");
}
