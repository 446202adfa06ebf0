// put: what is stored, in which order it is told, what a broken batch leaves; and the pins.
#include <fcntl.h>
#include <sys/mman.h>

#include <asl/engine/artifact_copy.h>
#include <asl/engine/hash.h>
#include <asl/engine/history.h>
#include <asl/engine/put.h>

#include "ingest/netstring.h"
#include "store/pins.h"
#include "store_fixture.h"

namespace asl::test {
namespace {

// A descriptor that reads these bytes.
int reading(const std::string& text) {
  const int fd = ::memfd_create("input", MFD_CLOEXEC);
  EXPECT_EQ(::write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  ::lseek(fd, 0, SEEK_SET);
  return fd;
}

class Collected : public ContentSink {
 public:
  Result<void> data(ByteSpan bytes) override {
    text += as_text(bytes);
    return {};
  }
  Result<void> zeros(std::uint64_t length) override {
    hole_bytes += length;
    text.append(length, '\0');
    return {};
  }
  std::string text;
  std::uint64_t hole_bytes = 0;
};

class PutTest : public StoreTest {
 protected:
  std::unique_ptr<Putter> putter(const PutOptions& options = {.compression = {}, .jobs = 2}) {
    return value_of(Putter::open(
        domain(), options,
        [this](const PutOutcome& outcome) -> Result<void> {
          told_.push_back(outcome);
          return {};
        },
        progress_, StopToken(stop_)));
  }

  Result<void> put_batch(const std::string& stream) {
    const auto batch = putter();
    const int fd = reading(stream);
    auto added = batch->add_batch(fd, "batch");
    ::close(fd);
    value_of(batch->finish());
    return added;
  }

  std::string file(const std::string& name, const std::string& text) {
    write_text(directory_ / name, text);
    return directory_ / name;
  }

  std::string stored(const Reference& reference) {
    Collected sink;
    value_of(copy_artifact(value_of(domain().find(reference)), sink, progress_, {}));
    return sink.text;
  }

  static Reference reference_of(const std::string& text) { return untyped_reference(sha256(as_bytes(text))); }

  std::vector<PutOutcome> told_;
  ProgressCounters progress_;
  std::atomic<bool> stop_{false};
};

TEST_F(PutTest, ABatchIsStoredPinnedAndToldInOrder) {
  std::string stream;
  std::vector<std::string> texts;
  for (int k = 0; k < 3000; ++k) texts.push_back(std::string(static_cast<std::size_t>(k), 'x') + "end");
  for (const std::string& text : texts) stream += std::to_string(text.size()) + ":" + text + ",";
  value_of(put_batch(stream));
  ASSERT_EQ(told_.size(), texts.size());
  for (std::size_t k = 0; k < texts.size(); ++k) {
    EXPECT_EQ(told_[k].number, k + 1);
    EXPECT_EQ(told_[k].written.reference, reference_of(texts[k]));
  }
  EXPECT_EQ(stored(reference_of(texts[1234])), texts[1234]);
  EXPECT_TRUE(value_of(is_pinned(domain(), reference_of(texts[0]))));
  EXPECT_EQ(verify_all(domain()).finding_count, 0U);
}

TEST_F(PutTest, ANetstringLongerThanTheBufferIsStoredBetweenShortOnes) {
  std::string large(5 << 20, '\0');
  for (std::size_t k = 0; k < large.size(); k += 7) large[k] = static_cast<char>(k * 31);
  value_of(put_batch("3:one," + std::to_string(large.size()) + ":" + large + ",3:two,"));
  ASSERT_EQ(told_.size(), 3U);
  EXPECT_EQ(told_[1].written.reference, reference_of(large));
  EXPECT_EQ(told_[2].written.reference, reference_of("two"));
  EXPECT_EQ(stored(reference_of(large)), large);
}

TEST_F(PutTest, ABrokenBatchKeepsWhatCameBefore) {
  struct Case {
    std::string rest;
    std::uint64_t offset;
  };
  for (const Case& bad :
       {Case{"6:worl", 8}, Case{"6:world!", 8}, Case{"06:world!,", 8}, Case{"6:world!x", 16},
        Case{"99999999999999999999:", 8}, Case{"6", 8}, Case{"6;", 9}, Case{":", 8}}) {
    told_.clear();
    const auto failed = put_batch("5:hello," + bad.rest);
    ASSERT_FALSE(failed.has_value()) << bad.rest;
    EXPECT_EQ(failed.error().code, ErrorCode::kMalformed) << bad.rest;
    EXPECT_EQ(failed.error().offset, bad.offset) << bad.rest;
    ASSERT_EQ(told_.size(), 1U) << bad.rest;
    EXPECT_EQ(told_[0].written.reference, reference_of("hello"));
  }
}

TEST_F(PutTest, ALongNetstringThatEndsEarlyNamesItsOffset) {
  const auto failed = put_batch("5:hello,3000000:" + std::string(2'500'000, 'x'));
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().code, ErrorCode::kMalformed);
  EXPECT_EQ(failed.error().offset, 8U);
  EXPECT_EQ(told_.size(), 1U);
}

TEST_F(PutTest, FilesOfEveryLengthComeBackAndHolesStayHoles) {
  std::string large(3 << 20, 'a');
  for (std::size_t k = 0; k < large.size(); k += 5) large[k] = static_cast<char>(k >> 8);
  const std::string sparse = directory_ / "sparse";
  write_text(sparse, "start");
  fs::resize_file(sparse, 8 << 20);
  const auto files = putter();
  for (const std::string& path : {file("empty", ""), file("small", "small"), file("large", large), sparse})
    value_of(files->add_file(path));
  value_of(files->finish());
  ASSERT_EQ(told_.size(), 4U);
  EXPECT_EQ(stored(told_[0].written.reference), "");
  EXPECT_EQ(stored(told_[1].written.reference), "small");
  EXPECT_EQ(stored(told_[2].written.reference), large);
  Collected sink;
  value_of(copy_artifact(value_of(domain().find(told_[3].written.reference)), sink, progress_, {}));
  EXPECT_EQ(sink.text.size(), std::size_t{8 << 20});
  EXPECT_GT(sink.hole_bytes, std::uint64_t{7 << 20});
  EXPECT_EQ(told_[3].written.reference, reference_of(sink.text));
}

TEST_F(PutTest, WhatCannotBeReadIsToldInItsPlace) {
  const auto files = putter();
  for (const std::string& path : {file("a", "a"), directory_ / "missing", directory_.path(), file("b", "b")})
    value_of(files->add_file(path));
  value_of(files->finish());
  ASSERT_EQ(told_.size(), 4U);
  EXPECT_FALSE(told_[0].error.has_value());
  EXPECT_EQ(told_[1].error->code, ErrorCode::kNotFound);
  EXPECT_EQ(told_[2].error->code, ErrorCode::kUsage);
  EXPECT_EQ(told_[3].written.reference, reference_of("b"));
}

TEST_F(PutTest, TypedArtifactsGetTypedReferencesAndTheStoresOwnTypesAreRefused) {
  const auto typed = putter({.type_tag = 7, .compression = {}, .jobs = 1});
  value_of(typed->add_file(file("a", "a")));
  value_of(typed->finish());
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_EQ(told_[0].written.reference, typed_reference(7, as_bytes("a")));
  EXPECT_EQ(stored(told_[0].written.reference), "a");
  for (const std::uint32_t tag :
       {kTagTree, kTagSnapshot, kTagPartial, kTagErrors, std::uint32_t{0x00A5000F}}) {
    const auto refused =
        Putter::open(domain(), {.type_tag = tag, .compression = {}}, {}, progress_, StopToken(stop_));
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kRefused);
  }
}

TEST_F(PutTest, APutOfAKnownArtifactPinsItAndAPinnedOneCostsNothing) {
  const Reference known = value_of(put_all(domain(), {bytes_of("known")})).front();
  EXPECT_FALSE(value_of(is_pinned(domain(), known)));
  value_of(put_batch("5:known,"));
  EXPECT_TRUE(value_of(is_pinned(domain(), known)));
  const std::uint64_t logseq = domain().state()->last_logseq();
  value_of(put_batch("5:known,"));
  EXPECT_EQ(domain().state()->last_logseq(), logseq);
  EXPECT_EQ(told_.size(), 2U);

  const Unpinned unpinned = value_of(unpin_artifacts(domain(), std::vector{known}));
  EXPECT_EQ(unpinned.references, std::vector{known});
  EXPECT_FALSE(value_of(is_pinned(domain(), known)));
  EXPECT_TRUE(value_of(unpin_artifacts(domain(), std::vector{known})).references.empty());
  value_of(put_batch("5:known,"));
  EXPECT_TRUE(value_of(is_pinned(domain(), known)));
}

TEST_F(PutTest, NothingIsUnpinnedIfOneIsUnknown) {
  value_of(put_batch("5:known,"));
  const auto failed = unpin_artifacts(domain(), std::vector{reference_of("known"), reference_of("unknown")});
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(value_of(is_pinned(domain(), reference_of("known"))));
}

TEST_F(PutTest, WhatATombstoneForbidsIsNotPut) {
  value_of(put_batch("6:secret,"));
  {
    const auto writer = open_writer();
    const std::vector<NewRecord> records{new_record(TombstoneRecord{.reference = reference_of("secret")})};
    value_of(writer->commit(records));
  }
  told_.clear();
  value_of(put_batch("1:a,6:secret,1:b,"));
  ASSERT_EQ(told_.size(), 3U);
  EXPECT_FALSE(told_[0].error.has_value());
  ASSERT_TRUE(told_[1].error.has_value());
  EXPECT_EQ(told_[1].error->code, ErrorCode::kRefused);
  EXPECT_FALSE(told_[2].error.has_value());
}

TEST_F(PutTest, AnInterruptionEndsItAndKeepsTheStoreAsItWas) {
  const std::uint64_t logseq = domain().state()->last_logseq();
  const auto files = putter();
  value_of(files->add_file(file("a", "a")));
  stop_ = true;
  const auto failed = files->add_file(file("b", "b"));
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().code, ErrorCode::kInterrupted);
  EXPECT_TRUE(told_.empty());
  EXPECT_EQ(domain().state()->last_logseq(), logseq);
}

TEST_F(PutTest, ACopyStopsAtDamageAndNamesTheBlock) {
  value_of(put_batch("8:precious,"));
  const auto blocks = files_ending(in_store("blocks"), ".bin");
  ASSERT_EQ(blocks.size(), 1U);
  flip_byte(blocks.front(), 2);
  reopen();
  Collected sink;
  const auto failed = copy_artifact(value_of(domain().find(reference_of("precious"))), sink, progress_, {});
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().code, ErrorCode::kIntegrity);
  EXPECT_EQ(failed.error().path, blocks.front());
  EXPECT_TRUE(sink.text.empty());
}

TEST(Netstring, PrefixesAreCutExactly) {
  const auto parse = [](const std::string& text) { return parse_netstring_prefix(as_bytes(text)); };
  EXPECT_FALSE(value_of(parse("")).has_value());
  EXPECT_FALSE(value_of(parse("12")).has_value());
  const NetstringPrefix zero = *value_of(parse("0:"));
  EXPECT_EQ(zero.length, 0U);
  EXPECT_EQ(zero.size_bytes, 2U);
  const NetstringPrefix longest = *value_of(parse("9223372036854775807:x"));
  EXPECT_EQ(longest.length, kArtifactLengthMax);
  EXPECT_EQ(longest.size_bytes, kNetstringPrefixMax);
  for (const char* bad :
       {"9223372036854775808:", "00:", "01:", "-1:", " 1:", "1 :", ":", "x", "00000000000000000000"}) {
    const auto failed = parse(bad);
    ASSERT_FALSE(failed.has_value()) << bad;
    EXPECT_EQ(failed.error().code, ErrorCode::kMalformed) << bad;
  }
}

}  // namespace
}  // namespace asl::test
