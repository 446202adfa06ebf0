// The byte stream of a segment being written: page sums and hashes are made as the bytes pass.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <asl/engine/bytes.h>
#include <asl/engine/error.h>
#include <asl/engine/hash.h>
#include <asl/engine/io.h>

namespace asl {

// Appends to a new file. Not thread-safe. Nothing is durable before finish() returns.
class SegmentOutput {
 public:
  // `file` is new and empty; it and `io` must outlive the output.
  SegmentOutput(io::Io& io, const io::File& file);

  Result<void> append(ByteSpan bytes);
  std::uint64_t offset() const { return flushed_ + used_; }

  struct Hashes {
    Digest whole;  // of the file, footer included
    std::uint64_t file_size;
  };
  // Pads to a page, appends page sums and footer, syncs the data.
  Result<Hashes> finish();

 private:
  Result<void> flush();

  io::Io* io_;
  const io::File* file_;
  AlignedBuffer buffer_;
  std::size_t used_ = 0;
  std::uint64_t flushed_ = 0;
  bool summing_ = true;  // until the page sums themselves are written
  Sha256 hash_;
  std::vector<std::uint64_t> page_sums_;
};

}  // namespace asl
