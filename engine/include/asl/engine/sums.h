// SHA-256 sums of a snapshot's files, as sha256sum writes and reads them. They are the files' names in the
// store: nothing is read but trees.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <asl/engine/bytes.h>
#include <asl/engine/domain.h>
#include <asl/engine/error.h>
#include <asl/engine/snapshot.h>
#include <asl/engine/tree.h>

namespace asl {

// How sha256sum ends its lines; with kNul (sha256sum -z) it escapes nothing.
enum class SumLineEnd : char { kNewline = '\n', kNul = '\0' };

// "<64 hex>  <path>" and the end. Paths with a backslash, a line feed or a carriage return get the leading
// backslash and the escapes that `sha256sum -c` undoes; a path that is just "-" becomes "./-", since
// sha256sum takes the former for its standard input.
std::string sum_line(const Digest& digest, std::string_view path, SumLineEnd end);

struct SumsReport {
  std::uint64_t files = 0;
  std::uint64_t partial = 0;  // files without a sum
};
// Relative to what was asked for, so that the lines hold below the source directory; a single file is its own
// name. A file with gaps has no digest: null. Valid during the call.
using SumVisitor = std::function<Result<void>(const std::string& path, const Digest* digest)>;

// Every regular file at or below `path` of a snapshot, in tree order. Errors: find_path, walk, `visit`.
Result<SumsReport> list_sums(const Domain& domain, const Snapshot& snapshot, const std::string& path,
                             const SumVisitor& visit);

}  // namespace asl
