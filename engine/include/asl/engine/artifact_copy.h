// All bytes of one artifact, or of one file, in order.
#pragma once

#include <cstdint>

#include <asl/engine/bytes.h>
#include <asl/engine/domain.h>
#include <asl/engine/error.h>
#include <asl/engine/file_content.h>
#include <asl/engine/progress.h>
#include <asl/engine/stop.h>

namespace asl {

// Where the bytes go. Owned by the caller. An error ends the copy and is returned.
class ContentSink {
 public:
  virtual ~ContentSink() = default;
  // `bytes` are valid during the call and not empty.
  virtual Result<void> data(ByteSpan bytes) = 0;
  // The next `length` bytes are zeros that the store keeps as a hole.
  virtual Result<void> zeros(std::uint64_t length) = 0;
};

// Every byte given has passed its extent's check, and at the end the whole is compared with the reference:
// kIntegrity then means that what was given, though each part is good, is not the artifact. Adds to
// bytes_done. Other errors: those of Artifact::read and of the sink, kInterrupted.
Result<void> copy_artifact(const Artifact& artifact, ContentSink& sink, ProgressCounters& progress,
                           const StopToken& stop);

// The same for a file, each part checked and the whole not: a file that was read in part has no digest of its
// own. Gaps are zeros that sink.data() gets: who must not invent bytes calls require_whole() first.
Result<void> copy_content(const FileContent& content, ContentSink& sink, ProgressCounters& progress,
                          const StopToken& stop);

}  // namespace asl
