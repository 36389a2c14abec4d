/* What is sent: JavaScript values become frames, and frames are posted. */

#include <string>

#include "encode.h"
#include "hub_wrap.h"
#include "numbers.h"

extern "C" {
#include "core/ticket.h"
}

namespace fanline {

namespace {

/* `<epoch>-<number>`: where an event stands in the history. */
class EventId {
public:
  EventId(const std::string &epoch, uint64_t seq) : text_(epoch + "-" + std::to_string(seq)) {}
  fan_slice slice() const { return {text_.data(), text_.size()}; }

private:
  std::string text_;
};

} // namespace

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
  if (seq && !id.slice().data) {
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

/* (client, data, event, id, retry, key, seq): a kept event for a client that is paused while it catches up */
Napi::Value HubWrap::replayed(const Napi::CallbackInfo &info) {
  fan_buf *frame = nullptr;
  int error = encode(info, 1, to_u64(info[6]), &frame);
  if (!error) error = fan_port_admit(port_, fan_buf_cost(frame));
  if (error) {
    fan_buf_unref(frame);
    return Napi::Number::New(info.Env(), error);
  }
  size_t cost = fan_buf_cost(frame);
  environment_.post(
      {.op = FAN_OP_REPLAYED, .port = port_, .client = to_u64(info[0]), .frame = frame});
  return Napi::Number::New(info.Env(), static_cast<double>(cost));
}

} // namespace fanline
