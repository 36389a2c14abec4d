#ifndef FAN_H
#define FAN_H
/* Everything that io/ and addon/ use of core/: errors, memory, frames, sinks, the hub. */
#include "err.h"
#include "frame.h"
#include "hub.h"
#include "mem.h"
#endif
