#ifndef FAN_ENVIRONMENT_H
#define FAN_ENVIRONMENT_H
/*
 * What one JavaScript environment (the main thread, or a worker) has: at most one I/O loop, started by its first client, and the
 * way notices come back. Translates and starts things; decides nothing.
 *
 * Thread: JavaScript's, but for wake(), which the loop calls. Owns: the loop, the thread-safe function, the handler's reference.
 */
#include <napi.h>

#include <cstdint>

extern "C" {
#include "io/loop.h"
}

namespace fanline {

class Environment {
public:
  explicit Environment(Napi::Env env) : env_(env) {}
  Environment(const Environment &) = delete;
  Environment &operator=(const Environment &) = delete;
  /* Runs after the cleanup hooks, so nothing is left to stop. */
  ~Environment() { stop(); }

  static Environment &of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

  /* The function that takes a batch of notices: (count, letters: Float64Array, data: Buffer[] | undefined). */
  void set_handler(Napi::Function handler) { handler_ = Napi::Persistent(handler); }

  /* Numbers that a call passes without converting an array: room numbers and client ids. */
  void set_keys(Napi::Float64Array keys) { keys_ = Napi::Persistent(keys); }
  const double *keys() const { return keys_.Value().Data(); }
  size_t keys_capacity() const { return keys_.Value().ElementLength(); }

  /* Makes the port's hub run on the loop; starts the loop if there is none. False: the system has no thread or descriptor. */
  bool open(fan_port *port);
  /* The port's hub ends, without notices. The last one takes the loop along. */
  void shut(fan_port *port);
  /* The port's holder is being collected: it must not wait for the loop, and may run after the environment's end. */
  void release(fan_port *port, bool opened, bool shut);

  /* On: from now on, as long as the loop runs, the process does not end by itself. */
  void hold(bool on);

  void post(const fan_command &command);
  void flush() {
    if (loop_) fan_loop_flush(loop_);
  }
  void stats(fan_port *port, fan_stats *stats) const;
  uint64_t wakeups() const { return wakeups_ + (loop_ ? fan_loop_wakeups(loop_) : 0); }

  uint64_t new_client() { return ++last_client_; }
  uint64_t new_port() { return ++last_port_; }

private:
  static void wake(void *context);
  static void deliver(napi_env env, napi_value callback, void *context, void *data);
  static void on_cleanup(void *context);
  bool start();
  void stop();
  void take_letters(Napi::Env env);

  Napi::Env env_;
  fan_loop *loop_ = nullptr;
  napi_threadsafe_function signal_ = nullptr;
  Napi::FunctionReference handler_;
  Napi::Reference<Napi::Float64Array> keys_;
  Napi::Reference<Napi::Float64Array> letters_;
  uint64_t last_client_ = 0, last_port_ = 0;
  uint64_t wakeups_ = 0; /* of loops that have ended */
  uint32_t ports_ = 0;   /* opened and neither shut nor released */
};

} // namespace fanline

#endif
