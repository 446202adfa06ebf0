#include "block/codec.h"

#include <algorithm>
#include <cassert>
#include <new>
#include <string>
#include <zstd.h>

namespace asl {
namespace {

struct FreeCompression {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};
struct FreeDecompression {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

}  // namespace

struct Compressor::State {
  std::unique_ptr<ZSTD_CCtx, FreeCompression> context{ZSTD_createCCtx()};
  Bytes out;
};

Compressor::Compressor(int level) : state_(std::make_unique<State>()) {
  if (!state_->context) throw std::bad_alloc();
  const int known = std::clamp(level, ZSTD_minCLevel(), ZSTD_maxCLevel());
  ZSTD_CCtx_setParameter(state_->context.get(), ZSTD_c_compressionLevel, known);
}
Compressor::~Compressor() = default;
Compressor::Compressor(Compressor&&) noexcept = default;
Compressor& Compressor::operator=(Compressor&&) noexcept = default;

Result<ByteSpan> Compressor::compress(ByteSpan raw) {
  assert(raw.size() <= kExtentLengthMax);
  // Room for zstd's bound rather than for one byte less than `raw`: with less room it checks every store.
  const std::size_t bound = ZSTD_compressBound(raw.size());
  if (state_->out.size() < bound) state_->out.resize(bound);
  const std::size_t size =
      ZSTD_compress2(state_->context.get(), state_->out.data(), state_->out.size(), raw.data(), raw.size());
  if (ZSTD_isError(size) != 0)
    return fail(ErrorCode::kIo, std::string("cannot compress an extent: ") + ZSTD_getErrorName(size));
  if (size >= raw.size()) return ByteSpan();
  return ByteSpan(state_->out).first(size);
}

struct Decompressor::State {
  std::unique_ptr<ZSTD_DCtx, FreeDecompression> context{ZSTD_createDCtx()};
};

Decompressor::Decompressor() : state_(std::make_unique<State>()) {
  if (!state_->context) throw std::bad_alloc();
}
Decompressor::~Decompressor() = default;
Decompressor::Decompressor(Decompressor&&) noexcept = default;
Decompressor& Decompressor::operator=(Decompressor&&) noexcept = default;

Result<void> Decompressor::decompress(ByteSpan stored, MutableByteSpan raw) {
  // zstd itself would also take several frames, or skippable ones, one after the other.
  if (ZSTD_getFrameContentSize(stored.data(), stored.size()) != raw.size())
    return fail(ErrorCode::kMalformed, "compressed bytes do not state the length they must have");
  const std::size_t frame = ZSTD_findFrameCompressedSize(stored.data(), stored.size());
  if (ZSTD_isError(frame) != 0 || frame != stored.size())
    return fail(ErrorCode::kMalformed, "compressed bytes are not one whole frame");
  const std::size_t size =
      ZSTD_decompressDCtx(state_->context.get(), raw.data(), raw.size(), stored.data(), stored.size());
  if (ZSTD_isError(size) != 0)
    return fail(ErrorCode::kMalformed, std::string("cannot decompress: ") + ZSTD_getErrorName(size));
  if (size != raw.size()) return fail(ErrorCode::kMalformed, "compressed bytes hold another length");
  return {};
}

}  // namespace asl
