{
  "variables": {
    # node-gyp rebuild --sanitize=1: the suite runs this build under ASan and UBSan.
    "sanitize%": 0,
    # node-gyp rebuild --coverage=1: with gcov's counters, for npm run coverage.
    "coverage%": 0
  },
  "targets": [
    {
      "target_name": "weakly",
      "sources": [
        "native/addon.cc",
        "native/cell_table.cc",
        "native/cleanup_queue.cc",
        "native/entry_table.cc",
        "native/environment.cc",
        "native/environment_calls.cc",
        "native/environment_entries.cc",
        "native/glibc_compat.cc",
        "native/reclaim_queue.cc",
        "native/slot_table.cc"
      ],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=9", "NODE_ADDON_API_DISABLE_DEPRECATED", "NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS",
        # A worker may be terminated while the addon loads; an error that can no longer be thrown must not end the process.
        "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"],
      # Node 20's common.gypi asks for gnu++17; the last flag of a command line wins, so the older one is taken out.
      "cflags_cc!": ["-std=gnu++17", "-std=gnu++20"],
      "cflags_cc": ["-std=c++20", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Wno-cast-function-type"],
      "xcode_settings": {
        "CLANG_CXX_LANGUAGE_STANDARD": "c++20",
        "MACOSX_DEPLOYMENT_TARGET": "13.5",
        "GCC_SYMBOLS_PRIVATE_EXTERN": "YES"
      },
      "msvs_settings": {
        "VCCLCompilerTool": { "AdditionalOptions": ["/std:c++20", "/Zc:__cplusplus"] }
      },
      "conditions": [
        ["OS=='linux'", {
          "cflags_cc": ["-fvisibility=hidden", "-ffunction-sections", "-fdata-sections"],
          "ldflags": ["-Wl,--gc-sections"]
        }],
        # Without: what asks the processor calls for __getauxval, which musl does not have.
        ["OS=='linux' and target_arch=='arm64'", {
          "cflags_cc": ["-mno-outline-atomics"]
        }],
        ["coverage==1", {
          "cflags_cc": ["--coverage", "-O0", "-fprofile-update=atomic"],
          "cflags_cc!": ["-O3"],
          "ldflags": ["--coverage"],
          "defines": ["WEAKLY_COVERAGE=1"]
        }],
        ["sanitize==1", {
          "cflags_cc": ["-fsanitize=address,undefined", "-fno-sanitize=vptr", "-fno-sanitize-recover=undefined", "-fno-omit-frame-pointer", "-g", "-O1"],
          "cflags_cc!": ["-O3"],
          "ldflags": ["-fsanitize=address,undefined"],
          "defines": ["WEAKLY_CHECKS=1"]
        }]
      ]
    }
  ]
}
