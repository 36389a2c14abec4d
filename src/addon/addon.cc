/* The module's entry: what lib/native.js loads. Everything else is in hub_wrap.cc and environment.cc. */
#include "hub_wrap.h"

extern "C" {
#include "io/sink_fd.h"
}

namespace fanline {

namespace {

/* (handler, keys: Float64Array): once, before anything else; keys again whenever it is replaced by a longer one. */
void setup(const Napi::CallbackInfo &info) {
  Environment &environment = Environment::of(info.Env());
  if (info[0].IsFunction()) environment.set_handler(info[0].As<Napi::Function>());
  environment.set_keys(info[1].As<Napi::Float64Array>());
}

/* The end of a synchronous stretch of JavaScript. */
void flush(const Napi::CallbackInfo &info) { Environment::of(info.Env()).flush(); }

/* (on): may the process end while the loop runs? */
void hold(const Napi::CallbackInfo &info) {
  Environment::of(info.Env()).hold(info[0].As<Napi::Boolean>());
}

/* (fd, userTimeoutMs), (fd): for sockets that JavaScript goes on writing to */
void tune(const Napi::CallbackInfo &info) {
  fan_fd_tune(info[0].As<Napi::Number>().Int32Value(), info[1].As<Napi::Number>().Uint32Value());
}

void untune(const Napi::CallbackInfo &info) {
  fan_fd_untune(info[0].As<Napi::Number>().Int32Value());
}

Napi::Array reasons(Napi::Env env) {
  auto words = Napi::Array::New(env);
#define ADD(name, word) words.Set(static_cast<uint32_t>(FAN_##name), word);
  FAN_REASONS(ADD)
#undef ADD
  return words;
}

Napi::Array drops(Napi::Env env) {
  auto words = Napi::Array::New(env);
#define ADD(name, word) words.Set(static_cast<uint32_t>(FAN_DROP_##name), word);
  FAN_DROPS(ADD)
#undef ADD
  return words;
}

Napi::Object errors(Napi::Env env) {
  auto codes = Napi::Object::New(env);
#define ADD(name, value, text) codes.Set(#name, Napi::Number::New(env, value));
  FAN_ERRORS(ADD)
#undef ADD
  return codes;
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new Environment(env));
  exports.Set("Hub", HubWrap::define(env));
  exports.Set("setup", Napi::Function::New<setup>(env, "setup"));
  exports.Set("flush", Napi::Function::New<flush>(env, "flush"));
  exports.Set("hold", Napi::Function::New<hold>(env, "hold"));
  exports.Set("tune", Napi::Function::New<tune>(env, "tune"));
  exports.Set("untune", Napi::Function::New<untune>(env, "untune"));
  exports.Set("reasons", reasons(env));
  exports.Set("drops", drops(env));
  exports.Set("errors", errors(env));
  return exports;
}

} // namespace

} // namespace fanline

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  return fanline::init(env, exports);
}

NODE_API_MODULE(fanline, Init)
