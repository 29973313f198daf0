{
  "targets": [
    {
      "target_name": "napi_reference",
      "sources": ["napi_reference.c"],
      "defines": ["NAPI_VERSION=8"],
      "cflags": ["-O2", "-Wall", "-Wextra"]
    }
  ]
}
