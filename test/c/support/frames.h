#ifndef FRAMES_H
#define FRAMES_H
/* Frames for tests, in one call each. They abort when there is no memory. */
#include <stdbool.h>
#include <stddef.h>

#include "core/frame.h"

/* An event with this data and nothing else. */
fan_buf *frame_event(const char *data);
/* An event whose raw slice is `size` bytes long (at least 9), filled with a pattern that `seed` varies. */
fan_buf *frame_sized(size_t size, unsigned seed);
/* A heartbeat: a comment, or (`event`) an event. */
fan_buf *frame_heartbeat(bool event);

fan_slice slice_of_text(const char *text);

#endif
