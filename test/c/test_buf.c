/* buf.h: references, the ledger, the two slices; and err.h, whose texts everybody prints. */
#include <string.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/mem.h"
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
  RUN(test_mem_resize_keeps_the_block_when_it_fails);
  RUN(test_err_every_error_has_a_name_and_a_text);
  return check_done("test_buf");
}
