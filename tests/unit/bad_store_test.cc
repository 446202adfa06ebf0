// A small store in which bytes are changed one at a time, in every kind of file it has: no read gives wrong
// bytes, and verify tells of the change, except where the file is derived and is passed over.
#include <string>
#include <vector>

#include <asl/engine/hash.h>
#include <asl/engine/log_record.h>

#include "store_fixture.h"

namespace asl {
namespace {

using test::files_ending;
using test::flip_byte;
using test::open_domain;
using test::random_bytes;
using test::read_artifact;
using test::value_of;

class BadStoreTest : public test::StoreTest {
 protected:
  void SetUp() override {
    contents_ = {random_bytes(300, 1), random_bytes(5000, 2), random_bytes(70'000, 3)};
    const auto writer = open_writer();
    const auto lane = value_of(writer->make_lane());
    for (const Bytes& bytes : contents_) {
      value_of(lane->put(bytes));
      value_of(writer->commit());
    }
    typed_ = value_of(writer->put_typed(kTagErrors, contents_.front()));
    value_of(writer->commit());
  }

  // Whether anything said that the store is not what it was. Wrong bytes fail the test.
  bool is_noticed() {
    const auto domain = Domain::open(*io_, at(), {});
    if (!domain) return true;
    for (const Bytes& bytes : contents_) {
      const auto got = read_artifact(**domain, untyped_reference(sha256(bytes)));
      if (got && *got != bytes) ADD_FAILURE() << "wrong bytes were returned";
    }
    const auto typed = (*domain)->read_typed(typed_, kTagErrors, 1 << 20);
    if (typed && *typed != contents_.front())
      ADD_FAILURE() << "wrong bytes of a typed artifact were returned";
    return test::verify_all(**domain).finding_count > 0;
  }

  // Changes every `step`th byte of each file, one at a time, and puts it back.
  void change_each(const std::vector<std::string>& files, std::uint64_t step, bool must_notice) {
    ASSERT_FALSE(files.empty());
    for (const std::string& file : files) {
      const std::uint64_t size = test::fs::file_size(file);
      ASSERT_GT(size, 0U) << file;
      for (std::uint64_t offset = 0; offset < size && !HasFailure(); offset += step) {
        SCOPED_TRACE(file + " at " + std::to_string(offset));
        flip_byte(file, offset);
        const bool noticed = is_noticed();
        if (must_notice) {
          EXPECT_TRUE(noticed) << "nobody noticed";
        }
        flip_byte(file, offset);
      }
    }
    test::fs::remove(in_store("damaged"));
    EXPECT_FALSE(is_noticed()) << "the store is whole again";
  }

  std::vector<Bytes> contents_;
  Reference typed_;
};

TEST_F(BadStoreTest, BlocksPaddingIncluded) {
  change_each(files_ending(in_store("blocks"), ".bin"), 509, true);
}

TEST_F(BadStoreTest, BlockMetadata) {
  change_each(files_ending(in_store("blocks"), ".meta"), 3, true);
}

TEST_F(BadStoreTest, Segments) {
  change_each(files_ending(in_store("index"), ".idx"), 53, true);
}

TEST_F(BadStoreTest, TheLog) {
  change_each(files_ending(at() + "/log", ".aol"), 61, true);
}

TEST_F(BadStoreTest, TheLayoutLine) {
  change_each({at() + "/layout"}, 1, true);
}

// A hint: one that is damaged is passed over.
TEST_F(BadStoreTest, TheLogHeadChangesNothing) {
  change_each({at() + "/log/head"}, 1, false);
}

// Derived from the segments: a filter that says "not there" wrongly would hide an artifact, so its own hash
// guards it.
TEST_F(BadStoreTest, BloomFilesHideNothing) {
  for (const std::string& file : files_ending(in_store("index"), ".bf")) {
    for (std::uint64_t offset = 0; offset < test::fs::file_size(file); ++offset) {
      flip_byte(file, offset);
      reopen();
      for (const Bytes& bytes : contents_)
        ASSERT_TRUE(read_artifact(domain(), untyped_reference(sha256(bytes))).has_value())
            << file << " " << offset;
      flip_byte(file, offset);
    }
  }
}

// Every file cut to half, and emptied.
TEST_F(BadStoreTest, TruncatedFilesAreNoticed) {
  std::vector<std::string> files = files_ending(in_store("blocks"), ".bin");
  for (const auto& [folder, ending] : {std::pair{"/store/blocks", ".meta"}, std::pair{"/store/index", ".idx"},
                                       std::pair{"/log", ".aol"}, std::pair{"/layout", ""}}) {
    if (*ending == 0) {
      files.push_back(at() + folder);
      continue;
    }
    for (const std::string& file : files_ending(at() + folder, ending)) files.push_back(file);
  }
  for (const std::string& file : files) {
    const std::string kept = directory_ / "kept";
    for (const std::uint64_t part : {2U, 1U}) {
      SCOPED_TRACE(file);
      test::fs::copy_file(file, kept, test::fs::copy_options::overwrite_existing);
      test::fs::resize_file(file, (part - 1) * test::fs::file_size(file) / 2);
      EXPECT_TRUE(is_noticed());
      test::fs::copy_file(kept, file, test::fs::copy_options::overwrite_existing);
    }
  }
  test::fs::remove(in_store("damaged"));
  EXPECT_FALSE(is_noticed());
}

}  // namespace
}  // namespace asl
