// libstdc++ asks glibc's __libc_single_threaded before it counts a std::shared_ptr's references. That variable is as
// young as glibc 2.32, and a binary that refers to it does not load on RHEL 8 or Debian 11, where Node.js itself runs.
// This definition answers within our own binary: never single-threaded, so always count atomically.

#if defined(__linux__) && defined(__GNUC__)

extern "C" __attribute__((visibility("hidden"))) const char __libc_single_threaded = 0;

#endif
