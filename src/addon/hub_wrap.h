#ifndef FAN_HUB_WRAP_H
#define FAN_HUB_WRAP_H
/*
 * The one wrapped object: a hub. Each method turns its arguments into a command, posts it, and answers at once; what happened is
 * told by notices. Arguments have been checked by lib/; here their types are relied upon.
 *
 * Methods that encode answer the frame's cost in bytes, or a negative enum fan_error, and then nothing was posted.
 *
 * Thread: JavaScript's. Owns: its port, until the loop frees it.
 */
#include "environment.h"

#include <string>

namespace fanline {

class HubWrap : public Napi::ObjectWrap<HubWrap> {
public:
  static Napi::Function define(Napi::Env env);

  /* ({ queueBytes, totalBytes, eventBytes, stallTimeout, idleTimeout, batchDelay, overflow: enum fan_overflow, heartbeat: ms,
   * heartbeatEvent: string | null, historyEvents, historyBytes, historyAge: ms, epoch, keySeed }) */
  explicit HubWrap(const Napi::CallbackInfo &info);
  void Finalize(Napi::BasicEnv env) override;

private:
  Napi::Value open(const Napi::CallbackInfo &info);
  Napi::Value connect(const Napi::CallbackInfo &info);
  Napi::Value attach_fd(const Napi::CallbackInfo &info);
  Napi::Value attach_relay(const Napi::CallbackInfo &info);
  void detach(const Napi::CallbackInfo &info);
  void join(const Napi::CallbackInfo &info);
  void leave(const Napi::CallbackInfo &info);
  Napi::Value resume(const Napi::CallbackInfo &info);
  Napi::Value replayed(const Napi::CallbackInfo &info);
  void restart(const Napi::CallbackInfo &info);
  void gate(const Napi::CallbackInfo &info);
  void ungate(const Napi::CallbackInfo &info);
  Napi::Value send(const Napi::CallbackInfo &info);
  Napi::Value publish(const Napi::CallbackInfo &info);
  Napi::Value comment(const Napi::CallbackInfo &info);
  Napi::Value retry(const Napi::CallbackInfo &info);
  Napi::Value greet(const Napi::CallbackInfo &info);
  Napi::Value mark(const Napi::CallbackInfo &info);
  Napi::Value text(const Napi::CallbackInfo &info);
  Napi::Value verbatim(const Napi::CallbackInfo &info);
  void credit(const Napi::CallbackInfo &info);
  void close(const Napi::CallbackInfo &info);
  void kill(const Napi::CallbackInfo &info);
  void evict(const Napi::CallbackInfo &info);
  void shut(const Napi::CallbackInfo &info);
  Napi::Value stats(const Napi::CallbackInfo &info);
  Napi::Value id(const Napi::CallbackInfo &info);

  /* Encodes (data, event, id, retry, key) found from info[first] on; with a seq the id is ours. 0 and *frame, or an error. */
  int encode(const Napi::CallbackInfo &info, size_t first, uint64_t seq, fan_buf **frame);
  Napi::Value post_frame(Napi::Env env, const Napi::Value &client, fan_buf *frame,
                         bool must_fit = true);
  void post_plain(fan_op op, const Napi::CallbackInfo &info);
  void post_number(fan_op op, const Napi::CallbackInfo &info);
  void post_reason(fan_op op, const Napi::CallbackInfo &info);

  Environment &environment_;
  fan_port *port_ = nullptr;
  uint64_t id_ = 0;
  size_t event_bytes_ = 0;
  std::string epoch_;
  uint64_t key_seed_ = 0;
  bool opened_ = false, shut_ = false;
  uint64_t crossings_ = 0, encodes_ = 0;
};

} // namespace fanline

#endif
