/* buf.h: references, the ledger, the two slices, copies, keys; and err.h, whose texts everybody prints. */
#include <string.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/mem.h"
#include "core/ticket.h"
#include "support/check.h"
#include "support/mem_fail.h"

static void test_buf_is_freed_with_the_last_reference(void) {
  fan_buf *buf = fan_buf_new(10);
  CHECK_EQ(mem_fail_live(), 1);
  CHECK(fan_buf_ref(buf) == buf);
  fan_buf_unref(buf);
  CHECK_EQ(mem_fail_live(), 1);
  fan_buf_unref(buf);
  CHECK_EQ(mem_fail_live(), 0);
  fan_buf_unref(NULL);
}

static void test_buf_new_answers_null_without_memory_or_beyond_four_gib(void) {
  mem_fail_at(1, false);
  CHECK(fan_buf_new(10) == NULL);
  CHECK(mem_fail_happened());
  mem_fail_at(1, false);
  CHECK(fan_buf_new((size_t)UINT32_MAX + 1) == NULL);
  CHECK(!mem_fail_happened());
}

static void test_buf_ledger_counts_each_buffer_once_until_it_is_freed(void) {
  fan_ledger ledger = {0};
  fan_buf *a = fan_buf_new(100), *b = fan_buf_new(50);
  size_t cost_a = fan_buf_cost(a), cost_b = fan_buf_cost(b);
  CHECK(cost_a >= 100 + sizeof(fan_buf));
  fan_buf_enter(a, &ledger);
  fan_buf_enter(a, &ledger);
  CHECK_EQ(ledger.held_bytes, cost_a);
  fan_buf_enter(fan_buf_ref(b), &ledger);
  CHECK_EQ(ledger.held_bytes, cost_a + cost_b);
  fan_buf_unref(a);
  CHECK_EQ(ledger.held_bytes, cost_b);
  CHECK_EQ(ledger.peak_bytes, cost_a + cost_b);
  fan_buf_unref(b);
  CHECK_EQ(ledger.held_bytes, cost_b);
  fan_buf_unref(b);
  CHECK_EQ(ledger.held_bytes, 0);
}

static void test_buf_slices_are_views_of_the_same_bytes(void) {
  fan_buf *buf = fan_buf_new(9);
  memcpy(buf->bytes, "_1\r\nx\r\n__", 9);
  buf->start = 1;
  buf->end = 7;
  buf->body = 4;
  buf->body_size = 1;
  CHECK_BYTES(fan_buf_chunked(buf).data, fan_buf_chunked(buf).size, "1\r\nx\r\n", 6);
  CHECK_BYTES(fan_buf_raw(buf).data, fan_buf_raw(buf).size, "x", 1);
  fan_buf_unref(buf);
}

static void test_buf_copy_has_the_bytes_and_nothing_else(void) {
  fan_ledger ledger = {0};
  fan_buf *buf = fan_buf_new(12);
  memcpy(buf->bytes, "_1\r\nx\r\n__key", 12);
  buf->kind = FAN_BUF_HEARTBEAT;
  buf->start = 1;
  buf->end = 7;
  buf->body = 4;
  buf->body_size = 1;
  buf->seq = 9;
  buf->key = 5;
  buf->key_size = 3;
  fan_buf_enter(buf, &ledger);
  CHECK_EQ(fan_ticket_attach(buf, 1), 0);
  mem_fail_at(1, false);
  CHECK(fan_buf_copy(buf) == NULL);
  fan_buf *copy = fan_buf_copy(buf);
  fan_buf_unref(buf);
  CHECK_EQ(ledger.held_bytes, 0);
  CHECK_BYTES(fan_buf_chunked(copy).data, fan_buf_chunked(copy).size, "1\r\nx\r\n", 6);
  CHECK_BYTES(fan_buf_raw(copy).data, fan_buf_raw(copy).size, "x", 1);
  CHECK_EQ(copy->kind, FAN_BUF_HEARTBEAT);
  CHECK_EQ(copy->refs, 1);
  CHECK_EQ(copy->seq, 0);
  CHECK_EQ(copy->key, 0);
  CHECK_EQ(copy->key_size, 0);
  CHECK(!copy->ticket && !copy->tracked && !copy->ledger);
  fan_buf_unref(copy);
}

static fan_buf *with_key(const char *key, uint64_t hash, size_t spare) {
  size_t size = strlen(key);
  fan_buf *buf = fan_buf_new(spare + size);
  memset(buf->bytes, 'a', spare);
  memcpy(buf->bytes + spare, key, size);
  buf->key = hash;
  buf->key_size = (uint16_t)size;
  return buf;
}

static bool same(fan_buf *a, fan_buf *b) {
  bool forth = fan_buf_same_key(a, b), back = fan_buf_same_key(b, a);
  CHECK_EQ(forth, back);
  fan_buf_unref(a);
  fan_buf_unref(b);
  return forth;
}

static void test_buf_same_key_compares_the_bytes_and_not_the_hash_alone(void) {
  CHECK(same(with_key("abc", 5, 0), with_key("abc", 5, 20)));
  CHECK(same(with_key("", 5, 0), with_key("", 5, 3)));
  CHECK(!same(with_key("abc", 5, 0), with_key("abd", 5, 0)));
  CHECK(!same(with_key("abc", 5, 0), with_key("bc", 5, 1)));
  CHECK(!same(with_key("abc", 5, 0), with_key("abc", 6, 0)));
  CHECK(!same(with_key("", 0, 0), with_key("", 0, 0))); /* neither has one */
  CHECK(!same(with_key("", 0, 0), with_key("", 5, 0)));
}

static void test_mem_resize_keeps_the_block_when_it_fails(void) {
  char *block = fan_zalloc(4);
  CHECK_BYTES(block, 4, "\0\0\0\0", 4);
  mem_fail_at(1, false);
  CHECK(fan_resize(block, 8) == NULL);
  mem_fail_at(1, false);
  CHECK(fan_zalloc(8) == NULL);
  block = fan_resize(block, 8);
  CHECK_BYTES(block, 4, "\0\0\0\0", 4);
  fan_free(block);
  fan_free(NULL);
}

static void test_err_every_error_has_a_name_and_a_text(void) {
  static const int errors[] = {
#define VALUE(name, value, text) FAN_E##name,
      FAN_ERRORS(VALUE)
#undef VALUE
  };
  for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
    CHECK(errors[i] < 0);
    CHECK(strncmp(fan_err_name(errors[i]), "FAN_E", 5) == 0 && fan_err_name(errors[i])[5] != '?');
    CHECK(strlen(fan_err_text(errors[i])) > 5);
  }
  CHECK(strcmp(fan_err_name(FAN_ENOMEM), "FAN_ENOMEM") == 0);
  CHECK(strcmp(fan_err_name(3), "FAN_OK") == 0 && strcmp(fan_err_text(0), "ok") == 0);
  CHECK(strcmp(fan_err_name(-999), "FAN_E?") == 0);
  CHECK(strcmp(fan_err_text(-999), "unknown error") == 0);
}

int main(void) {
  RUN(test_buf_is_freed_with_the_last_reference);
  RUN(test_buf_new_answers_null_without_memory_or_beyond_four_gib);
  RUN(test_buf_ledger_counts_each_buffer_once_until_it_is_freed);
  RUN(test_buf_slices_are_views_of_the_same_bytes);
  RUN(test_buf_copy_has_the_bytes_and_nothing_else);
  RUN(test_buf_same_key_compares_the_bytes_and_not_the_hash_alone);
  RUN(test_mem_resize_keeps_the_block_when_it_fails);
  RUN(test_err_every_error_has_a_name_and_a_text);
  return check_done("test_buf");
}
