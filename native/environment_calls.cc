// What JavaScript can call: the second half of Environment, apart from its life.

#include "environment.h"
#include "v8_compat.h"

namespace weakly {

namespace {

using Info = v8::FunctionCallbackInfo<v8::Value>;

uint32_t SlotArgument(const Info& info, int i) { return static_cast<uint32_t>(compat::SmallInteger(info[i])); }

}  // namespace

Environment* Environment::From(const Info& info) {
  return static_cast<Environment*>(compat::ReadExternal(info.Data()));
}

void Environment::Acquire(const Info& info) {
  Environment* environment = From(info);
  const v8::Local<v8::Value> target = info[0];
  const auto hash = static_cast<uint32_t>(target.As<v8::Object>()->GetIdentityHash());
  const uint32_t slot = environment->slots_.Acquire(environment->isolate_, target, hash);
  info.GetReturnValue().Set(static_cast<int32_t>(slot));  // kNone arrives as -1
}

void Environment::AcquireSymbol(const Info& info) {
  Environment* environment = From(info);
  const v8::Local<v8::Value> target = info[0];
  const auto hash = static_cast<uint32_t>(target.As<v8::Name>()->GetIdentityHash());
  const uint32_t slot = environment->slots_.Acquire(environment->isolate_, target, hash);
  info.GetReturnValue().Set(static_cast<int32_t>(slot));
}

void Environment::Get(const Info& info) {
  const Cell& cell = From(info)->slots_.cells().cell(SlotArgument(info, 0));
  // JavaScript has compared the generation already, but a GC between its comparison and this call may have made the
  // word a link of the dead list; and that must never be followed as a handle.
  if (cell.generation != SlotArgument(info, 1)) return;
  // An empty Global sets undefined, so a death that no epilogue has seen is told here too.
  info.GetReturnValue().Set(cell.target);
}

// The call is opaque to every optimiser; that is all of it.
void Environment::KeepAlive(const Info&) {}

void Environment::TakeDead(const Info& info) { info.GetReturnValue().Set(From(info)->reclaim_.Take()); }

void Environment::Release(const Info& info) { From(info)->reclaim_.Release(); }

void Environment::Register(const Info& info) {
  Environment* environment = From(info);
  const uint32_t cell = environment->cleanups_.Register(environment->isolate_, info[0]);
  info.GetReturnValue().Set(static_cast<int32_t>(cell));  // kNone arrives as -1
}

void Environment::Discard(const Info& info) {
  CellTable& cells = From(info)->cleanups_.cells();
  const uint32_t record = SlotArgument(info, 0);
  // A GC may have come since JavaScript looked, and the handle of a dead cell is a link.
  const bool live = cells.cell(record).live();
  if (live) cells.Discard(record);
  info.GetReturnValue().Set(live);
}

void Environment::TakeDue(const Info& info) { info.GetReturnValue().Set(From(info)->cleanups_.Take()); }

void Environment::ReleaseDue(const Info& info) { From(info)->cleanups_.Release(); }

void Environment::LeaveContext(const Info& info) { compat::LeaveAsyncContext(info.GetIsolate()); }

// Puts the words of one more chunk into the list that JavaScript has of them, and opens it; whether it could.
Napi::Value Environment::Grow(CellTable& cells, bool reserved, const Napi::CallbackInfo& info) {
  constexpr size_t kBytes = CellTable::kChunkSize * sizeof(Cell);
  bool grown = false;
  if (reserved) {
    const v8::Local<v8::ArrayBuffer> buffer = Share(cells.reserved(), kBytes);
    const v8::Local<v8::Value> words = v8::Int32Array::New(buffer, 0, kBytes / sizeof(int32_t));
    const v8::Local<v8::Object> list = compat::FromNapi(info[0]).As<v8::Object>();
    // Not Set(), which runs what somebody may have put on Array.prototype, and says nothing where it was in vain.
    grown = list->CreateDataProperty(isolate_->GetCurrentContext(), cells.chunk_count(), words).FromMaybe(false);
    if (grown) cells.Open();
  }
  return Napi::Boolean::New(env_, grown);
}

// Memory of ours that JavaScript reads without a call, until the environment closes.
v8::Local<v8::ArrayBuffer> Environment::Share(void* memory, size_t size) {
  // The empty deleter keeps V8 from counting it as external memory, which would provoke collections.
  auto store = v8::ArrayBuffer::NewBackingStore(memory, size, v8::BackingStore::EmptyDeleter, nullptr);
  const v8::Local<v8::ArrayBuffer> buffer = v8::ArrayBuffer::New(isolate_, std::move(store));
  buffers_.emplace_back(isolate_, buffer);
  return buffer;
}

// Calls back in no asynchronous context, whatever the caller's is. What it throws is the caller's.
Napi::Value Environment::Outside(const Napi::CallbackInfo& info) {
  const auto callback = compat::FromNapi(info[0]).As<v8::Function>();
  const auto returned = node::MakeCallback(isolate_, resource_.Get(isolate_), callback, 0, nullptr, kNoAsyncContext);
  static_cast<void>(returned);
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
  Napi::Object pending = Napi::Object::New(env_);
  pending.Set("dead", Napi::Number::New(env_, reclaim_.pending()));
  pending.Set("deaths", Napi::Number::New(env_, static_cast<double>(reclaim_.deaths())));
  pending.Set("deadEntries", Napi::Number::New(env_, entries_.pending()));
  pending.Set("entryDeaths", Napi::Number::New(env_, static_cast<double>(entries_.deaths())));
  pending.Set("armed", Napi::Number::New(env_, cleanups_.cells().live()));
  return pending;
}

// The name of the target's class, found without running any code of the target's and without handing the target out.
Napi::Value Environment::Describe(uint32_t slot) {
  const CellTable& cells = slots_.cells();
  if (slot >= cells.capacity() || !cells.cell(slot).live()) return env_.Null();
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
  const v8::Local<v8::Context> context = isolate_->GetCurrentContext();
  const v8::Local<v8::FunctionTemplate> made =
      v8::FunctionTemplate::New(isolate_, callback, compat::NewExternal(isolate_, this), v8::Local<v8::Signature>(),
                                length, v8::ConstructorBehavior::kThrow);
  v8::Local<v8::Function> function;
  if (!made->GetFunction(context).ToLocal(&function)) return;
  function->SetName(compat::FromNapi(Napi::String::New(env_, name)).As<v8::String>());
  exports.Set(name, compat::ToNapi(function));
}

void Environment::Export(Napi::Object exports) {
  ExportRaw(exports, "acquire", Acquire, 1);
  ExportRaw(exports, "acquireSymbol", AcquireSymbol, 1);
  ExportRaw(exports, "get", Get, 2);
  ExportRaw(exports, "keepAlive", KeepAlive, 1);
  ExportRaw(exports, "takeDead", TakeDead, 0);
  ExportRaw(exports, "release", Release, 0);
  ExportRaw(exports, "register", Register, 1);
  ExportRaw(exports, "discard", Discard, 1);
  ExportRaw(exports, "takeDue", TakeDue, 0);
  ExportRaw(exports, "releaseDue", ReleaseDue, 0);
  ExportRaw(exports, "leaveContext", LeaveContext, 0);
  ExportEntries(exports);

  using Napi::CallbackInfo;
  const auto method = [&](const char* name, auto call) { exports.Set(name, Napi::Function::New(env_, call, name)); };
  method("grow", [this](const CallbackInfo& info) { return Grow(slots_.cells(), slots_.Reserve(), info); });
  method("growCleanups",
         [this](const CallbackInfo& info) { return Grow(cleanups_.cells(), cleanups_.cells().Reserve(), info); });
  method("describe", [this](const CallbackInfo& info) { return Describe(info[0].As<Napi::Number>().Uint32Value()); });
  method("stats", [this](const CallbackInfo&) { return Stats(); });
  method("wake", [this](const CallbackInfo&) { reclaim_.Wake(); });
  method("hold", [this](const CallbackInfo& info) { reclaim_.Hold(info[0].As<Napi::Boolean>().Value()); });
  method("outside", [this](const CallbackInfo& info) { return Outside(info); });
  method("pending", [this](const CallbackInfo&) { return Pending(); });
  method("trackJobs", [this](const CallbackInfo& info) { TrackJobs(compat::FromNapi(info[0]).As<v8::Object>()); });
  method("watchHeap", [this](const CallbackInfo& info) { WatchHeap(info[0].As<Napi::Number>().DoubleValue()); });
  method("collect", [this](const CallbackInfo&) { isolate_->LowMemoryNotification(); });
  method("onDeaths", [this](const CallbackInfo& info) {
    on_deaths_.Reset(isolate_, compat::FromNapi(info[0]).As<v8::Function>());
  });

  exports.Set("batch", compat::ToNapi(v8::Int32Array::New(Share(reclaim_.batch(), ReclaimQueue::kBatch * 4), 0,
                                                          ReclaimQueue::kBatch)));
  exports.Set("due", compat::ToNapi(v8::Int32Array::New(Share(cleanups_.batch(), CleanupQueue::kBatch * 4), 0,
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
  const auto method = [&](const char* name, auto call) { exports.Set(name, Napi::Function::New(env_, call, name)); };
  const auto number = [](const CallbackInfo& info, size_t i) { return info[i].As<Napi::Number>().Uint32Value(); };
  method("verify", [this](const CallbackInfo&) -> Napi::Value {
    Finish();
    const char* broken = reclaim_.Verify();
    if (broken == nullptr) broken = cleanups_.Verify();
    if (broken == nullptr) broken = entries_.Verify();
    return broken == nullptr ? env_.Null() : Napi::Value(Napi::String::New(env_, broken));
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
  method("skipEpilogues", [this, number](const CallbackInfo& info) { skip_epilogues_ = number(info, 0); });
  method("setNextPlace", [this, number](const CallbackInfo& info) { cleanups_.SetNextPlace(number(info, 0)); });
  method("refuseMemory", [this, number](const CallbackInfo& info) { memory_->RefuseNext(number(info, 0)); });
  method("reportClose", [this, number](const CallbackInfo& info) { report_fd_ = static_cast<int>(number(info, 0)); });
}

}  // namespace weakly
