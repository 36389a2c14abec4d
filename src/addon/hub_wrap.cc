#include "hub_wrap.h"

#include <string>

#include "encode.h"

extern "C" {
#include "core/ticket.h"
#include "io/sink_fd.h"
#include "io/sink_relay.h"
}

namespace fanline {

namespace {

uint64_t to_u64(const Napi::Value &value) {
  return static_cast<uint64_t>(value.As<Napi::Number>().DoubleValue());
}

uint32_t to_u32(const Napi::Value &value) { return value.As<Napi::Number>().Uint32Value(); }

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

/* `<epoch>-<number>`: where an event stands in the history. */
class EventId {
public:
  EventId(const std::string &epoch, uint64_t seq) : text_(epoch + "-" + std::to_string(seq)) {}
  fan_slice slice() const { return {text_.data(), text_.size()}; }

private:
  std::string text_;
};

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
                         InstanceMethod<&HubWrap::join>("join"),
                         InstanceMethod<&HubWrap::leave>("leave"),
                         InstanceMethod<&HubWrap::resume>("resume"),
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

/* (client, cursor or -1: none that could be used, reset data, reset event, reset id or undefined, gate): what it missed, or a reset.
 * So small that it needs no room in the budget. */
Napi::Value HubWrap::resume(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  double cursor = info[1].As<Napi::Number>();
  fan_command command = {.op = FAN_OP_RESUME, .port = port_, .client = to_u64(info[0])};
  command.gate = info[5].As<Napi::Boolean>();
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

/* ---- frames ---- */

int HubWrap::encode(const Napi::CallbackInfo &info, size_t first, uint64_t seq, fan_buf **frame) {
  Napi::Env env = info.Env();
  crossings_++;
  Text text(env, info[first]);
  if (text.size() > event_bytes_) return FAN_ETOOLARGE;
  int error = fan_port_admit(port_, text.size());
  Name event, id, key;
  if (!error) error = event.read(env, info[first + 1]);
  if (!error) error = id.read(env, info[first + 2]);
  if (!error) error = key.read(env, info[first + 4]);
  if (error) return error;
  fan_fields fields = {.id = id.slice(),
                       .event = event.slice(),
                       .retry_ms = FAN_NO_RETRY,
                       .key = key.slice(),
                       .key_seed = key_seed_};
  if (info[first + 3].IsNumber()) fields.retry_ms = info[first + 3].As<Napi::Number>().Int64Value();
  if (seq) {
    EventId own(epoch_, seq);
    fields.id = own.slice();
    *frame = encode_event(fields, text);
  } else {
    *frame = encode_event(fields, text);
  }
  encodes_++;
  if (!*frame) return FAN_ENOMEM;
  (*frame)->seq = seq;
  return 0;
}

/* Takes the frame. */
Napi::Value HubWrap::post_frame(Napi::Env env, const Napi::Value &client, fan_buf *frame,
                                bool must_fit) {
  int error = frame ? 0 : FAN_ENOMEM;
  if (frame && must_fit) error = fan_port_admit(port_, fan_buf_cost(frame));
  if (error) {
    fan_buf_unref(frame);
    return Napi::Number::New(env, error);
  }
  size_t cost = fan_buf_cost(frame);
  environment_.post({.op = FAN_OP_SEND, .port = port_, .client = to_u64(client), .frame = frame});
  return Napi::Number::New(env, static_cast<double>(cost));
}

/* (client, data, event, id, retry, key) */
Napi::Value HubWrap::send(const Napi::CallbackInfo &info) {
  fan_buf *frame = nullptr;
  int error = encode(info, 1, 0, &frame);
  if (error) return Napi::Number::New(info.Env(), error);
  return post_frame(info.Env(), info[0], frame);
}

/* (everyone, rooms, clients, exceptRooms, exceptClients, data, event, id, retry, key, seq, ticket); the four counts say how the
 * numbers in the shared array are to be read; seq 0: not kept; ticket 0: nobody asks what becomes of it. The hub is open. */
Napi::Value HubWrap::publish(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  fan_command command = {.op = FAN_OP_PUBLISH, .port = port_};
  uint64_t ticket = to_u64(info[11]);
  int error = encode(info, 5, to_u64(info[10]), &command.frame);
  if (!error) error = fan_port_admit(port_, fan_buf_cost(command.frame));
  if (!error && ticket) error = fan_ticket_attach(command.frame, ticket);
  bool everyone = info[0].As<Napi::Boolean>();
  uint32_t counts[4], total = 0;
  for (int i = 0; i < 4; i++) total += counts[i] = to_u32(info[1 + i]);
  if (!error && !everyone && total == 1 && counts[0] == 1) {
    command.number = static_cast<uint64_t>(environment_.keys()[0]);
  } else if (!error) {
    command.target = fan_target_new(total);
    if (!command.target) error = FAN_ENOMEM;
  }
  if (error) {
    fan_buf_unref(command.frame);
    return Napi::Number::New(env, error);
  }
  if (command.target) {
    fan_target *target = command.target;
    target->everyone = everyone;
    target->rooms = counts[0];
    target->clients = counts[1];
    target->except_rooms = counts[2];
    target->except_clients = counts[3];
    const double *keys = environment_.keys();
    for (uint32_t i = 0; i < total; i++) target->keys[i] = static_cast<uint64_t>(keys[i]);
  }
  size_t cost = fan_buf_cost(command.frame);
  environment_.post(command);
  return Napi::Number::New(env, static_cast<double>(cost));
}

/* (client, text) */
Napi::Value HubWrap::comment(const Napi::CallbackInfo &info) {
  std::string text = info[1].As<Napi::String>().Utf8Value();
  if (text.size() > event_bytes_) return Napi::Number::New(info.Env(), FAN_ETOOLARGE);
  return post_frame(info.Env(), info[0],
                    fan_frame_comment({text.data(), text.size()}, FAN_BUF_COMMENT));
}

/* (client, ms) */
Napi::Value HubWrap::retry(const Napi::CallbackInfo &info) {
  int64_t retry_ms = info[1].As<Napi::Number>().Int64Value();
  return post_frame(info.Env(), info[0], fan_frame_retry(retry_ms));
}

/* (client, ms or -1): what a stream opens and is sent away with; so small that it needs no room in the budget, for nobody is refused
 * because a hub is busy. */
Napi::Value HubWrap::greet(const Napi::CallbackInfo &info) {
  int64_t retry_ms = info[1].As<Napi::Number>().Int64Value();
  fan_buf *frame =
      retry_ms < 0 ? fan_frame_comment({"", 0}, FAN_BUF_COMMENT) : fan_frame_retry(retry_ms);
  return post_frame(info.Env(), info[0], frame, false);
}

/* (client, id): the cursor of a client that has got everything up to there; joins the next block. It needs no room either. */
Napi::Value HubWrap::mark(const Napi::CallbackInfo &info) {
  Name id;
  if (id.read(info.Env(), info[1]) != 0) return Napi::Number::New(info.Env(), FAN_ETOOLARGE);
  return post_frame(info.Env(), info[0], fan_frame_id(id.slice()), false);
}

/* (client, bytes): lines of an event stream that the application wrote itself; not empty */
Napi::Value HubWrap::text(const Napi::CallbackInfo &info) {
  auto bytes = info[1].As<Napi::Uint8Array>();
  fan_slice slice = {bytes.Data(), bytes.ByteLength()};
  return post_frame(info.Env(), info[0], fan_frame_text(slice, FAN_BUF_EVENT));
}

/* (client, bytes): what Node itself wrote, with its own transfer coding */
Napi::Value HubWrap::verbatim(const Napi::CallbackInfo &info) {
  auto bytes = info[1].As<Napi::Uint8Array>();
  fan_slice slice = {bytes.Data(), bytes.ByteLength()};
  return post_frame(info.Env(), info[0], fan_frame_verbatim(slice));
}

/* ---- the hub ---- */

/* Its name in notices. */
Napi::Value HubWrap::id(const Napi::CallbackInfo &info) {
  return Napi::Number::New(info.Env(), static_cast<double>(id_));
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
