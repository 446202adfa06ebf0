// JSON on standard output, one documented shape per command (doc/json.md).
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include <asl/engine/error.h>

#include "output.h"

namespace asl::cli {

// Keys keep the order in which they are written.
using Json = nlohmann::ordered_json;

// An object that starts with "schema": "asl.<command>.v<version>" (words of a command joined by '-').
Json make_json(std::string_view command, int version = 1);

// Puts bytes that need not be UTF-8 (a name, a path, a symlink target): as `key` where they are UTF-8, else
// as
// "<key>_b64" in base64. Either way they come back exactly.
void put_bytes(Json& object, std::string_view key, std::string_view bytes);
// "1970-01-01T00:00:00Z" under `key`.
void put_time(Json& object, std::string_view key, std::int64_t seconds, std::uint32_t nanoseconds = 0);

// {"schema": "asl.error.v1", "program", "code", "exit", "message", then "object", "path", "offset", "errno",
// "hint" where known}.
Json error_json(std::string_view program, const Error& error);

// One object, indented, with a newline. Any text in it must be UTF-8: names go through put_bytes.
void print_json(Output& out, const Json& object);

// A long list without holding it in memory: the fields of `header`, then `list_key`: [ one element a line ],
// then the fields of the trailer and "complete": true. Destroyed without finish() (an error came up), it
// still closes the document, with "complete": false.
class JsonList {
 public:
  JsonList(Output& out, const Json& header, std::string_view list_key);
  JsonList(const JsonList&) = delete;
  JsonList& operator=(const JsonList&) = delete;
  ~JsonList();

  void add(const Json& element);
  void finish(const Json& trailer = Json::object());

 private:
  void close(const Json& trailer, bool complete);

  Output& out_;
  bool first_ = true;
  bool open_ = true;
};

std::string base64(std::string_view bytes);

}  // namespace asl::cli
