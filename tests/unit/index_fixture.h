// Live segments, an Index over them, and what it must answer.
#pragma once

#include <gtest/gtest.h>
#include <memory>
#include <vector>

#include "index/bloom.h"
#include "index/index.h"
#include "index/index_cache.h"
#include "segment_fixture.h"

namespace asl::test {

// Seals segments one after the other, each in a commit of its own, and keeps a log of record hashes.
class LiveSegments {
 public:
  SegmentDirectory& directory() { return directory_; }
  const std::vector<LiveSegment>& live() const { return live_; }
  const Model& model() const { return model_; }

  const LiveSegment& seal(const Model& model, bool with_bloom = true) {
    const SegmentNumber number = next_++;
    const auto written = directory_.write(number, model);
    logseq_ += 2;  // the seal, then its COMMIT
    live_.push_back({number, written.hash, logseq_ - 1});
    if (with_bloom)
      value_of(write_bloom(directory_.store(), value_of(directory_.open(number)), written.hash));
    for (const auto& [ref, artifact] : model) model_[ref] = artifact;
    return live_.back();
  }
  void retire(SegmentNumber number) {
    std::erase_if(live_, [&](const LiveSegment& segment) { return segment.number == number; });
    logseq_ += 2;
  }

  Watermark head() const { return mark_at(logseq_); }
  Watermark mark_at(std::uint64_t logseq) const {
    Watermark mark{.logseq = logseq, .record_hash = {}};
    mark.record_hash[0] = static_cast<std::byte>(history_);
    store_le(mark.record_hash.data() + 8, logseq);
    return mark;
  }
  bool log_has(const Watermark& mark) const { return mark.logseq <= logseq_ && mark == mark_at(mark.logseq); }
  // As if a backup had been restored: the log so far is another one.
  void rewrite_history() { ++history_; }

  std::shared_ptr<const Index> open(IndexCache* cache = nullptr,
                                    std::shared_ptr<const Index> older = nullptr) {
    return Index::open(directory_.store(), live_, older, cache, directory_.pages());
  }
  std::string cache_path() const { return directory_.path("store/cache/index"); }
  Result<std::unique_ptr<IndexCache>> open_cache() {
    const auto index = open();
    const CacheTarget target{.segments = index->segments(),
                             .head = head(),
                             .log_has = [this](const Watermark& mark) { return log_has(mark); }};
    return IndexCache::open(cache_path(), target, nullptr);
  }

 private:
  SegmentDirectory directory_;
  std::vector<LiveSegment> live_;
  Model model_;  // the newest copy of each
  SegmentNumber next_ = 1;
  std::uint64_t logseq_ = 0;
  unsigned history_ = 0;
};

inline void expect_artifact(const ArtifactHandle& handle, const ModelArtifact& artifact) {
  EXPECT_EQ(handle.reference(), artifact.record.ref);
  EXPECT_EQ(handle.length(), artifact.record.length);
  EXPECT_EQ(handle.type_tag(), artifact.record.type_tag);
  ASSERT_EQ(handle.extent_count(), artifact.extents.size());
  for (std::uint32_t k = 0; k < handle.extent_count(); ++k)
    EXPECT_TRUE(same_extent(value_of(handle.extent(k)), artifact.extents[k]));
  for (std::uint32_t k = 0; k < handle.extent_count(); ++k)
    EXPECT_EQ(value_of(handle.find_extent_at(artifact.extents[k].artifact_offset)), k);
  EXPECT_EQ(value_of(handle.record()).flags, artifact.record.flags);
}

// Everything the model holds is found as it is there, and nothing else.
inline void expect_model(const Index& index, const Model& model) {
  for (const auto& [ref, artifact] : model) {
    const auto handle = value_of(index.find(ref));
    ASSERT_TRUE(handle.has_value()) << to_text(ref);
    expect_artifact(*handle, artifact);
  }
  ArtifactMaker others(987654321);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_FALSE(value_of(index.find(untyped_reference(others.digest()))));
    EXPECT_FALSE(value_of(index.find({kHashIdAsl1, others.digest()})));
  }
}

}  // namespace asl::test
