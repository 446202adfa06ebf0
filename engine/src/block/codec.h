// Compressing extents for storage and getting them back.
#pragma once

#include <memory>

#include <asl/engine/block.h>
#include <asl/engine/bytes.h>
#include <asl/engine/error.h>

namespace asl {

inline constexpr int kZstdLevelDefault = 3;

// A zstd compressor of one thread, with its working memory.
class Compressor {
 public:
  explicit Compressor(int level = kZstdLevelDefault);  // levels zstd does not know are brought into its range
  ~Compressor();
  Compressor(Compressor&&) noexcept;
  Compressor& operator=(Compressor&&) noexcept;

  // The compressed form of `raw`, or an empty span if it would not be smaller. Points into this object, until
  // the next call. `raw` holds at most kExtentLengthMax bytes. Errors: kIo if zstd fails (out of memory).
  Result<ByteSpan> compress(ByteSpan raw);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The opposite. One thread at a time.
class Decompressor {
 public:
  Decompressor();
  ~Decompressor();
  Decompressor(Decompressor&&) noexcept;
  Decompressor& operator=(Decompressor&&) noexcept;

  // Fills `raw` exactly. kMalformed if `stored` is not one zstd frame of exactly raw.size() bytes; nothing is
  // ever written beyond `raw`.
  Result<void> decompress(ByteSpan stored, MutableByteSpan raw);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace asl
