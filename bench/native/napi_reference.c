// The weak pointer that Node-API offers, at its cheapest: a reference with count 0, named by a number. A wrapper object
// with a finalizer of its own, which most addons would add, is left out in favour of the contender.

#include <node_api.h>
#include <stdlib.h>

static napi_ref* references;
static uint32_t count;
static uint32_t capacity;

static napi_value Create(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value target;
  napi_value result;
  if (napi_get_cb_info(env, info, &argc, &target, NULL, NULL) != napi_ok) return NULL;
  if (count == capacity) {
    const uint32_t wanted = capacity == 0 ? 1024 : capacity * 2;
    napi_ref* grown = realloc(references, wanted * sizeof(napi_ref));
    if (grown == NULL) {
      napi_throw_error(env, NULL, "no memory");
      return NULL;
    }
    references = grown;
    capacity = wanted;
  }
  if (napi_create_reference(env, target, 0, &references[count]) != napi_ok) {
    napi_throw_error(env, NULL, "napi_create_reference failed");
    return NULL;
  }
  if (napi_create_uint32(env, count++, &result) != napi_ok) return NULL;
  return result;
}

// Returning NULL is returning undefined: what a dead reference gives.
static napi_value Get(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value argument;
  napi_value result;
  uint32_t index;
  if (napi_get_cb_info(env, info, &argc, &argument, NULL, NULL) != napi_ok) return NULL;
  if (napi_get_value_uint32(env, argument, &index) != napi_ok || index >= count) return NULL;
  if (napi_get_reference_value(env, references[index], &result) != napi_ok) return NULL;
  return result;
}

NAPI_MODULE_INIT() {
  const napi_property_descriptor properties[] = {
      {"create", NULL, Create, NULL, NULL, NULL, napi_enumerable, NULL},
      {"get", NULL, Get, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  napi_define_properties(env, exports, sizeof(properties) / sizeof(properties[0]), properties);
  return exports;
}
