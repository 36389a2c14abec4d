#ifndef MODEL_H
#define MODEL_H
/*
 * Random use of a hub beside a simple model of it. The model knows who is in which room, and which frames each client
 * must get: all of them if it is released or still there at the end, and the first of them if it is cut. Half of the runs lose
 * nothing, and there each byte is known; in the others events give way to newer ones with the same key, or an overflow policy
 * drops some, and there the order is known, and what is missing must have been told.
 * The choices come from a random generator or, for a fuzzer, from bytes.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "random.h"

typedef struct model model;

/* `bytes`: the choices, until they are used up; NULL: `seed` makes them. */
model *model_new(const uint8_t *bytes, size_t size, uint64_t seed);
/* One operation and its checks; false: the choices are used up. */
bool model_step(model *m);
/* Everything that must hold in between. */
void model_check(model *m);
/* Lets all readers read, compares what they got, ends the hub. Prints what happened if `verbose`. */
void model_free(model *m, bool verbose);

#endif
