// What lib/weak/entries.ts can call: see environment_calls.cc, whose conventions these share.

#include <utility>

#include "arguments.h"
#include "environment.h"
#include "v8_compat.h"

namespace weakly {

namespace {

// The entry, or the owner, that two arguments name.
bool ReadCell(const EntryTable& entries, const Info& info, int i, uint32_t* cell, uint32_t* generation) {
  return ReadIndex(info[i], entries.cells().capacity(), cell) && ReadGeneration(info[i + 1], generation);
}

// An owner that adds, finds or counts is at work, and so alive.
bool ReadOwner(const EntryTable& entries, const Info& info, int i, uint32_t* owner) {
  uint32_t generation;
  return ReadCell(entries, info, i, owner, &generation) && entries.IsLiveOwner(*owner, generation);
}

}  // namespace

void Environment::AddOwner(const Info& info) {
  Environment* environment = From(info);
  if (!info[0]->IsObject()) return Refuse(info, "an object to be an owner");
  const uint32_t owner = environment->entries_.AddOwner(environment->isolate_, info[0]);
  info.GetReturnValue().Set(static_cast<int32_t>(owner));  // kNone arrives as -1, here and below
}

void Environment::AddEntry(const Info& info) {
  Environment* environment = From(info);
  EntryTable& entries = environment->entries_;
  uint32_t owner;
  uint32_t place;
  if (!IsTarget(info[0]) || !ReadOwner(entries, info, 1, &owner) || !ReadIndex(info[3], EntryTable::kMaxPlaces, &place))
    return Refuse(info, "a target, a living owner and its generation, and a place to add an entry");
  info.GetReturnValue().Set(static_cast<int32_t>(entries.Add(environment->isolate_, info[0], owner, place)));
}

void Environment::AddKey(const Info& info) {
  Environment* environment = From(info);
  EntryTable& entries = environment->entries_;
  uint32_t owner;
  uint32_t place;
  if (!IsTarget(info[0])) return Refuse(info, "an object or a symbol to add as a key");
  // Before the owner is looked at: making a hash may collect garbage, and so find the owner dead.
  const uint32_t hash = IdentityHash(info[0]);
  if (!ReadOwner(entries, info, 1, &owner) || !ReadIndex(info[3], EntryTable::kMaxPlaces, &place))
    return Refuse(info, "a living owner and its generation, and a place to add a key");
  const uint32_t entry = entries.AddKey(environment->isolate_, info[0], hash, owner, place);
  info.GetReturnValue().Set(static_cast<int32_t>(entry));
}

void Environment::FindKey(const Info& info) {
  const EntryTable& entries = From(info)->entries_;
  uint32_t owner;
  if (!IsTarget(info[0]) || !ReadOwner(entries, info, 1, &owner))
    return Refuse(info, "a key, a living owner and its generation to find a key");
  info.GetReturnValue().Set(static_cast<int32_t>(entries.FindKey(info[0], IdentityHash(info[0]), owner)));
}

void Environment::Entry(const Info& info) {
  const EntryTable& entries = From(info)->entries_;
  uint32_t entry;
  uint32_t generation;
  if (!ReadCell(entries, info, 0, &entry, &generation)) return Refuse(info, "an entry and its generation to read");
  const Cell& cell = entries.cells().cell(entry);
  // The word of a cell that is dead, or another's by now, is a link or a handle that must not be followed.
  if (cell.Is(generation)) info.GetReturnValue().Set(cell.target);
}

void Environment::Retarget(const Info& info) {
  Environment* environment = From(info);
  EntryTable& entries = environment->entries_;
  uint32_t entry;
  uint32_t generation;
  if (!ReadCell(entries, info, 0, &entry, &generation) || !IsTarget(info[2]))
    return Refuse(info, "an entry, its generation and a target to retarget");
  // It would stay in the index where its old key has it.
  if (entries.IsEntry(entry, generation) && entries.IsKeyed(entry))
    return Refuse(info, "an entry that is not found by its key to retarget");
  info.GetReturnValue().Set(entries.IsEntry(entry, generation) &&
                            entries.Retarget(environment->isolate_, entry, info[2]));
}

// 1: it was alive; 0: it was not, which nobody had found; -1: it has been found dead, and waits for its turn.
void Environment::DiscardEntry(const Info& info) {
  EntryTable& entries = From(info)->entries_;
  uint32_t entry;
  uint32_t generation;
  if (!ReadCell(entries, info, 0, &entry, &generation)) return Refuse(info, "an entry and its generation to discard");
  if (entries.IsEntry(entry, generation)) {
    info.GetReturnValue().Set(entries.Discard(entry) ? 1 : 0);
  } else if (entries.cells().cell(entry).Was(generation)) {
    info.GetReturnValue().Set(-1);
  } else {
    Refuse(info, "to discard an entry that is there");
  }
}

void Environment::CountEntries(const Info& info) {
  Environment* environment = From(info);
  EntryTable& entries = environment->entries_;
  uint32_t owner;
  if (!ReadOwner(entries, info, 0, &owner)) return Refuse(info, "a living owner and its generation to count");
  if (environment->MissedGc()) {
    entries.FindUnseen();
  } else {
    entries.Finish();
  }
  info.GetReturnValue().Set(static_cast<int32_t>(entries.Count(owner)));
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
  ExportRaw(exports, "addEntry", AddEntry, 4);
  ExportRaw(exports, "addKey", AddKey, 4);
  ExportRaw(exports, "findKey", FindKey, 3);
  ExportRaw(exports, "entry", Entry, 2);
  ExportRaw(exports, "retarget", Retarget, 3);
  ExportRaw(exports, "discardEntry", DiscardEntry, 2);
  ExportRaw(exports, "countEntries", CountEntries, 2);
  ExportRaw(exports, "takeEntries", TakeEntries, 0);
  ExportRaw(exports, "releaseEntries", ReleaseEntries, 0);
  constexpr size_t kBytes = EntryTable::kBatch * sizeof(EntryTable::Dead);
  exports.Set("deadEntries", compat::ToNapi(v8::Int32Array::New(Share(entries_.shared(), kBytes), 0, kBytes / 4)));
}

}  // namespace weakly
