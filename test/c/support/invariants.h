#ifndef INVARIANTS_H
#define INVARIANTS_H
/* What must hold of a hub between any two calls. */
#include "core/hub.h"

/* `held`: frames to which the test has a reference (some of which the hub may have, too), one entry for each; NULL entries are
 * skipped. Nobody else has any. All sinks are sink_scripts. */
void check_invariants(fan_hub *hub, fan_buf *const *held, size_t count);

#endif
