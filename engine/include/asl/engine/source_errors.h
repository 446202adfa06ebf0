// The typed artifact that lists what a snapshot could not read or stat (doc/format-snapshot.md).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <asl/engine/bytes.h>
#include <asl/engine/error.h>

namespace asl {

inline constexpr std::size_t kSourceErrorsSizeMax = 64 << 20;  // about half a million errors
inline constexpr std::size_t kSourceErrorPathSizeMax = 64
                                                       << 10;  // 16 times PATH_MAX: walks go deeper than it
inline constexpr std::size_t kSourceErrorOperationSizeMax = 255;  // a short word such as "open" or "read"
inline constexpr int kErrnoMax = 4095;                            // the kernel's MAX_ERRNO

struct SourceError {
  std::string path;       // as met, a byte string, not empty
  std::string operation;  // what was tried; UTF-8, not empty
  int sys_errno = 0;      // 0 where no system call failed (the file changed, for example)
  bool operator==(const SourceError&) const = default;
};

// Collects errors in the order met, encoded, in memory bounded by kSourceErrorsSizeMax: what comes after that
// is counted but not listed. Not thread-safe.
class SourceErrorList {
 public:
  // A path that is too long is cut, an operation that is no short UTF-8 text becomes "unknown".
  void add(const SourceError& error);
  std::uint64_t total() const { return total_; }  // goes into the snapshot's counts
  std::uint64_t listed() const { return listed_; }
  bool empty() const { return total_ == 0; }
  Bytes encode() const;

 private:
  Bytes body_;
  std::uint32_t listed_ = 0;
  std::uint64_t total_ = 0;
};

// Errors: kMalformed for what breaks a rule, kUnsupported beyond kSourceErrorsSizeMax.
Result<Bytes> encode_source_errors(const std::vector<SourceError>& errors);
// Errors: kIntegrity with the offset inside `bytes`; kUnsupported for another version.
Result<std::vector<SourceError>> decode_source_errors(ByteSpan bytes);

}  // namespace asl
