// A value kept on its key, under one of V8's private symbols: what WeakKeyMap might do instead of asking a WeakMap. Measured
// and not used (bench/notes.md). One symbol for the process is enough here.

#include <node.h>
#include <v8.h>

namespace {

v8::Global<v8::Private> symbol;

using Info = v8::FunctionCallbackInfo<v8::Value>;

void Get(const Info& info) {
  v8::Isolate* isolate = info.GetIsolate();
  v8::Local<v8::Value> value;
  if (info[0].As<v8::Object>()->GetPrivate(isolate->GetCurrentContext(), symbol.Get(isolate)).ToLocal(&value))
    info.GetReturnValue().Set(value);
}

void Has(const Info& info) {
  v8::Isolate* isolate = info.GetIsolate();
  const bool has =
      info[0].As<v8::Object>()->HasPrivate(isolate->GetCurrentContext(), symbol.Get(isolate)).FromMaybe(false);
  info.GetReturnValue().Set(has);
}

void Set(const Info& info) {
  v8::Isolate* isolate = info.GetIsolate();
  static_cast<void>(
      info[0].As<v8::Object>()->SetPrivate(isolate->GetCurrentContext(), symbol.Get(isolate), info[1]).FromMaybe(false));
}

void Delete(const Info& info) {
  v8::Isolate* isolate = info.GetIsolate();
  const bool deleted =
      info[0].As<v8::Object>()->DeletePrivate(isolate->GetCurrentContext(), symbol.Get(isolate)).FromMaybe(false);
  info.GetReturnValue().Set(deleted);
}

void Init(v8::Local<v8::Object> exports) {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  symbol.Reset(isolate, v8::Private::New(isolate));
  NODE_SET_METHOD(exports, "get", Get);
  NODE_SET_METHOD(exports, "has", Has);
  NODE_SET_METHOD(exports, "set", Set);
  NODE_SET_METHOD(exports, "delete", Delete);
}

}  // namespace

NODE_MODULE(private_property, Init)
