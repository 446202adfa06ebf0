#include <algorithm>

#include <asl/engine/cm.h>
#include <asl/engine/source_errors.h>

#include "format/encode_error.h"

namespace asl {
namespace {

constexpr std::string_view kErrorsMagic = "asl-errors";
constexpr std::uint64_t kErrorsVersion = 1;
constexpr std::uint32_t kErrorsFields = 3;
constexpr std::uint32_t kItemFields = 3;

std::string_view violated_rule(const SourceError& error) {
  if (error.path.empty() || error.path.size() > kSourceErrorPathSizeMax) return "a path is empty or too long";
  if (error.path.find('\0') != std::string::npos) return "a path holds a NUL";
  if (error.operation.empty() || error.operation.size() > kSourceErrorOperationSizeMax ||
      !is_valid_utf8(error.operation))
    return "an operation is not a short text";
  if (error.sys_errno < 0 || error.sys_errno > kErrnoMax) return "an error number is out of range";
  return {};
}

void write_header(CmWriter& writer, std::uint32_t count) {
  writer.array(kErrorsFields);
  writer.str(kErrorsMagic);
  writer.uint(kErrorsVersion);
  writer.array(count);
}

void write_item(CmWriter& writer, std::string_view path, std::string_view operation, int sys_errno) {
  writer.array(kItemFields);
  writer.bin(as_bytes(path));
  writer.str(operation);
  writer.uint(static_cast<std::uint64_t>(sys_errno));
}

// What write_header appends for the largest count.
constexpr std::size_t kHeaderSizeMax = 3 + kErrorsMagic.size() + 5;

// An error must not be lost because its description breaks a rule: the description is bent instead.
void write_bent(CmWriter& writer, const SourceError& error) {
  std::string_view path = std::string_view(error.path).substr(0, kSourceErrorPathSizeMax);
  path = path.substr(0, path.find('\0'));
  const bool operation_fits = !error.operation.empty() &&
                              error.operation.size() <= kSourceErrorOperationSizeMax &&
                              is_valid_utf8(error.operation);
  const bool errno_fits = error.sys_errno >= 0 && error.sys_errno <= kErrnoMax;
  write_item(writer, path.empty() ? "?" : path, operation_fits ? error.operation : "unknown",
             errno_fits ? error.sys_errno : 0);
}

}  // namespace

void SourceErrorList::add(const SourceError& error) {
  ++total_;
  // Once one did not fit, none follows: the list is the beginning of what was met, without holes.
  if (listed_ + 1 != total_) return;
  const std::size_t size_before = body_.size();
  CmWriter writer(body_);
  write_bent(writer, error);
  if (kHeaderSizeMax + body_.size() > kSourceErrorsSizeMax) {
    body_.resize(size_before);
    return;
  }
  ++listed_;
}

Bytes SourceErrorList::encode() const {
  Bytes bytes;
  bytes.reserve(kHeaderSizeMax + body_.size());
  CmWriter writer(bytes);
  write_header(writer, listed_);
  bytes.insert(bytes.end(), body_.begin(), body_.end());
  return bytes;
}

Result<Bytes> encode_source_errors(const std::vector<SourceError>& errors) {
  SourceErrorList list;
  for (const SourceError& error : errors) {
    if (const auto rule = violated_rule(error); !rule.empty()) return encode_malformed(rule, error.path);
    list.add(error);
  }
  if (list.listed() != list.total()) return encode_too_large("the list of source errors");
  return list.encode();
}

Result<std::vector<SourceError>> decode_source_errors(ByteSpan bytes) {
  if (bytes.size() > kSourceErrorsSizeMax)
    return fail(CmReader::violation_at(kSourceErrorsSizeMax, "a list of source errors is too large"));
  CmReader reader(bytes);
  ASL_TRY(reader.array_exactly(kErrorsFields));
  ASL_TRY(reader.header(kErrorsMagic, kErrorsVersion));
  ASL_ASSIGN(const std::uint32_t count, reader.array());
  std::vector<SourceError> errors;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::size_t start = reader.offset();
    ASL_TRY(reader.array_exactly(kItemFields));
    SourceError& error = errors.emplace_back();
    ASL_ASSIGN(const ByteSpan path, reader.bin(kSourceErrorPathSizeMax));
    error.path = as_text(path);
    ASL_ASSIGN(error.operation, reader.str(kSourceErrorOperationSizeMax));
    ASL_ASSIGN(const std::uint64_t number, reader.uint(kErrnoMax));
    error.sys_errno = static_cast<int>(number);
    if (const auto rule = violated_rule(error); !rule.empty())
      return fail(CmReader::violation_at(start, rule));
  }
  ASL_TRY(reader.finish());
  return errors;
}

}  // namespace asl
