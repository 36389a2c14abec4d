#include "environment.h"

namespace fanline {

namespace {
constexpr size_t kLetterFields = 6; /* kind, reason, id, three numbers: see fan_letter */
}

/* ---- notices: loop -> JavaScript ---- */

/* On the loop's thread. The thread-safe function is only a bell; what it rings for lies in the outbox. */
void Environment::wake(void *context) {
  auto *self = static_cast<Environment *>(context);
  napi_call_threadsafe_function(self->signal_, nullptr, napi_tsfn_nonblocking);
}

void Environment::deliver(napi_env env, napi_value, void *context, void *) {
  auto *self = static_cast<Environment *>(context);
  if (env && self->loop_) self->take_letters(Napi::Env(env));
}

void Environment::take_letters(Napi::Env env) {
  const fan_letters *letters = fan_loop_take(loop_);
  if (!letters->count) return;
  Napi::HandleScope scope(env);
  size_t needed = letters->count * kLetterFields;
  if (letters_.IsEmpty() || letters_.Value().ElementLength() < needed)
    letters_ = Napi::Persistent(Napi::Float64Array::New(env, needed < 1024 ? 1024 : needed * 2));
  double *field = letters_.IsEmpty() ? nullptr : letters_.Value().Data();
  if (!field) { /* a worker is being terminated: nobody will hear of them */
    for (size_t i = 0; i < letters->count; i++) fan_free(letters->items[i].data);
    return;
  }
  Napi::Value data = env.Undefined();
  uint32_t blocks = 0;
  for (size_t i = 0; i < letters->count; i++) {
    const fan_letter &letter = letters->items[i];
    *field++ = letter.kind;
    *field++ = letter.reason;
    *field++ = static_cast<double>(letter.id);
    for (uint64_t number : letter.numbers) *field++ = static_cast<double>(number);
    if (!letter.data) continue;
    if (data.IsUndefined()) data = Napi::Array::New(env);
    auto *bytes = static_cast<char *>(letter.data);
    data.As<Napi::Array>().Set(blocks++, Napi::Buffer<char>::Copy(env, bytes, letter.size));
    fan_free(letter.data);
  }
  handler_.Call(
      {Napi::Number::New(env, static_cast<double>(letters->count)), letters_.Value(), data});
}

/* ---- the loop's life ---- */

void Environment::on_cleanup(void *context) { static_cast<Environment *>(context)->stop(); }

/* First the thread-safe function, then the hook, then the thread: so the hook, which joins, runs before Node tears the
 * function down. */
bool Environment::start() {
  if (loop_) return true;
  loop_ = fan_loop_new(wake, this);
  if (!loop_) return false;
  auto name = Napi::String::New(env_, "fanline");
  if (napi_create_threadsafe_function(env_, nullptr, nullptr, name, 0, 1, nullptr, nullptr, this,
                                      deliver, &signal_) != napi_ok) {
    fan_loop_free(loop_);
    loop_ = nullptr;
    return false;
  }
  napi_unref_threadsafe_function(env_,
                                 signal_); /* open responses keep the process alive, see hold() */
  napi_add_env_cleanup_hook(env_, on_cleanup, this);
  if (fan_loop_start(loop_) == 0) return true;
  stop();
  return false;
}

void Environment::stop() {
  if (!loop_) return;
  fan_loop_stop(loop_);
  wakeups_ += fan_loop_wakeups(loop_);
  napi_remove_env_cleanup_hook(env_, on_cleanup, this);
  napi_release_threadsafe_function(signal_, napi_tsfn_abort);
  signal_ = nullptr;
  fan_loop_free(loop_);
  loop_ = nullptr;
  ports_ = 0;
}

void Environment::hold(bool on) {
  if (!loop_) return;
  if (on) napi_ref_threadsafe_function(env_, signal_);
  else napi_unref_threadsafe_function(env_, signal_);
}

bool Environment::open(fan_port *port) {
  if (!start()) return false;
  ports_++;
  post({.op = FAN_OP_OPEN, .port = port});
  return true;
}

void Environment::shut(fan_port *port) {
  if (!loop_) return; /* stopped: its hub is gone already */
  post({.op = FAN_OP_SHUT, .port = port});
  fan_loop_flush(loop_);
  if (--ports_ == 0) stop();
}

void Environment::release(fan_port *port, bool opened, bool shut) {
  if (!opened || !loop_) {
    fan_port_free(port);
    return;
  }
  if (!shut) ports_--;
  post({.op = FAN_OP_FREE, .port = port});
  fan_loop_flush(loop_);
  /* nothing else may ever be posted */ /* behind whatever of this port is still in the inbox */
}

/* Without a loop the command's hub has ended: it finds nothing, as one that comes late to a loop does. */
static void drop(const fan_command &command) {
  if (command.op == FAN_OP_ATTACH) command.sink->ops->close(command.sink, FAN_SINK_EVICT);
  if (command.op == FAN_OP_PUBLISH) fan_free(command.target);
  fan_buf_unref(command.frame);
}

void Environment::post(const fan_command &command) {
  if (!loop_) drop(command);
  else if (fan_loop_post(loop_, &command) != 0)
    Napi::Error::Fatal("fanline", "out of memory while posting a command");
}

void Environment::stats(fan_port *port, fan_stats *stats) const {
  if (loop_) fan_loop_stats(loop_, port, stats);
  else fan_port_stats(port, stats);
}

} // namespace fanline
