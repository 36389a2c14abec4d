#ifndef SINK_SCRIPT_H
#define SINK_SCRIPT_H
/*
 * A sink that answers what the test wrote down, records all bytes it took, and checks that it is used as
 * sink.h says: no write while it said "no more", none after it was finished or closed, released only when it was finished, closed
 * exactly once.
 * It belongs to the test, so it can be looked at after it was closed.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/sink.h"
#include "random.h"

#define SINK_ALL INT64_MAX /* takes whatever is offered */
#define SINK_ANSWERS 16

typedef struct sink_script {
  fan_sink sink;
  int64_t answers[SINK_ANSWERS]; /* a number of bytes, SINK_ALL, or FAN_E... */
  int count, next;
  int64_t otherwise; /* when the answers are used up */
  rng *dice;         /* if set: random answers instead */
  bool forgetful;    /* keeps no bytes, only how many */
  unsigned char *bytes;
  size_t size, capacity;
  size_t largest; /* most bytes taken in one call */
  unsigned writes;
  bool wanting; /* want_write() is on */
  bool full;    /* it took less than was offered and has not been found writable since */
  int finish_answers[SINK_ANSWERS]; /* then 0 */
  unsigned finishes;                /* calls of finish() */
  bool finished;
  unsigned closed;
  enum fan_sink_close how;
  unsigned misuses;
} sink_script;

void sink_script_init(sink_script *script, bool raw);
void sink_script_answer(sink_script *script, int64_t answer); /* appends */
/* It can take bytes again: the next write is in order. */
void sink_script_room(sink_script *script);
/* Checks that it was used in order and closed `times` times, and frees the record. */
void sink_script_deinit(sink_script *script, unsigned times);

#endif
