// What lib/weak/entries.ts can call: see environment_calls.cc, whose conventions these share.

#include <utility>

#include "environment.h"
#include "v8_compat.h"

namespace weakly {

namespace {

using Info = v8::FunctionCallbackInfo<v8::Value>;

uint32_t Argument(const Info& info, int i) { return static_cast<uint32_t>(compat::SmallInteger(info[i])); }

uint32_t HashOfObject(v8::Local<v8::Value> value) {
  return static_cast<uint32_t>(value.As<v8::Object>()->GetIdentityHash());
}

uint32_t HashOfSymbol(v8::Local<v8::Value> value) {
  return static_cast<uint32_t>(value.As<v8::Name>()->GetIdentityHash());
}

int32_t Add(EntryTable& entries, v8::Isolate* isolate, v8::Local<v8::Value> key, uint32_t hash, uint32_t owner) {
  const uint32_t known = entries.FindKey(key, hash, owner);
  return static_cast<int32_t>(known != EntryTable::kNone ? known : entries.AddKey(isolate, key, hash, owner));
}

}  // namespace

void Environment::AddOwner(const Info& info) {
  Environment* environment = From(info);
  const uint32_t owner = environment->entries_.AddOwner(environment->isolate_, info[0]);
  info.GetReturnValue().Set(static_cast<int32_t>(owner));  // kNone arrives as -1, here and below
}

void Environment::AddEntry(const Info& info) {
  Environment* environment = From(info);
  const uint32_t entry =
      environment->entries_.Add(environment->isolate_, info[0], Argument(info, 1), Argument(info, 2));
  info.GetReturnValue().Set(static_cast<int32_t>(entry));
}

void Environment::AddKey(const Info& info) {
  Environment* environment = From(info);
  info.GetReturnValue().Set(
      Add(environment->entries_, environment->isolate_, info[0], HashOfObject(info[0]), Argument(info, 1)));
}

void Environment::AddSymbolKey(const Info& info) {
  Environment* environment = From(info);
  info.GetReturnValue().Set(
      Add(environment->entries_, environment->isolate_, info[0], HashOfSymbol(info[0]), Argument(info, 1)));
}

void Environment::FindKey(const Info& info) {
  const uint32_t entry = From(info)->entries_.FindKey(info[0], HashOfObject(info[0]), Argument(info, 1));
  info.GetReturnValue().Set(static_cast<int32_t>(entry));
}

void Environment::FindSymbolKey(const Info& info) {
  const uint32_t entry = From(info)->entries_.FindKey(info[0], HashOfSymbol(info[0]), Argument(info, 1));
  info.GetReturnValue().Set(static_cast<int32_t>(entry));
}

void Environment::Entry(const Info& info) {
  const Cell& cell = From(info)->entries_.cells().cell(Argument(info, 0));
  // The word of a dead one is a link, which must never be followed as a handle.
  if (cell.live()) info.GetReturnValue().Set(cell.target);
}

void Environment::Retarget(const Info& info) {
  Environment* environment = From(info);
  info.GetReturnValue().Set(environment->entries_.Retarget(environment->isolate_, Argument(info, 0), info[1]));
}

void Environment::DiscardEntry(const Info& info) {
  const EntryTable::Discarded discarded = From(info)->entries_.Discard(Argument(info, 0));
  const bool waits = discarded.place == EntryTable::kNone;
  info.GetReturnValue().Set(waits ? -1 : static_cast<int32_t>(discarded.place << 1 | (discarded.alive ? 1 : 0)));
}

void Environment::CountEntries(const Info& info) {
  Environment* environment = From(info);
  if (environment->MissedGc()) {
    environment->entries_.FindUnseen();
  } else {
    environment->entries_.Finish();
  }
  info.GetReturnValue().Set(static_cast<int32_t>(environment->entries_.Count(Argument(info, 0))));
}

void Environment::TakeEntries(const Info& info) { info.GetReturnValue().Set(From(info)->entries_.Take()); }

void Environment::ReleaseEntries(const Info& info) { From(info)->entries_.Release(); }

// Whether there may have been a GC whose callbacks V8 has skipped, because it began inside those of another one: the canary
// has gone, although every GC that was seen is older; or more than one was, and there was no canary for the last.
bool Environment::MissedGc() {
  const uint64_t seen = minor_gcs_ + major_gcs_;
  const bool missed = seen != canary_gcs_ || canary_.IsEmpty();
  if (missed) {
    canary_.Reset(isolate_, v8::Object::New(isolate_));
    canary_.SetWeak();
    canary_gcs_ = seen;
  }
  if (next_canary_.IsEmpty()) next_canary_.Reset(isolate_, v8::Object::New(isolate_));
  return missed;
}

// In a GC epilogue: from here on the next one is on watch. GCs that are skipped come right after it, in the callbacks of
// others.
void Environment::LetGoOfCanary() {
  if (next_canary_.IsEmpty()) return;
  canary_ = std::move(next_canary_);
  canary_.SetWeak();
  canary_gcs_ = minor_gcs_ + major_gcs_;
}

void Environment::ExportEntries(Napi::Object exports) {
  ExportRaw(exports, "addOwner", AddOwner, 1);
  ExportRaw(exports, "addEntry", AddEntry, 3);
  ExportRaw(exports, "addKey", AddKey, 2);
  ExportRaw(exports, "addSymbolKey", AddSymbolKey, 2);
  ExportRaw(exports, "findKey", FindKey, 2);
  ExportRaw(exports, "findSymbolKey", FindSymbolKey, 2);
  ExportRaw(exports, "entry", Entry, 1);
  ExportRaw(exports, "retarget", Retarget, 2);
  ExportRaw(exports, "discardEntry", DiscardEntry, 1);
  ExportRaw(exports, "countEntries", CountEntries, 1);
  ExportRaw(exports, "takeEntries", TakeEntries, 0);
  ExportRaw(exports, "releaseEntries", ReleaseEntries, 0);
  exports.Set(
      "growEntries",
      Napi::Function::New(
          env_, [this](const Napi::CallbackInfo& info) { return Grow(entries_.cells(), entries_.Reserve(), info); },
          "growEntries"));
  constexpr size_t kBytes = EntryTable::kBatch * sizeof(EntryTable::Dead);
  exports.Set("deadEntries", compat::ToNapi(v8::Int32Array::New(Share(entries_.batch(), kBytes), 0, kBytes / 4)));
}

}  // namespace weakly
