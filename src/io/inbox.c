#include "inbox.h"

int fan_inbox_init(fan_inbox *inbox) {
  *inbox = (fan_inbox){0};
  return pthread_mutex_init(&inbox->mutex, NULL) == 0 ? 0 : FAN_EIO;
}

void fan_inbox_deinit(fan_inbox *inbox) {
  fan_free(inbox->fresh);
  fan_free(inbox->spare);
  fan_free(inbox->spent);
  pthread_mutex_destroy(&inbox->mutex);
}

void fan_inbox_give_back(fan_inbox *inbox, fan_batch *batch) {
  if (inbox->spent) fan_free(batch);
  else inbox->spent = batch;
}

/* Under the mutex. */
static void pass_spent(fan_inbox *inbox) {
  if (inbox->spare) return;
  inbox->spare = inbox->spent;
  inbox->spent = NULL;
}

int fan_inbox_add(fan_inbox *inbox, const fan_command *command) {
  fan_batch *batch = inbox->open;
  if (!batch) {
    batch = inbox->fresh ? inbox->fresh : fan_alloc(sizeof *batch);
    if (!batch) return FAN_ENOMEM;
    inbox->fresh = NULL;
    batch->next = NULL;
    batch->count = 0;
    batch->bytes = 0;
    inbox->open = batch;
  }
  batch->commands[batch->count++] = *command;
  if (command->frame) batch->bytes += fan_buf_cost(command->frame);
  return batch->count == FAN_BATCH_COMMANDS || batch->bytes >= FAN_BATCH_BYTES;
}

bool fan_inbox_post(fan_inbox *inbox, bool end_of_stretch) {
  fan_batch *batch = inbox->open;
  inbox->open = NULL;
  pthread_mutex_lock(&inbox->mutex);
  bool news = batch || inbox->stretch_open == end_of_stretch;
  inbox->stretch_open = !end_of_stretch;
  if (!inbox->fresh) {
    inbox->fresh = inbox->spare;
    inbox->spare = NULL;
  }
  if (batch) {
    if (inbox->last) inbox->last->next = batch;
    else inbox->first = batch;
    inbox->last = batch;
  }
  bool wake = inbox->sleeping && news;
  if (wake) inbox->sleeping = false;
  pthread_mutex_unlock(&inbox->mutex);
  return wake;
}

fan_batch *fan_inbox_take(fan_inbox *inbox, bool *stretch_open) {
  pthread_mutex_lock(&inbox->mutex);
  fan_batch *batch = inbox->first;
  inbox->first = inbox->last = NULL;
  inbox->sleeping = false;
  *stretch_open = inbox->stretch_open;
  pass_spent(inbox);
  pthread_mutex_unlock(&inbox->mutex);
  return batch;
}

bool fan_inbox_sleep(fan_inbox *inbox) {
  pthread_mutex_lock(&inbox->mutex);
  inbox->sleeping = !inbox->first;
  pass_spent(inbox);
  bool sleep = inbox->sleeping;
  pthread_mutex_unlock(&inbox->mutex);
  return sleep;
}
