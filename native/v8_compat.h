// Every difference between the V8 versions of Node 20, 22, 24 and 26. No other file has a version #if.

#ifndef WEAKLY_V8_COMPAT_H_
#define WEAKLY_V8_COMPAT_H_

#include <node_api.h>
#include <v8-internal.h>
#include <v8.h>

#include <cstring>

#define WEAKLY_V8_AT_LEAST(major, minor) \
  (V8_MAJOR_VERSION > (major) || (V8_MAJOR_VERSION == (major) && V8_MINOR_VERSION >= (minor)))

namespace weakly::compat {

// V8 11.3 calls bit 1 "minor mark-compact", later versions "minor mark-sweep".
#if WEAKLY_V8_AT_LEAST(12, 0)
inline constexpr int kMinorGc = v8::kGCTypeScavenge | v8::kGCTypeMinorMarkSweep;
#else
inline constexpr int kMinorGc = v8::kGCTypeScavenge | v8::kGCTypeMinorMarkCompact;
#endif
inline constexpr int kMajorGc = v8::kGCTypeMarkSweepCompact;

// From V8 14 on, an External names the type of what it points to, and is read back with the same tag.
#if WEAKLY_V8_AT_LEAST(14, 0)
inline v8::Local<v8::External> NewExternal(v8::Isolate* isolate, void* pointer) {
  return v8::External::New(isolate, pointer, v8::kExternalPointerTypeTagDefault);
}
inline void* ReadExternal(v8::Local<v8::Value> value) {
  return value.As<v8::External>()->Value(v8::kExternalPointerTypeTagDefault);
}
#else
inline v8::Local<v8::External> NewExternal(v8::Isolate* isolate, void* pointer) {
  return v8::External::New(isolate, pointer);
}
inline void* ReadExternal(v8::Local<v8::Value> value) { return value.As<v8::External>()->Value(); }
#endif

// Node.js 24 keeps the asynchronous context (AsyncLocalStorage) in V8, and so does 22 if asked to; undefined is none.
inline void LeaveAsyncContext(v8::Isolate* isolate) {
#if WEAKLY_V8_AT_LEAST(14, 0)
  isolate->SetContinuationPreservedEmbedderDataV2(v8::Undefined(isolate));
#elif WEAKLY_V8_AT_LEAST(12, 0)
  isolate->SetContinuationPreservedEmbedderData(v8::Undefined(isolate));
#endif
}

// The value of a small integer, without the call into V8 that Int32::Value() is: a tenth of the price of a hot function.
// The caller guarantees that it is one; lib/weak passes nothing but slot numbers.
inline int32_t SmallInteger(v8::Local<v8::Value> value) {
  return v8::internal::Internals::SmiValue(*reinterpret_cast<const v8::internal::Address*>(*value));
}

// A napi_value is a v8::Local by another name: both are one pointer to a handle. Node-API promises nothing about it,
// so the sizes are pinned here, and the suite of every major proves the rest.
static_assert(sizeof(napi_value) == sizeof(v8::Local<v8::Value>));

inline napi_value ToNapi(v8::Local<v8::Value> local) {
  napi_value value;
  std::memcpy(&value, &local, sizeof(value));
  return value;
}

inline v8::Local<v8::Value> FromNapi(napi_value value) {
  v8::Local<v8::Value> local;
  std::memcpy(static_cast<void*>(&local), &value, sizeof(value));
  return local;
}

}  // namespace weakly::compat

#endif  // WEAKLY_V8_COMPAT_H_
