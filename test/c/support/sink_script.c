#include "sink_script.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/err.h"

static void keep(sink_script *script, const void *bytes, size_t size) {
  if (!script->forgetful) {
    while (script->size + size > script->capacity) {
      script->capacity = script->capacity ? script->capacity * 2 : 256;
      script->bytes = realloc(script->bytes, script->capacity);
      if (!script->bytes) abort();
    }
    memcpy(script->bytes + script->size, bytes, size);
  }
  script->size += size;
}

static int64_t random_answer(rng *dice, size_t offered) {
  if (rng_below(dice, 500) == 0) return rng_below(dice, 2) ? FAN_EGONE : FAN_EIO;
  switch (rng_below(dice, 8)) {
  case 0:
    return FAN_EAGAIN;
  case 1:
  case 2:
    return (int64_t)rng_below(dice, (uint32_t)offered + 1);
  default:
    return SINK_ALL;
  }
}

static int64_t next_answer(sink_script *script, size_t offered) {
  if (script->dice) return random_answer(script->dice, offered);
  return script->next < script->count ? script->answers[script->next++] : script->otherwise;
}

static int64_t script_write(fan_sink *sink, const fan_slice *slices, int count) {
  sink_script *script = (sink_script *)sink;
  script->writes++;
  size_t offered = 0;
  for (int i = 0; i < count; i++) {
    if (!slices[i].size) script->misuses++;
    offered += slices[i].size;
  }
  if (script->closed || script->finished || script->wanting || script->full || count < 1)
    script->misuses++;
  int64_t answer = next_answer(script, offered);
  if (answer < 0) {
    script->full = answer == FAN_EAGAIN;
    return answer;
  }
  size_t taken = (uint64_t)answer < offered ? (size_t)answer : offered, left = taken;
  for (int i = 0; left; i++) {
    size_t size = slices[i].size < left ? slices[i].size : left;
    keep(script, slices[i].data, size);
    left -= size;
  }
  script->full = taken < offered;
  if (taken > script->largest) script->largest = taken;
  return (int64_t)taken;
}

static void script_want_write(fan_sink *sink, bool on) {
  sink_script *script = (sink_script *)sink;
  if (script->closed || script->wanting == on) script->misuses++;
  script->wanting = on;
}

static int script_finish(fan_sink *sink) {
  sink_script *script = (sink_script *)sink;
  if (script->closed || script->finished || script->wanting || script->full) script->misuses++;
  int answer = script->finishes < SINK_ANSWERS ? script->finish_answers[script->finishes] : 0;
  script->finishes++;
  script->full = answer == FAN_EAGAIN;
  script->finished = answer == 0;
  return answer;
}

static void script_close(fan_sink *sink, enum fan_sink_close how) {
  sink_script *script = (sink_script *)sink;
  if (how == FAN_SINK_RELEASE && !script->finished) script->misuses++;
  script->closed++;
  script->how = how;
}

void sink_script_init(sink_script *script, bool raw) {
  static const fan_sink_ops ops = {script_write, script_want_write, script_finish, script_close};
  *script = (sink_script){.sink = {&ops, raw}, .otherwise = SINK_ALL};
}

void sink_script_answer(sink_script *script, int64_t answer) {
  if (script->count == SINK_ANSWERS) {
    memmove(script->answers, script->answers + 1, sizeof script->answers - sizeof *script->answers);
    script->count--;
    if (script->next) script->next--;
  }
  script->answers[script->count++] = answer;
}

void sink_script_room(sink_script *script) { script->full = false; }

void sink_script_deinit(sink_script *script, unsigned times) {
  CHECK_EQ(script->misuses, 0);
  CHECK_EQ(script->closed, times);
  free(script->bytes);
  script->bytes = NULL;
}
