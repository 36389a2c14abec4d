#include "hub_wrap.h"

#include <string>

#include "encode.h"
#include "numbers.h"

extern "C" {
#include "io/sink_fd.h"
#include "io/sink_relay.h"
}

namespace fanline {

namespace {

template <size_t size> Napi::Array counts_of(Napi::Env env, const uint64_t (&counts)[size]) {
  auto array = Napi::Array::New(env, size);
  for (size_t i = 0; i < size; i++)
    array.Set(static_cast<uint32_t>(i), Napi::Number::New(env, static_cast<double>(counts[i])));
  return array;
}

/* A number from lib/; 0 if the environment ends meanwhile: reading a property fails then, and answers an empty value. */
uint64_t number_of(const Napi::Object &options, const char *name) {
  Napi::Value value = options.Get(name);
  return value.IsNumber() ? to_u64(value) : 0;
}

uint32_t small_of(const Napi::Object &options, const char *name) {
  return static_cast<uint32_t>(number_of(options, name));
}

fan_limits limits_of(const Napi::Object &options) {
  return {.queue_bytes = static_cast<size_t>(number_of(options, "queueBytes")),
          .total_bytes = static_cast<size_t>(number_of(options, "totalBytes")),
          .stall_ms = small_of(options, "stallTimeout"),
          .idle_ms = small_of(options, "idleTimeout"),
          .batch_ms = small_of(options, "batchDelay"),
          .overflow = static_cast<fan_overflow>(small_of(options, "overflow"))};
}

fan_history_limits history_of(const Napi::Object &options) {
  return {.events = small_of(options, "historyEvents"),
          .bytes = static_cast<size_t>(number_of(options, "historyBytes")),
          .age_ms = number_of(options, "historyAge")};
}

/* What is sent after silence: a comment, or an event whose data is the interval, so that a page can watch for it. */
fan_buf *make_heartbeat(Napi::Env env, const Napi::Value &event, uint32_t interval_ms) {
  if (!interval_ms) return nullptr;
  if (!event.IsString()) return fan_frame_comment({"", 0}, FAN_BUF_HEARTBEAT);
  Name name;
  if (name.read(env, event) != 0) return nullptr; /* lib/ has bounded its length */
  fan_fields fields = {.event = name.slice(), .retry_ms = FAN_NO_RETRY};
  std::string data = std::to_string(interval_ms);
  fan_buf *frame = fan_frame_begin(&fields, data.size());
  if (!frame) return nullptr;
  data.copy(fan_frame_data(frame), data.size());
  frame = fan_frame_seal(frame, data.size());
  if (frame) frame->kind = FAN_BUF_HEARTBEAT;
  return frame;
}

} // namespace

Napi::Function HubWrap::define(Napi::Env env) {
  return DefineClass(env, "Hub",
                     {
                         InstanceMethod<&HubWrap::open>("open"),
                         InstanceMethod<&HubWrap::connect>("connect"),
                         InstanceMethod<&HubWrap::attach_fd>("attachFd"),
                         InstanceMethod<&HubWrap::attach_relay>("attachRelay"),
                         InstanceMethod<&HubWrap::detach>("detach"),
                         InstanceMethod<&HubWrap::join>("join"),
                         InstanceMethod<&HubWrap::leave>("leave"),
                         InstanceMethod<&HubWrap::resume>("resume"),
                         InstanceMethod<&HubWrap::replayed>("replayed"),
                         InstanceMethod<&HubWrap::restart>("restart"),
                         InstanceMethod<&HubWrap::gate>("gate"),
                         InstanceMethod<&HubWrap::ungate>("ungate"),
                         InstanceMethod<&HubWrap::send>("send"),
                         InstanceMethod<&HubWrap::publish>("publish"),
                         InstanceMethod<&HubWrap::comment>("comment"),
                         InstanceMethod<&HubWrap::retry>("retry"),
                         InstanceMethod<&HubWrap::greet>("greet"),
                         InstanceMethod<&HubWrap::mark>("mark"),
                         InstanceMethod<&HubWrap::text>("text"),
                         InstanceMethod<&HubWrap::verbatim>("verbatim"),
                         InstanceMethod<&HubWrap::credit>("credit"),
                         InstanceMethod<&HubWrap::close>("close"),
                         InstanceMethod<&HubWrap::kill>("kill"),
                         InstanceMethod<&HubWrap::evict>("evict"),
                         InstanceMethod<&HubWrap::shut>("shut"),
                         InstanceMethod<&HubWrap::stats>("stats"),
                         InstanceAccessor<&HubWrap::id>("id"),
                     });
}

HubWrap::HubWrap(const Napi::CallbackInfo &info)
    : Napi::ObjectWrap<HubWrap>(info), environment_(Environment::of(info.Env())) {
  if (IsEmpty())
    return; /* not wrapped, for the environment is ending: no method of it will ever run */
  auto options = info[0].As<Napi::Object>();
  Napi::Value epoch = options.Get("epoch");
  if (!epoch.IsString()) return; /* it is ending now */
  epoch_ = epoch.As<Napi::String>();
  event_bytes_ = static_cast<size_t>(number_of(options, "eventBytes"));
  key_seed_ = number_of(options, "keySeed");
  id_ = environment_.new_port();
  fan_limits limits = limits_of(options);
  fan_history_limits history = history_of(options);
  uint32_t heartbeat_ms = small_of(options, "heartbeat");
  fan_buf *heartbeat = make_heartbeat(info.Env(), options.Get("heartbeatEvent"), heartbeat_ms);
  if (heartbeat || !heartbeat_ms) port_ = fan_port_new(id_, &limits, &history, heartbeat);
  if (port_) return;
  fan_buf_unref(heartbeat);
  Napi::Error::New(info.Env(), "out of memory").ThrowAsJavaScriptException();
}

/* May run while the environment is torn down, after the loop was stopped: touches no JavaScript and waits for nobody. */
void HubWrap::Finalize(Napi::BasicEnv) {
  if (port_) environment_.release(port_, opened_, shut_);
  port_ = nullptr;
}

/* ---- clients ---- */

/* () -> boolean: does the hub run on the loop? False: no thread could be started. */
Napi::Value HubWrap::open(const Napi::CallbackInfo &info) {
  opened_ = opened_ || environment_.open(port_);
  return Napi::Boolean::New(info.Env(), opened_);
}

/* (heartbeatMs, ownHeartbeatEvent: string | null | undefined, lifetimeMs) -> client id. The hub is open. Undefined means the hub's
 * own heartbeat. */
Napi::Value HubWrap::connect(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  uint32_t heartbeat_ms = to_u32(info[0]);
  fan_command command = {.op = FAN_OP_CONNECT, .port = port_};
  command.client = environment_.new_client();
  command.number = heartbeat_ms;
  command.lifetime_ms = to_u64(info[2]);
  if (!info[1].IsUndefined()) command.frame = make_heartbeat(env, info[1], heartbeat_ms);
  environment_.post(command);
  return Napi::Number::New(env, static_cast<double>(command.client));
}

/* (client, fd, raw, userTimeoutMs) -> 0 or a negative error: nothing is attached then. */
Napi::Value HubWrap::attach_fd(const Napi::CallbackInfo &info) {
  fan_command command = {.op = FAN_OP_ATTACH, .port = port_, .client = to_u64(info[0])};
  int fd = info[1].As<Napi::Number>().Int32Value();
  int error = fan_sink_fd_open(fd, to_u32(info[3]), info[2].As<Napi::Boolean>(), &command.sink);
  if (!error) environment_.post(command);
  return Napi::Number::New(info.Env(), error);
}

/* (client) -> 0 or a negative error. */
Napi::Value HubWrap::attach_relay(const Napi::CallbackInfo &info) {
  fan_command command = {.op = FAN_OP_ATTACH, .port = port_, .client = to_u64(info[0])};
  command.sink = fan_sink_relay_new();
  if (command.sink) environment_.post(command);
  return Napi::Number::New(info.Env(), command.sink ? 0 : FAN_ENOMEM);
}

/* (client, number) */
void HubWrap::post_number(fan_op op, const Napi::CallbackInfo &info) {
  fan_command command = {.op = static_cast<uint8_t>(op), .port = port_};
  command.client = to_u64(info[0]);
  command.number = to_u64(info[1]);
  environment_.post(command);
}

void HubWrap::join(const Napi::CallbackInfo &info) { post_number(FAN_OP_JOIN, info); }
void HubWrap::leave(const Napi::CallbackInfo &info) { post_number(FAN_OP_LEAVE, info); }
void HubWrap::credit(const Napi::CallbackInfo &info) { post_number(FAN_OP_CREDIT, info); }

/* (client, cursor or -1: none that could be used, reset data, reset event, reset id or undefined, otherwise: what is done when it is
 * impossible): what it missed, or a reset. So small that it needs no room in the budget. */
Napi::Value HubWrap::resume(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  double cursor = info[1].As<Napi::Number>();
  fan_command command = {.op = FAN_OP_RESUME, .port = port_, .client = to_u64(info[0])};
  command.otherwise = static_cast<uint8_t>(to_u32(info[5]));
  command.number = cursor < 0 ? FAN_NO_CURSOR : static_cast<uint64_t>(cursor);
  Text text(env, info[2]);
  Name event, id;
  if (event.read(env, info[3]) != 0 || id.read(env, info[4]) != 0)
    return Napi::Number::New(env, FAN_ETOOLARGE);
  fan_fields fields = {.id = id.slice(), .event = event.slice(), .retry_ms = FAN_NO_RETRY};
  command.frame = encode_event(fields, text);
  if (!command.frame) return Napi::Number::New(env, FAN_ENOMEM);
  environment_.post(command);
  return Napi::Number::New(env, 0);
}

/* (client) */
void HubWrap::post_plain(fan_op op, const Napi::CallbackInfo &info) {
  environment_.post({.op = static_cast<uint8_t>(op), .port = port_, .client = to_u64(info[0])});
}

void HubWrap::detach(const Napi::CallbackInfo &info) { post_plain(FAN_OP_DETACH, info); }
void HubWrap::gate(const Napi::CallbackInfo &info) { post_plain(FAN_OP_GATE, info); }
void HubWrap::ungate(const Napi::CallbackInfo &info) { post_plain(FAN_OP_UNGATE, info); }

/* (client, reason) */
void HubWrap::post_reason(fan_op op, const Napi::CallbackInfo &info) {
  fan_command command = {.op = static_cast<uint8_t>(op),
                         .reason = static_cast<uint8_t>(to_u32(info[1]))};
  command.port = port_;
  command.client = to_u64(info[0]);
  environment_.post(command);
}

void HubWrap::close(const Napi::CallbackInfo &info) { post_reason(FAN_OP_CLOSE, info); }
void HubWrap::kill(const Napi::CallbackInfo &info) { post_reason(FAN_OP_KILL, info); }
void HubWrap::evict(const Napi::CallbackInfo &info) { post_reason(FAN_OP_EVICT, info); }

/* ---- the hub ---- */

/* Its name in notices. */
Napi::Value HubWrap::id(const Napi::CallbackInfo &info) {
  return Napi::Number::New(info.Env(), static_cast<double>(id_));
}

/* (seq): what was sent up to there can't be replayed here. The hub is open. */
void HubWrap::restart(const Napi::CallbackInfo &info) {
  environment_.post({.op = FAN_OP_RESTART, .port = port_, .number = to_u64(info[0])});
}

void HubWrap::shut(const Napi::CallbackInfo &) {
  if (opened_ && !shut_) environment_.shut(port_);
  shut_ = true;
}

Napi::Value HubWrap::stats(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  auto result = Napi::Object::New(env);
  fan_stats stats = {};
  environment_.stats(port_, &stats);
#define SET(name) result.Set(#name, Napi::Number::New(env, static_cast<double>(stats.name)));
  FAN_STATS(SET)
#undef SET
  result.Set("ended", counts_of(env, stats.ended));
  result.Set("dropped_events", counts_of(env, stats.dropped_events));
  result.Set("dropped_bytes", counts_of(env, stats.dropped_bytes));
  result.Set("shed_events", counts_of(env, stats.shed_events));
  result.Set("shed_bytes", counts_of(env, stats.shed_bytes));
  result.Set("crossings", Napi::Number::New(env, static_cast<double>(crossings_)));
  result.Set("encodes", Napi::Number::New(env, static_cast<double>(encodes_)));
  result.Set("inbox_bytes",
             Napi::Number::New(env, static_cast<double>(fan_port_inbox_bytes(port_))));
  result.Set("live_bytes", Napi::Number::New(env, static_cast<double>(fan_port_live_bytes(port_))));
  result.Set("wakeups", Napi::Number::New(env, static_cast<double>(environment_.wakeups())));
  return result;
}

} // namespace fanline
