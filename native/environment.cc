#include "environment.h"

#include <cstdio>

#include "v8_compat.h"

namespace weakly {

namespace {

// For the lifecycle tests, which read it from a file descriptor: when this runs, there is no JavaScript left to tell.
void ReportClosed(int fd, uint32_t handles, size_t bytes) {
  char line[96];
  const int length =
      std::snprintf(line, sizeof(line), "{\"closed\":true,\"handles\":%u,\"bytes\":%zu}\n", handles, bytes);
  uv_buf_t buffer = uv_buf_init(line, static_cast<unsigned int>(length));
  uv_fs_t request;
  uv_fs_write(nullptr, &request, fd, &buffer, 1, -1, nullptr);
  uv_fs_req_cleanup(&request);
}

}  // namespace

// A wake-up where V8 calls the callbacks of its own FinalizationRegistry: in a task that the GC posts. While nothing but a GC
// that is a task, too, is waited for (`await gc({ execution: 'async' })`), tasks are run and the event loop is not, so the
// uv_async would be later than timers that are set after that GC. Otherwise the uv_async may be first; the other finds nothing.
class Environment::WakeTask final : public v8::Task {
 public:
  explicit WakeTask(std::shared_ptr<Environment*> environment) : environment_(std::move(environment)) {}

  void Run() override {
    Environment* environment = *environment_;
    if (environment == nullptr) return;
    // Node.js runs all tasks that there are, and those that they post, before it lets the process end: none may keep it.
    if (environment->reclaim_.LoopIsAlive()) {
      const v8::HandleScope scope(environment->isolate_);
      environment->CallOnDeaths();
    }
    // Only now, and if the environment is still there: a GC in the slice must not post the next task, or tasks would follow
    // each other while timers and I/O wait.
    if (*environment_ != nullptr) environment->task_posted_ = false;
  }

 private:
  const std::shared_ptr<Environment*> environment_;
};

Environment::Environment(Napi::Env env, v8::Isolate* isolate) : env_(env), isolate_(isolate) {}

// What all environments of one Node.js environment have in common: a template for each of them would stay in its context.
struct Environment::Shared {
  v8::Global<v8::ObjectTemplate> shape;
};

void Environment::Start(Napi::Env env, Napi::Object exports) {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  if (env.GetInstanceData<Shared>() == nullptr) {
    auto* shared = new Shared;
    shared->shape.Reset(isolate, compat::DataShape(isolate));
    env.SetInstanceData(shared);
  }
  auto* environment = new Environment(env, isolate);
  if (!environment->Init()) {
    delete environment;
    Napi::Error::New(env, "weakly: no memory for an environment").ThrowAsJavaScriptException();
    return;
  }
  if (environment->MakeData(env.GetInstanceData<Shared>()->shape.Get(isolate))) {
    environment->Export(exports);
  } else {
    environment->Close();  // the execution is being terminated
  }
}

bool Environment::MakeData(v8::Local<v8::ObjectTemplate> shape) {
  v8::Local<v8::Object> data;
  if (!shape->NewInstance(isolate_->GetCurrentContext()).ToLocal(&data)) return false;
  compat::SetData(data, this);
  data_.Reset(isolate_, data);
  data_.SetWeak();
  return HoldByData("resource", &resource_, v8::Object::New(isolate_));
}

bool Environment::Init() {
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env_, &loop) != napi_ok) return false;
  // The async handle comes last of what can fail: once it is open, only Close() may end this object.
  if (!slots_.Init() || !cleanups_.Init() || !entries_.Init() || !reclaim_.Init(loop, OnWake, this)) return false;
  if (node::Environment* owner = node::GetCurrentEnvironment(isolate_->GetCurrentContext())) {
    node::MultiIsolatePlatform* platform = node::GetMultiIsolatePlatform(owner);
    if (platform != nullptr) runner_ = platform->GetForegroundTaskRunner(isolate_);
  }
  isolate_->AddGCPrologueCallback(OnGcPrologue, this, static_cast<v8::GCType>(compat::kMinorGc | compat::kMajorGc));
  isolate_->AddGCEpilogueCallback(OnGcEpilogue, this, static_cast<v8::GCType>(compat::kMinorGc | compat::kMajorGc));
  napi_add_async_cleanup_hook(
      env_, [](napi_async_cleanup_hook_handle, void* data) { static_cast<Environment*>(data)->Close(); }, this, &hook_);
  state_ = State::kRunning;
  return true;
}

// Of an object of JavaScript's, or one that may come to refer to such, without keeping it alive for ever: a strong handle
// would keep its context, and all that is in that. It is held by `data_`, which the functions hold that JavaScript calls this
// object by.
template <typename T>
bool Environment::HoldByData(const char* name, v8::Global<T>* handle, v8::Local<T> held) {
  v8::Local<v8::String> text;
  if (!v8::String::NewFromUtf8(isolate_, name).ToLocal(&text)) return false;
  const v8::Local<v8::Private> key = v8::Private::ForApi(isolate_, text);
  // In an execution that is being terminated it fails.
  if (!data_.Get(isolate_)->SetPrivate(isolate_->GetCurrentContext(), key, held).FromMaybe(false)) return false;
  handle->Reset(isolate_, held);
  handle->SetWeak();
  return true;
}

// The same for what is JavaScript's, and `data_` is held by the context of that as well: whoever has imported the package need
// not keep it. When the context and those functions are garbage, nobody is left who could ask for anything.
template <typename T>
bool Environment::Hold(const char* name, v8::Global<T>* handle, v8::Local<T> held) {
  if (key_.IsEmpty()) key_.Reset(isolate_, v8::Private::New(isolate_));
  v8::Local<v8::Context> context;
  if (!held->GetCreationContext().ToLocal(&context)) return false;
  const v8::Local<v8::Object> global = context->Global();
  const v8::Local<v8::Private> key = key_.Get(isolate_);
  if (!global->SetPrivate(isolate_->GetCurrentContext(), key, data_.Get(isolate_)).FromMaybe(false)) return false;
  return HoldByData(name, handle, held);
}

bool Environment::OnDeaths(v8::Local<v8::Function> callback) { return Hold("onDeaths", &on_deaths_, callback); }

// By the end of the Node.js environment, or of all that could call this object.
void Environment::Close() {
  if (state_ != State::kRunning) return;
  state_ = State::kClosing;
  *self_ = nullptr;
  runner_.reset();
  const v8::HandleScope scope(isolate_);
  isolate_->RemoveGCPrologueCallback(OnGcPrologue, this);
  isolate_->RemoveGCEpilogueCallback(OnGcEpilogue, this);
  if (tracking_jobs_) isolate_->RemoveMicrotasksCompletedCallback(OnJobEnd, this);
  if (!data_.IsEmpty()) compat::SetData(data_.Get(isolate_), nullptr);
  data_.Reset();
  key_.Reset();
  on_deaths_.Reset();
  keeper_.Reset();
  resource_.Reset();
  canary_.Reset();
  next_canary_.Reset();
  // Those that nobody has are gone. V8 makes all typed arrays of the thread slower from the first that is detached.
  for (auto& buffer : buffers_) {
    if (!buffer.IsEmpty()) buffer.Get(isolate_)->Detach(v8::Local<v8::Value>()).FromMaybe(false);
  }
  buffers_.clear();
  slots_.cells().ResetAll();
  cleanups_.cells().ResetAll();
  entries_.cells().ResetAll();
  reclaim_.Close(OnClosed);
}

void Environment::OnClosed(uv_handle_t* async) {
  auto* environment = static_cast<Environment*>(async->data);
  environment->state_ = State::kClosed;
  napi_async_cleanup_hook_handle hook = environment->hook_;
  const int fd = environment->report_fd_;
  const uint32_t handles =
      environment->slots_.cells().live() + environment->cleanups_.cells().live() + environment->entries_.cells().live();
  const std::unique_ptr<Memory> memory = std::move(environment->memory_);
  delete environment;
  if (fd >= 0) ReportClosed(fd, handles, memory->bytes());
  napi_remove_async_cleanup_hook(hook);
}

void Environment::OnGcPrologue(v8::Isolate* isolate, v8::GCType type, v8::GCCallbackFlags flags, void* data) {
  // The deaths of earlier GCs come first, so they must have been found.
  static_cast<Environment*>(data)->Finish();
}

void Environment::OnGcEpilogue(v8::Isolate* isolate, v8::GCType type, v8::GCCallbackFlags flags, void* data) {
  auto* environment = static_cast<Environment*>(data);
  if (environment->skip_epilogues_ > 0) {
    environment->skip_epilogues_--;
    return;
  }
  const bool major = (type & compat::kMajorGc) != 0;
  major ? environment->major_gcs_++ : environment->minor_gcs_++;
  environment->LetGoOfCanary();
  // V8's minor mark-sweep, under a flag, promotes when it likes: what dies in one may be of any age.
  const bool all = (type & v8::kGCTypeScavenge) == 0;
  const bool slots = environment->reclaim_.OnGc(all);
  const bool cleanups = environment->cleanups_.OnGc(all);
  const bool entries = environment->entries_.OnGc(all);
  const bool full = major && environment->HeapIsFull();
  const bool idle = major && (environment->slots_.cells().idle() || environment->cleanups_.cells().idle() ||
                              environment->entries_.cells().idle());
  if (slots || cleanups || entries || full || idle || environment->Abandoned()) environment->WakeAfterGc();
}

// No task for the slices after the first: in between, timers and I/O have their turn.
void Environment::WakeAfterGc() {
  reclaim_.Wake();
  if (runner_ == nullptr || task_posted_) return;
  task_posted_ = true;
  runner_->PostTask(std::make_unique<WakeTask>(self_));
}

// Whether somebody has asked to be told that it is.
bool Environment::HeapIsFull() {
  if (heap_threshold_ == 0) return false;
  v8::HeapStatistics statistics;
  isolate_->GetHeapStatistics(&statistics);
  heap_[kUsed] = static_cast<double>(statistics.used_heap_size());
  heap_[kMajorGcs]++;
  return heap_[kUsed] >= heap_threshold_;
}

// The end of a job as V8 has it: the microtasks have run. What must be kept until then is what `keeper` has.
bool Environment::TrackJobs(v8::Local<v8::Object> keeper) {
  if (!Hold("keeper", &keeper_, keeper)) return false;
  if (tracking_jobs_) return true;
  isolate_->AddMicrotasksCompletedCallback(OnJobEnd, this);
  tracking_jobs_ = true;
  return true;
}

void Environment::OnJobEnd(v8::Isolate* isolate, void* data) {
  auto* environment = static_cast<Environment*>(data);
  if (environment->jobs_[kKept] == 0 || environment->keeper_.IsEmpty()) return;
  const v8::HandleScope scope(isolate);
  const v8::Local<v8::Object> keeper = environment->keeper_.Get(isolate);
  // An element of a plain array of our own: no JavaScript runs. In a worker that is being terminated it fails.
  if (!keeper->Set(keeper->GetCreationContextChecked(), 0, v8::Undefined(isolate)).FromMaybe(false)) return;
  environment->jobs_[kKept] = 0;
  environment->jobs_[kJob] = (environment->jobs_[kJob] + 1) & 0x3FFFFFFF;
}

void Environment::OnWake(uv_async_t* async) {
  auto* environment = static_cast<Environment*>(async->data);
  const v8::HandleScope scope(environment->isolate_);
  environment->CallOnDeaths();
}

void Environment::CallOnDeaths() {
  if (Abandoned()) return Close();
  if (state_ != State::kRunning || on_deaths_.IsEmpty()) return;
  // Not Node-API's call: Node.js runs the loop once more while it tears an environment down, before our hook is called,
  // and there Node-API answers with an error that nobody could catch. This one returns empty, as it does in a worker
  // that is being terminated. What the callback throws becomes 'uncaughtException'.
  const v8::Local<v8::Function> on_deaths = on_deaths_.Get(isolate_);
  const v8::Local<v8::Context> context = on_deaths->GetCreationContextChecked();
  const v8::Context::Scope context_scope(context);
  const auto returned = node::MakeCallback(isolate_, resource_.Get(isolate_), on_deaths, 0, nullptr, kNoAsyncContext);
  static_cast<void>(returned);
}

}  // namespace weakly
