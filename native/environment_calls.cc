// What JavaScript can call: the second half of Environment, apart from its life.

#include <algorithm>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "arguments.h"
#include "environment.h"
#include "v8_compat.h"

#if defined(WEAKLY_COVERAGE)
extern "C" void __gcov_dump();
extern "C" void __gcov_reset();
#endif

namespace weakly {

void Refuse(v8::Isolate* isolate, const char* expected) {
  const v8::Local<v8::Context> context = isolate->GetCurrentContext();
  const auto text = [isolate](const std::string& words) {
    return v8::String::NewFromUtf8(isolate, words.c_str()).ToLocalChecked();
  };
  const std::string message = std::string("weakly: a native call expected ") + expected +
                              "; nothing was read or changed. This is a fault of the package: please report it";
  const v8::Local<v8::Value> error = v8::Exception::Error(text(message));
  const auto coded = error.As<v8::Object>()->CreateDataProperty(context, text("code"), text("ERR_WEAKLY_INTERNAL"));
  // Not in an execution that is being terminated; there is nobody then who could read it.
  static_cast<void>(coded);
  isolate->ThrowException(error);
}

Environment* Environment::From(const Info& info) {
  return static_cast<Environment*>(compat::ReadData(info.GetIsolate(), info.Data()));
}

void Environment::Acquire(const Info& info) {
  Environment* environment = From(info);
  const v8::Local<v8::Value> target = info[0];
  const uint32_t guess = environment->slots_.Guess(target);
  if (guess != SlotTable::kNone) return info.GetReturnValue().Set(static_cast<int32_t>(guess));
  if (!IsTarget(target)) return Refuse(info, "an object or a symbol to acquire");
  const uint32_t slot = environment->slots_.Acquire(environment->isolate_, target, IdentityHash(target));
  info.GetReturnValue().Set(static_cast<int32_t>(slot));  // kNone arrives as -1
}

void Environment::Get(const Info& info) {
  const CellTable& cells = From(info)->slots_.cells();
  uint32_t slot;
  uint32_t generation;
  if (!ReadIndex(info[0], cells.capacity(), &slot) || !ReadGeneration(info[1], &generation))
    return Refuse(info, "a slot and a generation to get");
  const Cell& cell = cells.cell(slot);
  // The word of a cell that is dead, or another's by now, is a link or a handle that must not be followed.
  if (!cell.Is(generation)) return;
  // An empty Global sets undefined, so a death that no epilogue has seen is told here too.
  info.GetReturnValue().Set(cell.target);
}

Napi::Value Environment::Refused(const char* expected) {
  Refuse(isolate_, expected);
  return env_.Undefined();
}

// The call is opaque to every optimiser; that is all of it.
void Environment::KeepAlive(const Info&) {}

void Environment::TakeDead(const Info& info) { info.GetReturnValue().Set(From(info)->reclaim_.Take()); }

void Environment::Release(const Info& info) { From(info)->reclaim_.Release(); }

void Environment::Register(const Info& info) {
  Environment* environment = From(info);
  if (!IsTarget(info[0])) return Refuse(info, "an object or a symbol to register");
  const uint32_t cell = environment->cleanups_.Register(environment->isolate_, info[0]);
  info.GetReturnValue().Set(static_cast<int32_t>(cell));  // kNone arrives as -1
}

void Environment::Discard(const Info& info) {
  CellTable& cells = From(info)->cleanups_.cells();
  uint32_t record;
  uint32_t generation;
  if (!ReadIndex(info[0], cells.capacity(), &record) || !ReadGeneration(info[1], &generation))
    return Refuse(info, "a registration and its generation to discard");
  const Cell& cell = cells.cell(record);
  // A GC may have come since JavaScript looked, and the handle of a dead cell is a link.
  const bool live = cell.Is(generation);
  if (!live && !cell.Was(generation)) return Refuse(info, "to discard a registration that is armed or queued");
  if (live) cells.Discard(record);
  info.GetReturnValue().Set(live);
}

void Environment::TakeDue(const Info& info) { info.GetReturnValue().Set(From(info)->cleanups_.Take()); }

void Environment::ReleaseDue(const Info& info) { From(info)->cleanups_.Release(); }

void Environment::LeaveContext(const Info& info) { compat::LeaveAsyncContext(info.GetIsolate()); }

// Puts the words of one more chunk into the list that JavaScript has of them, and opens it; whether it could.
template <typename Table>
Napi::Value Environment::Grow(Table& table, CellTable& cells, const Napi::CallbackInfo& info) {
  if (!info[0].IsArray()) return Refused("an array, for the words of a table");
  constexpr size_t kBytes = CellTable::kChunkSize * sizeof(Cell);
  if (!table.Reserve()) return Napi::Boolean::New(env_, false);
  // The words of a chunk that was given back are still there.
  bool grown = !cells.reserved_is_new();
  if (!grown) {
    const v8::Local<v8::ArrayBuffer> buffer = Share(cells.reserved_words(), kBytes);
    const v8::Local<v8::Value> words = v8::Int32Array::New(buffer, 0, kBytes / sizeof(int32_t));
    const v8::Local<v8::Object> list = compat::FromNapi(info[0]).As<v8::Object>();
    // Not Set(), which runs what somebody may have put on Array.prototype, and says nothing where it was in vain.
    grown = list->CreateDataProperty(isolate_->GetCurrentContext(), cells.reserved(), words).FromMaybe(false);
  }
  if (grown) cells.Open();
  return Napi::Boolean::New(env_, grown);
}

// Memory of ours that JavaScript reads without a call, until the environment closes.
v8::Local<v8::ArrayBuffer> Environment::Share(void* memory, size_t size) {
  // The empty deleter keeps V8 from counting it as external memory, which would provoke collections.
  auto store = v8::ArrayBuffer::NewBackingStore(memory, size, v8::BackingStore::EmptyDeleter, nullptr);
  const v8::Local<v8::ArrayBuffer> buffer = v8::ArrayBuffer::New(isolate_, std::move(store));
  buffers_.emplace_front(isolate_, buffer).SetWeak();
  return buffer;
}

// Calls back in no asynchronous context, whatever the caller's is. What it throws is the caller's; but V8 takes it for what
// nobody in JavaScript catches, and ends the process under --abort-on-uncaught-exception. So it had better catch by itself.
Napi::Value Environment::Outside(const Napi::CallbackInfo& info) {
  if (!info[0].IsFunction()) return Refused("a function to call outside");
  const auto callback = compat::FromNapi(info[0]).As<v8::Function>();
  v8::TryCatch thrown(isolate_);
  const auto returned = node::MakeCallback(isolate_, resource_.Get(isolate_), callback, 0, nullptr, kNoAsyncContext);
  static_cast<void>(returned);
  if (thrown.HasTerminated()) {
    // Once more: where Node.js keeps the resources of asynchronous contexts itself (Node.js 22, later ones with a flag), the
    // termination may be forgotten by the time this returns, and a `vm` script goes on after its timeout. What it does to tidy
    // up after the call, a call into V8, is suspected.
    isolate_->TerminateExecution();
  } else if (thrown.HasCaught()) {
    thrown.ReThrow();
  }
  return env_.Undefined();
}

// Deaths that a GC has left to find.
void Environment::Finish() {
  reclaim_.Finish();
  cleanups_.Finish();
  entries_.Finish();
}

Napi::Value Environment::Pending() {
  Finish();
  // All of one moment: each object that is made for them may have a GC come first, which finds more.
  const std::pair<const char*, double> counts[] = {
      {"dead", reclaim_.pending()},        {"deaths", static_cast<double>(reclaim_.deaths())},
      {"deadEntries", entries_.pending()}, {"entryDeaths", static_cast<double>(entries_.deaths())},
      {"armed", cleanups_.cells().live()}, {"queued", cleanups_.shared()[CleanupQueue::kDeaths]},
  };
  Napi::Object pending = Napi::Object::New(env_);
  for (const auto& [name, count] : counts) pending.Set(name, Napi::Number::New(env_, count));
  return pending;
}

// The name of the target's class, found without running any code of the target's and without handing the target out.
Napi::Value Environment::Describe(const Napi::CallbackInfo& info) {
  const CellTable& cells = slots_.cells();
  uint32_t slot;
  uint32_t generation;
  if (!ReadIndex(compat::FromNapi(info[0]), cells.capacity(), &slot) ||
      !ReadGeneration(compat::FromNapi(info[1]), &generation))
    return Refused("a slot and a generation to describe");
  if (!cells.cell(slot).Is(generation)) return env_.Null();
  const v8::Local<v8::Value> target = cells.cell(slot).target.Get(isolate_);
  if (target.IsEmpty()) return env_.Null();
  if (target->IsSymbol()) return Napi::String::New(env_, "Symbol");
  if (target->IsFunction()) return Napi::String::New(env_, "Function");
  return {env_, compat::ToNapi(target.As<v8::Object>()->GetConstructorName())};
}

Napi::Value Environment::Stats() {
  Finish();
  const CellTable& slots = slots_.cells();
  const CellTable& cleanups = cleanups_.cells();
  const CellTable& entries = entries_.cells();
  Napi::Object stats = Napi::Object::New(env_);
  const auto set = [&](const char* name, double value) { stats.Set(name, Napi::Number::New(env_, value)); };
  set("live", slots.live());
  set("dead", reclaim_.pending());
  set("retired", slots.retired());
  set("capacity", slots.capacity());
  set("resident", slots.resident() + cleanups.resident() + entries.resident());
  set("young", static_cast<double>(slots.young()));
  set("buckets", slots_.buckets());
  set("armed", cleanups.live());
  set("due", cleanups.dead());
  set("entries", entries.live());
  set("deadEntries", entries_.pending());
  set("orphans", entries_.orphans());
  set("entryCapacity", entries.capacity());
  set("bytes", static_cast<double>(memory_->bytes()));
  set("deaths", static_cast<double>(reclaim_.deaths()));
  set("wakeups", static_cast<double>(reclaim_.wakeups()));
  set("minorGcs", static_cast<double>(minor_gcs_));
  set("majorGcs", static_cast<double>(major_gcs_));
  return stats;
}

void Environment::ExportRaw(Napi::Object exports, const char* name, v8::FunctionCallback callback, int length) {
  // Not a FunctionTemplate's, which its context would keep for ever, and the data with it.
  v8::Local<v8::Function> function;
  if (!v8::Function::New(isolate_->GetCurrentContext(), callback, data_.Get(isolate_), length,
                         v8::ConstructorBehavior::kThrow)
           .ToLocal(&function))
    return;
  function->SetName(compat::FromNapi(Napi::String::New(env_, name)).As<v8::String>());
  exports.Set(name, compat::ToNapi(function));
}

// As ExportRaw, in Node-API's calling convention. Refused once this object is gone.
template <typename Call>
void Environment::ExportCold(Napi::Object exports, const char* name, Call call) {
  const auto guarded = [self = self_, isolate = isolate_, call](const Napi::CallbackInfo& info) -> Napi::Value {
    if (*self == nullptr || (*self)->Abandoned()) {
      Refuse(isolate, "an environment that has not closed");
    } else if constexpr (std::is_void_v<decltype(call(info))>) {
      call(info);
    } else {
      return call(info);
    }
    return info.Env().Undefined();
  };
  exports.Set(name, Napi::Function::New(env_, guarded, name));
}

void Environment::Export(Napi::Object exports) {
  ExportRaw(exports, "acquire", Acquire, 1);
  ExportRaw(exports, "get", Get, 2);
  ExportRaw(exports, "keepAlive", KeepAlive, 1);
  ExportRaw(exports, "takeDead", TakeDead, 0);
  ExportRaw(exports, "release", Release, 0);
  ExportRaw(exports, "register", Register, 1);
  ExportRaw(exports, "discard", Discard, 2);
  ExportRaw(exports, "takeDue", TakeDue, 0);
  ExportRaw(exports, "releaseDue", ReleaseDue, 0);
  ExportRaw(exports, "leaveContext", LeaveContext, 0);
  ExportEntries(exports);

  using Napi::CallbackInfo;
  const auto method = [&](const char* name, auto call) { ExportCold(exports, name, call); };
  method("grow", [this](const CallbackInfo& info) { return Grow(slots_, slots_.cells(), info); });
  method("growCleanups", [this](const CallbackInfo& info) { return Grow(cleanups_.cells(), cleanups_.cells(), info); });
  method("growEntries", [this](const CallbackInfo& info) { return Grow(entries_, entries_.cells(), info); });
  method("reserveCleanups", [this](const CallbackInfo&) {
    CellTable& cells = cleanups_.cells();
    return Napi::Number::New(env_, cells.Reserve() ? static_cast<double>(cells.reserved()) : -1);
  });
  const auto give_back = [this, &method](const char* name, auto& table) {
    method(name, [this, &table](const CallbackInfo&) {
      return Napi::Number::New(env_, static_cast<int32_t>(table.GiveBack()));  // kNone arrives as -1
    });
  };
  give_back("giveBackSlots", slots_);
  give_back("giveBackCleanups", cleanups_.cells());
  give_back("giveBackEntries", entries_);
  method("describe", [this](const CallbackInfo& info) { return Describe(info); });
  method("stats", [this](const CallbackInfo&) { return Stats(); });
  method("wake", [this](const CallbackInfo&) { reclaim_.Wake(); });
  method("hold", [this](const CallbackInfo& info) -> Napi::Value {
    if (!info[0].IsBoolean()) return Refused("a boolean to hold the event loop");
    reclaim_.Hold(info[0].As<Napi::Boolean>().Value());
    return env_.Undefined();
  });
  method("outside", [this](const CallbackInfo& info) { return Outside(info); });
  method("pending", [this](const CallbackInfo&) { return Pending(); });
  method("trackJobs", [this](const CallbackInfo& info) -> Napi::Value {
    if (!info[0].IsArray()) return Refused("an array that keeps what a job needs");
    if (!TrackJobs(compat::FromNapi(info[0]).As<v8::Object>())) return {};
    return env_.Undefined();
  });
  method("watchHeap", [this](const CallbackInfo& info) -> Napi::Value {
    if (!info[0].IsNumber()) return Refused("a number of bytes to watch the heap for");
    WatchHeap(info[0].As<Napi::Number>().DoubleValue());
    return env_.Undefined();
  });
  method("collect", [this](const CallbackInfo&) { isolate_->LowMemoryNotification(); });
  method("onDeaths", [this](const CallbackInfo& info) -> Napi::Value {
    if (!info[0].IsFunction()) return Refused("a function to call when something has died");
    if (!OnDeaths(compat::FromNapi(info[0]).As<v8::Function>())) return {};
    return env_.Undefined();
  });

  exports.Set("batch", compat::ToNapi(v8::Int32Array::New(Share(reclaim_.shared(), ReclaimQueue::kBatch * 4), 0,
                                                          ReclaimQueue::kBatch)));
  exports.Set("due", compat::ToNapi(v8::Int32Array::New(Share(cleanups_.shared_batch(), CleanupQueue::kBatch * 4), 0,
                                                        CleanupQueue::kBatch)));
  exports.Set("dueState", compat::ToNapi(v8::Float64Array::New(
                              Share(cleanups_.shared(), CleanupQueue::kSharedSize * sizeof(double)), 0,
                              CleanupQueue::kSharedSize)));
  exports.Set("jobs", compat::ToNapi(v8::Int32Array::New(Share(jobs_, kJobsSize * 4), 0, kJobsSize)));
  exports.Set("heapState", compat::ToNapi(v8::Float64Array::New(Share(heap_, kHeapSize * 8), 0, kHeapSize)));
  exports.Set("chunkShift", Napi::Number::New(env_, CellTable::kChunkShift));

  Napi::Object testing = Napi::Object::New(env_);
  ExportTesting(testing);
  exports.Set("testing", testing);
}

// Doors for the tests only: limits that no test could reach in its time, refusals, and a look inside.
void Environment::ExportTesting(Napi::Object exports) {
  using Napi::CallbackInfo;
  const auto method = [&](const char* name, auto call) { ExportCold(exports, name, call); };
  const auto number = [](const CallbackInfo& info, size_t i) { return info[i].As<Napi::Number>().Uint32Value(); };
  method("verify", [this](const CallbackInfo&) -> Napi::Value {
    Finish();
    const char* broken = reclaim_.Verify();
    if (broken == nullptr) broken = cleanups_.Verify();
    if (broken == nullptr) broken = entries_.Verify();
    return broken == nullptr ? env_.Null() : Napi::Value(Napi::String::New(env_, broken));
  });
  // Of each entry and owner: itself, its generation, its owner, that one's generation, its place, and 1 if it is live.
  method("entries", [this](const CallbackInfo&) {
    Finish();
    // Not an array: what tests have put on Array.prototype would be asked for each element.
    std::vector<uint32_t> numbers;
    entries_.EachEntry([&](const EntryTable::Dead& entry, bool live) {
      numbers.insert(numbers.end(),
                     {entry.entry, entry.generation, entry.owner, entry.owner_generation, entry.place, live ? 1u : 0u});
    });
    Napi::Uint32Array rows = Napi::Uint32Array::New(env_, numbers.size());
    std::copy(numbers.begin(), numbers.end(), rows.Data());
    return rows;
  });
  method("unseen", [this](const CallbackInfo&) {
    Finish();
    return Napi::Number::New(
        env_, slots_.cells().CountUnseen() + cleanups_.cells().CountUnseen() + entries_.cells().CountUnseen());
  });
  method("setLimits", [this, number](const CallbackInfo& info) {
    slots_.cells().SetLimits(number(info, 0), number(info, 1));
    cleanups_.cells().SetLimits(number(info, 0), number(info, 1));
    entries_.cells().SetLimits(number(info, 0), number(info, 1));
  });
  method("refuseCells", [this](const CallbackInfo& info) {
    const bool refuse = info[0].As<Napi::Boolean>().Value();
    slots_.cells().Refuse(refuse);
    cleanups_.cells().Refuse(refuse);
    entries_.cells().Refuse(refuse);
  });
#if defined(WEAKLY_CHECKS)
  // What a sanitizer must not let pass: scripts/test-sanitize.mjs looks whether it does.
  method("readOutOfBounds", [this](const CallbackInfo&) {
    const volatile uint32_t* block = memory_->Allocate<uint32_t>(1);
    return Napi::Number::New(env_, block[1]);
  });
#endif
#if defined(WEAKLY_COVERAGE)
  // vitest kills its processes, which then write no counters: scripts/coverage.mjs.
  method("writeCounters", [](const CallbackInfo&) {
    __gcov_dump();
    __gcov_reset();
  });
#endif
  method("skipEpilogues", [this, number](const CallbackInfo& info) { skip_epilogues_ = number(info, 0); });
  method("setNextPlace", [this, number](const CallbackInfo& info) { cleanups_.SetNextPlace(number(info, 0)); });
  method("refuseMemory", [this, number](const CallbackInfo& info) { memory_->RefuseNext(number(info, 0)); });
  method("reportClose", [this, number](const CallbackInfo& info) { report_fd_ = static_cast<int>(number(info, 0)); });
}

}  // namespace weakly
