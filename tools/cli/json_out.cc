#include "json_out.h"

#include <algorithm>
#include <cstring>

#include "text.h"

namespace asl::cli {
namespace {

// The fields of an object without its braces: ,"a":1,"b":2
std::string fields(const Json& object) {
  std::string out;
  for (const auto& [key, value] : object.items()) out += "," + Json(key).dump() + ":" + value.dump();
  return out;
}

}  // namespace

Json make_json(std::string_view command, int version) {
  std::string name(command);
  std::ranges::replace(name, ' ', '-');
  return Json{{"schema", "asl." + name + ".v" + std::to_string(version)}};
}

void put_bytes(Json& object, std::string_view key, std::string_view bytes) {
  if (is_utf8(bytes))
    object[std::string(key)] = bytes;
  else
    object[std::string(key) + "_b64"] = base64(bytes);
}

void put_time(Json& object, std::string_view key, std::int64_t seconds, std::uint32_t nanoseconds) {
  object[std::string(key)] = format_time(seconds, nanoseconds);
}

Json error_json(std::string_view program, const Error& error) {
  Json object = make_json("error");
  object["program"] = program;
  object["code"] = error_code_name(error.code);
  object["exit"] = exit_code(error.code);
  put_bytes(object, "message", error.message);
  if (!error.object.empty()) put_bytes(object, "object", error.object);
  if (!error.path.empty()) put_bytes(object, "path", error.path);
  if (error.offset) object["offset"] = *error.offset;
  if (error.sys_errno != 0) {
    object["errno"] = error.sys_errno;
    object["reason"] = std::strerror(error.sys_errno);
  }
  if (!error.hint.empty()) put_bytes(object, "hint", error.hint);
  return object;
}

void print_json(Output& out, const Json& object) {
  out.line(object.dump(2));
}

JsonList::JsonList(Output& out, const Json& header, std::string_view list_key) : out_(out) {
  std::string start = fields(header);
  if (!start.empty()) start[0] = '{';
  out_.write(start + (start.empty() ? "{" : ",") + Json(list_key).dump() + ":[");
}

JsonList::~JsonList() {
  if (open_) close(Json::object(), false);
}

void JsonList::add(const Json& element) {
  out_.write(first_ ? "\n" : ",\n");
  out_.write(element.dump());
  first_ = false;
}

void JsonList::finish(const Json& trailer) {
  close(trailer, true);
}

void JsonList::close(const Json& trailer, bool complete) {
  out_.write(first_ ? "]" : "\n]");
  out_.write(fields(trailer));
  out_.line(complete ? ",\"complete\":true}" : ",\"complete\":false}");
  open_ = false;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    const std::size_t taken = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t j = 0; j < 3; ++j)
      group = (group << 8) | (j < taken ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    for (std::size_t j = 0; j < 4; ++j) out += j <= taken ? kDigits[(group >> (18 - 6 * j)) & 63] : '=';
  }
  return out;
}

}  // namespace asl::cli
