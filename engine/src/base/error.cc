#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <utility>

#include <asl/engine/error.h>

namespace asl {
namespace {

struct CodeRow {
  ErrorCode code;
  int exit;
  std::string_view name;
};

// The one table that maps failures to exit codes (0 and 1 are outcomes, not failures).
constexpr CodeRow kCodes[] = {
    {ErrorCode::kUsage, 2, "usage"},
    {ErrorCode::kLocked, 3, "locked"},
    {ErrorCode::kNotFound, 4, "not-found"},
    {ErrorCode::kIntegrity, 5, "integrity"},
    {ErrorCode::kIo, 6, "io"},
    {ErrorCode::kRefused, 7, "refused"},
    {ErrorCode::kMalformed, 8, "malformed"},
    {ErrorCode::kNoSpace, 9, "no-space"},
    {ErrorCode::kUnsupported, 10, "unsupported"},
    {ErrorCode::kInterrupted, 130, "interrupted"},
};

const CodeRow& row_of(ErrorCode code) {
  for (const CodeRow& row : kCodes)
    if (row.code == code) return row;
  std::unreachable();
}

ErrorCode code_of_errno(int sys_errno) {
  switch (sys_errno) {
    case ENOSPC:
    case EDQUOT:
      return ErrorCode::kNoSpace;
    case ENOENT:
      return ErrorCode::kNotFound;
    case EOPNOTSUPP:
    case ENOSYS:
      return ErrorCode::kUnsupported;
    default:
      return ErrorCode::kIo;
  }
}

}  // namespace

std::string Error::to_string() const {
  std::string text = message;
  if (!object.empty()) text += ": " + object;
  if (!path.empty()) text += ": " + path;
  if (offset) text += fmt::format(" at offset {}", *offset);
  if (sys_errno != 0) text += std::string(": ") + std::strerror(sys_errno);
  return text;
}

Error&& Error::with_object(std::string value) && {
  object = std::move(value);
  return std::move(*this);
}
Error&& Error::with_path(std::string value) && {
  path = std::move(value);
  return std::move(*this);
}
Error&& Error::with_offset(std::uint64_t value) && {
  offset = value;
  return std::move(*this);
}
Error&& Error::with_hint(std::string value) && {
  hint = std::move(value);
  return std::move(*this);
}

std::unexpected<Error> fail(ErrorCode code, std::string message) {
  Error error;
  error.code = code;
  error.message = std::move(message);
  return std::unexpected(std::move(error));
}

std::unexpected<Error> fail(Error error) {
  return std::unexpected(std::move(error));
}

Error system_error(int sys_errno, std::string message, std::string path) {
  Error error;
  error.code = code_of_errno(sys_errno);
  error.message = std::move(message);
  error.path = std::move(path);
  error.sys_errno = sys_errno;
  return error;
}

Error integrity_error(std::string message, std::string path, std::uint64_t offset) {
  Error error;
  error.code = ErrorCode::kIntegrity;
  error.message = std::move(message);
  error.path = std::move(path);
  error.offset = offset;
  return error;
}

int exit_code(ErrorCode code) {
  return row_of(code).exit;
}
std::string_view error_code_name(ErrorCode code) {
  return row_of(code).name;
}

}  // namespace asl
