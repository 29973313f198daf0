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

Environment::Environment(Napi::Env env, v8::Isolate* isolate) : env_(env), isolate_(isolate) {}

void Environment::Start(Napi::Env env, Napi::Object exports) {
  auto* environment = new Environment(env, v8::Isolate::GetCurrent());
  if (!environment->Init()) {
    delete environment;
    Napi::Error::New(env, "weakly: no memory for an environment").ThrowAsJavaScriptException();
    return;
  }
  environment->Export(exports);
}

bool Environment::Init() {
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env_, &loop) != napi_ok) return false;
  // The async handle comes last of what can fail: once it is open, only Close() may end this object.
  if (!slots_.Init() || !cleanups_.Init() || !entries_.Init() || !reclaim_.Init(loop, OnWake, this)) return false;
  resource_.Reset(isolate_, v8::Object::New(isolate_));
  isolate_->AddGCPrologueCallback(OnGcPrologue, this, static_cast<v8::GCType>(compat::kMinorGc | compat::kMajorGc));
  isolate_->AddGCEpilogueCallback(OnGcEpilogue, this, static_cast<v8::GCType>(compat::kMinorGc | compat::kMajorGc));
  napi_add_async_cleanup_hook(
      env_, [](napi_async_cleanup_hook_handle hook, void* data) { static_cast<Environment*>(data)->Close(hook); }, this,
      &hook_);
  state_ = State::kRunning;
  return true;
}

void Environment::Close(napi_async_cleanup_hook_handle hook) {
  state_ = State::kClosing;
  hook_ = hook;
  const v8::HandleScope scope(isolate_);
  isolate_->RemoveGCPrologueCallback(OnGcPrologue, this);
  isolate_->RemoveGCEpilogueCallback(OnGcEpilogue, this);
  if (!keeper_.IsEmpty()) isolate_->RemoveMicrotasksCompletedCallback(OnJobEnd, this);
  on_deaths_.Reset();
  keeper_.Reset();
  resource_.Reset();
  canary_.Reset();
  next_canary_.Reset();
  for (auto& buffer : buffers_) buffer.Get(isolate_)->Detach(v8::Local<v8::Value>()).FromMaybe(false);
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
  const bool slots = environment->reclaim_.OnGc(major);
  const bool cleanups = environment->cleanups_.OnGc(major);
  const bool entries = environment->entries_.OnGc(major);
  const bool full = major && environment->HeapIsFull();
  if (slots || cleanups || entries || full) environment->reclaim_.Wake();
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
void Environment::TrackJobs(v8::Local<v8::Object> keeper) {
  if (keeper_.IsEmpty()) isolate_->AddMicrotasksCompletedCallback(OnJobEnd, this);
  keeper_.Reset(isolate_, keeper);
}

void Environment::OnJobEnd(v8::Isolate* isolate, void* data) {
  auto* environment = static_cast<Environment*>(data);
  if (environment->jobs_[kKept] == 0) return;
  const v8::HandleScope scope(isolate);
  const v8::Local<v8::Object> keeper = environment->keeper_.Get(isolate);
  // An element of a plain array of our own: no JavaScript runs. In a worker that is being terminated it fails.
  if (!keeper->Set(keeper->GetCreationContextChecked(), 0, v8::Undefined(isolate)).FromMaybe(false)) return;
  environment->jobs_[kKept] = 0;
  environment->jobs_[kJob] = (environment->jobs_[kJob] + 1) & 0x3FFFFFFF;
}

void Environment::OnWake(uv_async_t* async) {
  auto* environment = static_cast<Environment*>(async->data);
  v8::Isolate* isolate = environment->isolate_;
  const v8::HandleScope scope(isolate);
  if (environment->state_ != State::kRunning || environment->on_deaths_.IsEmpty()) return;
  // Not Node-API's call: Node.js runs the loop once more while it tears an environment down, before our hook is called,
  // and there Node-API answers with an error that nobody could catch. This one returns empty, as it does in a worker
  // that is being terminated. What the callback throws becomes 'uncaughtException'.
  const v8::Local<v8::Function> on_deaths = environment->on_deaths_.Get(isolate);
  const v8::Local<v8::Context> context = on_deaths->GetCreationContextChecked();
  const v8::Context::Scope context_scope(context);
  const auto returned =
      node::MakeCallback(isolate, environment->resource_.Get(isolate), on_deaths, 0, nullptr, kNoAsyncContext);
  static_cast<void>(returned);
}

}  // namespace weakly
