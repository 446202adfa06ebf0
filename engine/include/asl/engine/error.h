// Errors and results. Everything that can fail returns Result<T>; exceptions are kept for programming
// errors and exhausted memory.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace asl {

// What kind of failure this is. Each maps to one process exit code (exit_code below).
enum class ErrorCode : std::uint8_t {
  kUsage,        // the caller asked for something that makes no sense
  kLocked,       // the store is locked or busy
  kNotFound,     // the named object does not exist
  kIntegrity,    // stored bytes are not what they must be
  kIo,           // the operating system could not read or write
  kRefused,      // policy or authority forbids it (a tombstone, a missing signature)
  kMalformed,    // input from outside breaks its format
  kNoSpace,      // no space, or a quota
  kUnsupported,  // not supported here: an unknown version, a missing kernel feature
  kInterrupted,  // the user or a signal asked to stop
};

// The process exit codes of every program of this project (doc/man, "EXIT STATUS").
inline constexpr int kExitOk = 0;
inline constexpr int kExitSourceIncomplete = 1;  // done, but some source data was unreadable or changed

// One failure. `message` says what failed, in plain words and without a trailing full stop; the other
// fields name where. to_string() renders "<message>: <object or path>: <reason>".
struct Error {
  ErrorCode code = ErrorCode::kIo;
  std::string message{};                  // what was attempted or violated
  std::string object{};                   // reference, block id, segment, snapshot... empty if none
  std::string path{};                     // file the failure is in; empty if none
  std::optional<std::uint64_t> offset{};  // byte offset in `path`
  int sys_errno = 0;                      // 0 if no system call failed
  std::string hint{};                     // next step for the user, printed as "try: ..."; empty if none

  std::string to_string() const;

  Error&& with_object(std::string value) &&;
  Error&& with_path(std::string value) &&;
  Error&& with_offset(std::uint64_t value) &&;
  Error&& with_hint(std::string value) &&;
};

template <typename T>
using Result = std::expected<T, Error>;

// Use as `return fail(ErrorCode::kNotFound, "no such snapshot");`
[[nodiscard]] std::unexpected<Error> fail(ErrorCode code, std::string message);
[[nodiscard]] std::unexpected<Error> fail(Error error);
// From a failed system call. The code follows from errno (ENOSPC and EDQUOT: kNoSpace; ENOENT: kNotFound;
// EROFS, EACCES, EPERM and the rest: kIo).
[[nodiscard]] Error system_error(int sys_errno, std::string message, std::string path = {});
// Bytes of a store file that break its format or fail a check.
[[nodiscard]] Error integrity_error(std::string message, std::string path, std::uint64_t offset);

int exit_code(ErrorCode code);
std::string_view error_code_name(ErrorCode code);

}  // namespace asl

// Propagates the error of an expression of type Result<...>, discarding its value.
#define ASL_TRY(expr)                                                 \
  do {                                                                \
    if (auto asl_try_result_ = (expr); !asl_try_result_) [[unlikely]] \
      return std::unexpected(std::move(asl_try_result_).error());     \
  } while (false)

#define ASL_CONCAT_INNER(a, b) a##b
#define ASL_CONCAT(a, b) ASL_CONCAT_INNER(a, b)
// ASL_ASSIGN(auto value, expression): declares `value` or propagates the error.
#define ASL_ASSIGN(decl, expr) ASL_ASSIGN_INNER(ASL_CONCAT(asl_result_, __COUNTER__), decl, expr)
#define ASL_ASSIGN_INNER(tmp, decl, expr)           \
  auto tmp = (expr);                                \
  if (!tmp) [[unlikely]]                            \
    return std::unexpected(std::move(tmp).error()); \
  decl = std::move(*tmp)
