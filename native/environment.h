// The one object that owns all native state of one Node.js environment (the main thread, or a worker).
//
// Lifecycle: kStarting -> kRunning -> kClosing -> kClosed (deleted).
//
// What JavaScript has given to be called, and what comes to refer to such, is held by weak handles: it belongs to a context
// that may be another than Node.js's own (node:vm), and is to die with that. Its owners are that context's global object
// and the functions by which JavaScript calls this object. When it is gone, nobody can ask for anything any more, and the
// environment closes, from the event loop, as it does at the end:
//
// Teardown, then or when Node.js runs the environment's cleanup hooks (end of a worker, or of the main thread's loop), in
// this order and for these reasons:
//   1. the GC callbacks are removed, so that no collection during teardown sees a half-dead table, and so is that at the
//      end of jobs;
//   2. the JavaScript callback is dropped, so that no wake-up that is already on its way calls into a dying context, and what
//      hot calls find this object by is emptied: no JavaScript runs any more, and one that did would end at once, not in freed memory;
//   3. the typed arrays over the cells, and over this object, that somebody still has are detached, so that a stray read finds nothing instead of freed memory;
//   4. every weak handle is reset, while the isolate that owns it still lives;
//   5. the async handle is closed; Node.js waits for that, because the hook is an asynchronous one;
//   6. in the close callback: memory is freed, the counts are reported if a test asked, the object deletes itself.
// process.exit() on the main thread runs no cleanup hooks: nothing above happens, and nothing needs to.

#ifndef WEAKLY_ENVIRONMENT_H_
#define WEAKLY_ENVIRONMENT_H_

#include <napi.h>
#include <node.h>
#include <v8-platform.h>
#include <v8.h>

#include <forward_list>
#include <memory>

#include "cleanup_queue.h"
#include "entry_table.h"
#include "memory.h"
#include "reclaim_queue.h"
#include "slot_table.h"

namespace weakly {

class Environment {
 public:
  enum class State : uint8_t { kStarting, kRunning, kClosing, kClosed };

  // One for each evaluation of lib/. Fills `exports`. Owns itself until the environment is torn down; on failure an exception is pending.
  static void Start(Napi::Env env, Napi::Object exports);

  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  class WakeTask;
  struct Shared;

  Environment(Napi::Env env, v8::Isolate* isolate);
  ~Environment() = default;

  bool Init();
  void Export(Napi::Object exports);
  void ExportEntries(Napi::Object exports);
  void ExportTesting(Napi::Object exports);

  void Close();

  // Bookkeeping belongs to nobody's asynchronous operation. A context made at import would, on Node.js 20 and 22, keep
  // the AsyncLocalStorage store of that moment alive for ever.
  static constexpr node::async_context kNoAsyncContext{0, 0};

  static void OnGcPrologue(v8::Isolate* isolate, v8::GCType type, v8::GCCallbackFlags flags, void* data);
  static void OnGcEpilogue(v8::Isolate* isolate, v8::GCType type, v8::GCCallbackFlags flags, void* data);
  void WakeAfterGc();
  static void OnWake(uv_async_t* async);
  void CallOnDeaths();
  static void OnJobEnd(v8::Isolate* isolate, void* data);
  static void OnClosed(uv_handle_t* async);

  // Hot calls: V8's own calling convention, a third of the price of Node-API's. They check what they are given: arguments.h.
  static Environment* From(const v8::FunctionCallbackInfo<v8::Value>& info);
  static void Acquire(const v8::FunctionCallbackInfo<v8::Value>& info);
  static void Get(const v8::FunctionCallbackInfo<v8::Value>& info);
  static void KeepAlive(const v8::FunctionCallbackInfo<v8::Value>& info);
  static void TakeDead(const v8::FunctionCallbackInfo<v8::Value>& info);
  static void Release(const v8::FunctionCallbackInfo<v8::Value>& info);
  static void Register(const v8::FunctionCallbackInfo<v8::Value>& info);
  static void Discard(const v8::FunctionCallbackInfo<v8::Value>& info);
  static void TakeDue(const v8::FunctionCallbackInfo<v8::Value>& info);
  static void ReleaseDue(const v8::FunctionCallbackInfo<v8::Value>& info);
  static void LeaveContext(const v8::FunctionCallbackInfo<v8::Value>& info);
  static void AddOwner(const v8::FunctionCallbackInfo<v8::Value>& info);
  static void AddEntry(const v8::FunctionCallbackInfo<v8::Value>& info);
  static void AddKey(const v8::FunctionCallbackInfo<v8::Value>& info);
  static void FindKey(const v8::FunctionCallbackInfo<v8::Value>& info);
  static void Entry(const v8::FunctionCallbackInfo<v8::Value>& info);
  static void Retarget(const v8::FunctionCallbackInfo<v8::Value>& info);
  static void DiscardEntry(const v8::FunctionCallbackInfo<v8::Value>& info);
  static void CountEntries(const v8::FunctionCallbackInfo<v8::Value>& info);
  static void TakeEntries(const v8::FunctionCallbackInfo<v8::Value>& info);
  static void ReleaseEntries(const v8::FunctionCallbackInfo<v8::Value>& info);

  bool MissedGc();
  void LetGoOfCanary();

  // Cold calls, which check theirs as well.
  Napi::Value Refused(const char* expected);
  template <typename Table>
  Napi::Value Grow(Table& table, CellTable& cells, const Napi::CallbackInfo& info);
  Napi::Value Describe(const Napi::CallbackInfo& info);
  Napi::Value Stats();
  Napi::Value Pending();
  void Finish();
  Napi::Value Outside(const Napi::CallbackInfo& info);
  bool OnDeaths(v8::Local<v8::Function> callback);
  bool TrackJobs(v8::Local<v8::Object> keeper);
  void WatchHeap(double threshold) { heap_threshold_ = threshold; }
  bool HeapIsFull();

  v8::Local<v8::ArrayBuffer> Share(void* memory, size_t size);

  void ExportRaw(Napi::Object exports, const char* name, v8::FunctionCallback callback, int length);
  template <typename Call>
  void ExportCold(Napi::Object exports, const char* name, Call call);
  bool MakeData(v8::Local<v8::ObjectTemplate> shape);
  template <typename T>
  bool HoldByData(const char* name, v8::Global<T>* handle, v8::Local<T> held);
  template <typename T>
  bool Hold(const char* name, v8::Global<T>* handle, v8::Local<T> held);
  // Whether all that could call this object has died.
  bool Abandoned() const { return data_.IsEmpty(); }

  Napi::Env env_;
  v8::Isolate* isolate_;
  State state_ = State::kStarting;
  // On its own, so that it can be asked after everything that allocates from it is gone.
  std::unique_ptr<Memory> memory_ = std::make_unique<Memory>();
  SlotTable slots_{*memory_};
  ReclaimQueue reclaim_{*memory_, slots_};
  CleanupQueue cleanups_{*memory_};
  EntryTable entries_{*memory_};
  // What JavaScript reads without a call, and writes into jobs_[kKept].
  enum Jobs { kJob, kKept, kJobsSize };
  int32_t jobs_[kJobsSize] = {};
  enum Heap { kUsed, kMajorGcs, kHeapSize };
  double heap_[kHeapSize] = {};
  double heap_threshold_ = 0;
  v8::Global<v8::Object> keeper_;
  bool tracking_jobs_ = false;
  uint64_t minor_gcs_ = 0;
  uint64_t major_gcs_ = 0;
  // An object that nobody holds, since `canary_gcs_` GCs had been seen; and one that is held, to be the next.
  v8::Global<v8::Object> canary_;
  v8::Global<v8::Object> next_canary_;
  uint64_t canary_gcs_ = ~uint64_t{0};
  uint32_t skip_epilogues_ = 0;
  int report_fd_ = -1;
  napi_async_cleanup_hook_handle hook_ = nullptr;
  // Of JavaScript's objects all handles are weak: see Hold().
  v8::Global<v8::Object> data_;
  v8::Global<v8::Private> key_;
  v8::Global<v8::Function> on_deaths_;
  // Null where Node.js has no platform of its own (an embedder's).
  std::shared_ptr<v8::TaskRunner> runner_;
  // What tasks have of this object, which they may outlive; null from Close() on.
  // Not make_shared(): it asks for a libstdc++ that is younger than that of the systems Node.js 20 runs on.
  std::shared_ptr<Environment*> self_ = std::shared_ptr<Environment*>(new Environment*(this));
  bool task_posted_ = false;
  v8::Global<v8::Object> resource_;
  // A list whose elements stay where they are, as V8 writes into weak handles. Not a deque: it asks for a libstdc++ that is younger
  // than that of the systems Node.js 20 runs on.
  std::forward_list<v8::Global<v8::ArrayBuffer>> buffers_;
};

}  // namespace weakly

#endif  // WEAKLY_ENVIRONMENT_H_
