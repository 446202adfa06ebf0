// The inside of a Domain.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include <asl/engine/domain.h>

#include "block/block_reader.h"
#include "block/block_store.h"
#include "index/index_cache.h"
#include "index/page_cache.h"
#include "index/segment_store.h"
#include "log/log_reader.h"
#include "store/domain_layout.h"
#include "store/view.h"

namespace asl {

struct Domain::Impl {
  Impl(io::Io& seam, const std::string& directory, const DomainOptions& domain_options);

  io::Io& io;
  const DomainLayout layout;
  const DomainOptions options;
  const LogFiles log_files;
  const SegmentStore segments;
  BlockStore blocks;
  BlockReader reader;
  std::shared_ptr<PageCache> pages;
  bool layout_read_only = false;  // a newer minor layout version

  mutable std::mutex view_mutex;  // guards those below
  std::shared_ptr<const View> view;
  std::optional<Error> corruption;
  IndexCache* cache = nullptr;         // of the writer of this process, while there is one
  std::set<SegmentNumber> distrusted;  // by that writer: known to be damaged
  std::set<SegmentNumber> noted;       // in store/damaged, by this object

  std::mutex refresh_mutex;  // guards position
  LogPosition position;

  // Replays what is new, or all. True if the view moved. Goes on until every live segment's file is there or
  // the log says nothing new: while a writer merges, segments go between the reading of the log and the
  // opening of the files.
  Result<bool> replay(bool from_start);
  Result<bool> replay_once(bool from_start);
  Result<void> check_own_log() const;
  // Builds the view for a state; shares open segments with the present one.
  Result<void> show(std::shared_ptr<const LogState> state);
  // While a writer lives, look-ups go through its cache; null detaches it.
  Result<void> attach_cache(IndexCache* writer_cache);
  // Look-ups pass over these segments as over missing ones from now on; for the writer.
  Result<void> distrust(const std::set<SegmentNumber>& segments);
  // Where `error` says that a live segment cannot be read, that is noted in store/damaged, once, and the
  // error gets its next step.
  Error note_segment_damage(const View& seen, Error error);
  // Shows the present state once more: the cache covers more segments than when it was shown.
  Result<void> show_again();
  std::shared_ptr<const View> current() const;
};

// What an Artifact keeps: the record found, and the domain to look again in.
struct Artifact::Impl {
  const Domain* domain = nullptr;
  std::shared_ptr<const View> view;
  ArtifactHandle handle;

  // The same result; damage of the segment is noted in store/damaged.
  template <typename T>
  Result<T> noted(Result<T> result) const {
    if (result) return result;
    return fail(const_cast<Domain*>(domain)->impl().note_segment_damage(*view, std::move(result).error()));
  }
  Result<void> read_extent(const ArtifactExtent& extent, MutableByteSpan into) const;
  Result<std::shared_ptr<const ExtentBytes>> share_extent(const ArtifactExtent& extent) const;
  Result<void> read_other_copy(const ArtifactExtent& extent, MutableByteSpan into, Error first) const;
};

}  // namespace asl
