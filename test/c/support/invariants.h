#ifndef INVARIANTS_H
#define INVARIANTS_H
/*
 * What must hold of a hub between any two calls. Clients are found through the lists and the timer wheel, so each
 * needs a clock that runs at all times: a heartbeat (however rare), and a stall limit of the hub.
 */
#include "core/hub.h"

/* What the hub's clients share. */
fan_clients *invariants_clients(fan_hub *hub);

/* `held`: frames that the test holds (some of which the hub may hold, too). All sinks are sink_scripts. */
void check_invariants(fan_hub *hub, fan_buf *const *held, size_t count);

#endif
