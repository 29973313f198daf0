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

// Objects that have a pointer, for the functions of the addon; from V8 14.2 on, the pointer's type is named, and read back
// with the same tag; 14.1 (Node.js 25) can name one, and has no name for it.
inline v8::Local<v8::ObjectTemplate> DataShape(v8::Isolate* isolate) {
  const v8::Local<v8::ObjectTemplate> shape = v8::ObjectTemplate::New(isolate);
  shape->SetInternalFieldCount(1);
  return shape;
}
inline void SetData(v8::Local<v8::Object> data, void* pointer) {
#if WEAKLY_V8_AT_LEAST(14, 2)
  data->SetAlignedPointerInInternalField(0, pointer, v8::kEmbedderDataTypeTagDefault);
#else
  data->SetAlignedPointerInInternalField(0, pointer);
#endif
}
inline void* ReadData(v8::Isolate* isolate, v8::Local<v8::Value> data) {
#if WEAKLY_V8_AT_LEAST(14, 2)
  return data.As<v8::Object>()->GetAlignedPointerFromInternalField(isolate, 0, v8::kEmbedderDataTypeTagDefault);
#elif WEAKLY_V8_AT_LEAST(12, 0)
  return data.As<v8::Object>()->GetAlignedPointerFromInternalField(isolate, 0);
#else
  static_cast<void>(isolate);
  return data.As<v8::Object>()->GetAlignedPointerFromInternalField(0);
#endif
}

// Node.js 24 keeps the asynchronous context (AsyncLocalStorage) in V8, and so does 22 if asked to; undefined is none.
inline void LeaveAsyncContext(v8::Isolate* isolate) {
#if WEAKLY_V8_AT_LEAST(14, 0)
  isolate->SetContinuationPreservedEmbedderDataV2(v8::Undefined(isolate));
#elif WEAKLY_V8_AT_LEAST(12, 0)
  isolate->SetContinuationPreservedEmbedderData(v8::Undefined(isolate));
#endif
}

// The value of a small integer, without the call into V8 that Int32::Value() is: a tenth of the price of a hot function.
// False for anything else, boxed numbers included: what they would be taken for is an address.
inline bool ReadSmallInteger(v8::Local<v8::Value> value, int32_t* number) {
  const v8::internal::Address tagged = *reinterpret_cast<const v8::internal::Address*>(*value);
  if (v8::internal::Internals::HasHeapObjectTag(tagged)) return false;
  *number = static_cast<int32_t>(v8::internal::Internals::SmiValue(tagged));
  return true;
}

// Where a value is, or what it is if it is a small integer. A GC may move it; to be compared with nothing but the like.
#if defined(V8_ENABLE_DIRECT_HANDLE)
#error "weakly: a handle of this build of V8 is the object itself, and not where it is noted"
#endif
inline uintptr_t RawValue(v8::Local<v8::Value> value) {
  return *reinterpret_cast<const v8::internal::Address*>(*value);
}
// The same of what a handle that is not empty has.
inline uintptr_t RawValue(const v8::Global<v8::Value>& value) {
  static_assert(sizeof(value) == sizeof(v8::internal::Address*));
  return **reinterpret_cast<const v8::internal::Address* const*>(&value);
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
