// age's armor: strict PEM, as filters around a source and a sink.
#pragma once

#include <memory>

#include <asl/auth/age.h>

namespace asl::auth {

// Decodes what `source` gives. White space may stand before and after; nothing else.
ByteSource armor_decoder(ByteSource source);

// Collects bytes into lines and writes them to `sink`; finish() writes the end.
class ArmorEncoder {
 public:
  explicit ArmorEncoder(ByteSink sink) : sink_(std::move(sink)) {}
  Result<void> write(ByteSpan bytes);
  Result<void> finish();

 private:
  Result<void> write_line(ByteSpan bytes);

  ByteSink sink_;
  bool begun_ = false;
  Bytes pending_;  // less than a line
};

// Looks at the beginning of a source without taking it: whether it is armored, and the source to go on with.
struct PeekedSource {
  bool armored = false;
  ByteSource source;
};
Result<PeekedSource> peek_armor(ByteSource source);

// Reads until the span is full or the source ends.
Result<std::size_t> read_full(const ByteSource& source, MutableByteSpan into);

}  // namespace asl::auth
