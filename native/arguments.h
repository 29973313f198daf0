// What a hot call is given, looked at before it is used.
//
// Hot calls come from lib/ of this very package, and are checked all the same: once, a place that lib/ had kept in an array
// of the users' keys came back as a boxed number, its address was taken for the number of a cell, and a collection gave out
// the objects of another. So whatever lib/ does, or whatever has been done to it: a number is used only if it is a small
// integer within its bounds, a cell only if it is of the generation that is asked for, and anything else is a coded error.

#ifndef WEAKLY_ARGUMENTS_H_
#define WEAKLY_ARGUMENTS_H_

#include <v8.h>

#include <cstdint>

#include "v8_compat.h"

namespace weakly {

using Info = v8::FunctionCallbackInfo<v8::Value>;

// A small integer from 0 to `limit`, exclusive.
inline bool ReadIndex(v8::Local<v8::Value> value, uint32_t limit, uint32_t* index) {
  int32_t number;
  if (!compat::ReadSmallInteger(value, &number)) [[unlikely]]
    return false;
  *index = static_cast<uint32_t>(number);
  return *index < limit;
}

// Any small integer: what is no generation of a cell is not that of the cell, either.
inline bool ReadGeneration(v8::Local<v8::Value> value, uint32_t* generation) {
  int32_t number;
  if (!compat::ReadSmallInteger(value, &number)) [[unlikely]]
    return false;
  *generation = static_cast<uint32_t>(number);
  return true;
}

// What a weak handle can be made for. Registered symbols are told from others by lib/; here they are only never dead.
inline bool IsTarget(v8::Local<v8::Value> value) { return value->IsObject() || value->IsSymbol(); }

// Of a target.
inline uint32_t IdentityHash(v8::Local<v8::Value> target) {
  return static_cast<uint32_t>(target->IsSymbol() ? target.As<v8::Name>()->GetIdentityHash()
                                                  : target.As<v8::Object>()->GetIdentityHash());
}

// Throws ERR_WEAKLY_INTERNAL, and leaves everything as it was. `expected` says which argument, and what it has to be.
void Refuse(v8::Isolate* isolate, const char* expected);
inline void Refuse(const Info& info, const char* expected) { Refuse(info.GetIsolate(), expected); }

}  // namespace weakly

#endif  // WEAKLY_ARGUMENTS_H_
