#include <napi.h>
#include <node_version.h>

#include <string>

#include "environment.h"

namespace {

// This binary speaks V8's C++ API, so it fits one Node.js major only. Modules registered through Node-API are exempt
// from Node's own check; without this one, the wrong binary would crash at its first call.
bool FitsThisNode(Napi::Env env) {
  const napi_node_version* running = nullptr;
  if (napi_get_node_version(env, &running) != napi_ok) return false;
  if (running->major == NODE_MAJOR_VERSION) return true;
  Napi::Error error =
      Napi::Error::New(env, "weakly: this native binary was built for Node.js " + std::to_string(NODE_MAJOR_VERSION) +
                                ", but this is Node.js " + std::to_string(running->major));
  error.Set("code", "ERR_WEAKLY_BINARY");
  error.ThrowAsJavaScriptException();
  return false;
}

// Node.js caches these exports, while a test runner, say, may evaluate the JavaScript over them several times. Each
// evaluation opens an environment of its own; sharing one would have two copies of lib/ release each other's slots.
Napi::Value Open(const Napi::CallbackInfo& info) {
  Napi::Object calls = Napi::Object::New(info.Env());
  weakly::Environment::Start(info.Env(), calls);
  return calls;
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  if (FitsThisNode(env)) exports.Set("open", Napi::Function::New(env, Open, "open"));
  return exports;
}

}  // namespace

NODE_API_MODULE(weakly, Init)
