// Contents on their way to standard output, or to what stands for it.
#pragma once

#include <cstdint>

#include <asl/engine/artifact_copy.h>

#include "output.h"

namespace asl::cli {

// Holes are written as zeros. Fails when `out` does, with what it says then. `out` must outlive the object.
class OutputSink : public ContentSink {
 public:
  explicit OutputSink(Output& out) : out_(out) {}
  Result<void> data(ByteSpan bytes) override;
  Result<void> zeros(std::uint64_t length) override;

 private:
  Output& out_;
};

}  // namespace asl::cli
