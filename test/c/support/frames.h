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
/* An event with a key, for a queue whose keys have the seed 0. */
fan_buf *frame_keyed(const char *key, const char *data);
/* A heartbeat: a comment, or (`event`) an event. */
fan_buf *frame_heartbeat(bool event);

/* The data of the events in these slices, one behind the other; of a slice that is no whole event, its bytes. Static. */
const char *frames_say(const fan_slice *slices, int count);

fan_slice slice_of_text(const char *text);

#endif
