// The mounted view below FUSE: what it holds, reads ahead and finds again.
#include <gmock/gmock.h>
#include <set>

#include "content_search.h"
#include "file_read_ahead.h"
#include "file_view.h"
#include "neighbour_reader.h"
#include "open_files.h"
#include "query_fixture.h"

namespace asl::fusefs {
namespace {

using test::bytes_of;
using test::value_of;

template <typename T>
T answer_of(Reply<T> reply) {
  if (!reply)
    throw std::runtime_error("errno " + std::to_string(reply.error().number) + " " + reply.error().words);
  return std::move(*reply);
}

std::shared_ptr<const OpenFile> text_file(std::size_t size) {
  return std::make_shared<const OpenFile>(ControlContent(std::make_shared<const Bytes>(size)));
}

TEST(OpenFiles, OpensOnceUntilItIsFullOrCleared) {
  OpenFiles files(10'000);
  std::vector<std::uint64_t> opened;
  const auto get = [&](std::uint64_t node) {
    return answer_of(files.get(node, [&]() -> Reply<std::shared_ptr<const OpenFile>> {
      opened.push_back(node);
      return text_file(4'000);
    }));
  };
  const auto first = get(1);
  EXPECT_EQ(get(1), first);
  get(2);
  get(1);
  get(3);  // the two others do not fit beside it: 2 was used longest ago
  get(1);
  EXPECT_EQ(opened, (std::vector<std::uint64_t>{1, 2, 3}));
  get(2);
  EXPECT_EQ(opened.size(), 4U);
  files.clear();
  EXPECT_NE(get(1), first);
  EXPECT_EQ(first->length(), 4'000U);  // what was handed out stays
}

TEST(OpenFiles, WhatWasOpenedBeforeAClearIsNotHeld) {
  OpenFiles files(10'000);
  int opened = 0;
  const auto get = [&](bool clear) {
    return answer_of(files.get(7, [&]() -> Reply<std::shared_ptr<const OpenFile>> {
      ++opened;
      if (clear) files.clear();
      return text_file(1);
    }));
  };
  get(true);
  get(false);
  get(false);
  EXPECT_EQ(opened, 2);
}

TEST(OpenFiles, AFailureIsNotHeld) {
  OpenFiles files(10'000);
  EXPECT_EQ(files.get(1, [] { return refuse(EIO); }).error().number, EIO);
  EXPECT_TRUE(files.get(1, [] { return Reply<std::shared_ptr<const OpenFile>>(text_file(1)); }));
}

class ReadingTest : public test::QueryTest {
 protected:
  // A view of the one snapshot's source directory, whose node is kRoot.
  void open_view() {
    FileViewOptions options;
    options.directory = directory_ / "root";
    options.only = OnlyPlace{.domain = "", .snapshot = "1"};
    options.log = [](const std::string& line) { ADD_FAILURE() << line; };
    view_ = value_of(FileView::open(*io_, options));
  }
  std::uint64_t node_of(const std::string& path) {
    std::uint64_t node = FileView::kRoot;
    for (std::size_t at = 0; at < path.size();) {
      const std::size_t end = std::min(path.find('/', at), path.size());
      node = answer_of(view_->lookup(node, path.substr(at, end - at))).node;
      at = end + 1;
    }
    return node;
  }

  std::unique_ptr<FileView> view_;
};

class NeighbourTest : public ReadingTest {
 protected:
  static std::string name(int directory, int file) {
    return "d" + std::to_string(100 + directory) + "/f" + std::to_string(1000 + file);
  }
  void start(int directories, int files) {
    Tree tree;
    for (int d = 0; d < directories; ++d)
      for (int f = 0; f < files; ++f) {
        tree[name(d, f)] = file("content " + name(d, f));
        names_.push_back(name(d, f));
      }
    tree["d100/large"] = file(std::string(300 << 10, 'l'));
    add_snapshot(tree);
    open_view();
    reader_ = std::make_unique<NeighbourReader>(*view_, [this](std::uint64_t node, MutableByteSpan content) {
      if (unknown_.contains(node)) return false;
      stored_[node] = std::string(as_text(content));
      return true;
    });
  }
  // As a program would: asks for what the kernel does not have. True if it had to ask.
  bool read(const std::string& path) {
    const std::uint64_t node = node_of(path);
    if (stored_.contains(node)) return false;
    reader_->file_read(node);
    reader_->settle();
    return true;
  }

  std::vector<std::string> names_;
  std::set<std::uint64_t> unknown_;              // not in the kernel
  std::map<std::uint64_t, std::string> stored_;  // touched by the worker while it works only
  std::unique_ptr<NeighbourReader> reader_;
};

TEST_F(NeighbourTest, AReaderInOrderSeldomHasToAsk) {
  start(20, 100);
  int asked = 0;
  for (int d = 0; d < 20; ++d) {
    reader_->directory_listed(node_of("d" + std::to_string(100 + d)));
    reader_->settle();
    for (int f = 0; f < 100; ++f) asked += read(name(d, f)) ? 1 : 0;
  }
  // Two to be believed, then one in each window, which doubles.
  EXPECT_LT(asked, 30);
  EXPECT_GT(stored_.size(), 1900U);
  for (const std::string& path : names_) {
    const auto found = stored_.find(node_of(path));
    if (found != stored_.end()) {
      ASSERT_EQ(found->second, "content " + path);
    }
  }
  EXPECT_FALSE(stored_.contains(node_of("d100/large")));
}

TEST_F(NeighbourTest, ReadingHereAndThereStoresNothing) {
  start(1, 3000);
  for (const int f : {2900, 1500, 7, 900, 2000, 300, 2600}) read(name(0, f));
  EXPECT_TRUE(stored_.empty());
}

TEST_F(NeighbourTest, ListingWithoutReadingStoresNothing) {
  start(3, 50);
  for (int d = 0; d < 3; ++d) reader_->directory_listed(node_of("d" + std::to_string(100 + d)));
  reader_->settle();
  EXPECT_TRUE(stored_.empty());
}

TEST_F(NeighbourTest, AReaderThatStopsIsNotRunAheadOfFar) {
  start(2, 2000);
  read(name(0, 0));
  read(name(0, 1));
  reader_->directory_listed(node_of("d101"));
  reader_->settle();
  EXPECT_GT(stored_.size(), 10U);
  EXPECT_LE(stored_.size(), 64U);
}

TEST_F(NeighbourTest, WhatTheKernelDoesNotKnowEndsTheRun) {
  start(1, 100);
  unknown_.insert(node_of(name(0, 5)));
  read(name(0, 0));
  read(name(0, 1));
  EXPECT_EQ(stored_.size(), 3U);
}

TEST_F(NeighbourTest, ASecondPassIsReadAheadLikeTheFirst) {
  start(1, 60);
  for (int pass = 0; pass < 2; ++pass) {
    stored_.clear();  // the kernel needed the memory
    int asked = 0;
    for (int f = 0; f < 60; ++f) asked += read(name(0, f)) ? 1 : 0;
    EXPECT_LT(asked, 8);
  }
}

TEST_F(ReadingTest, ALargeFileIsReadAheadAndReadsTheSame) {
  std::string text;
  for (std::uint32_t k = 0; text.size() < 40'000'000; ++k) text += std::to_string(k * 2654435761U);
  add_snapshot({{"large", file(text)}});
  open_view();
  FileReadAhead ahead;
  const auto content = answer_of(view_->content(node_of("large")));
  constexpr std::size_t kStep = 1 << 20;
  Bytes got(kStep);
  std::string read;
  while (read.size() < text.size()) {
    ahead.file_read(content, read.size(), kStep);
    const std::size_t size = answer_of(content->read(read.size(), got));
    read += as_text(ByteSpan(got).first(size));
    EXPECT_GE(content->read_so_far().ahead_to, read.size());
  }
  ahead.settle();
  EXPECT_TRUE(read == text);
  EXPECT_LT(content->read_so_far().ahead_to, text.size() + 8 * kStep);
  // Short requests, and the first one elsewhere, are not believed.
  const auto other = answer_of(view_->open_content(node_of("large")));
  ahead.file_read(other, 0, 4096);
  EXPECT_EQ(other->read_so_far().ahead_to, 0U);
  ahead.file_read(other, 30'000'000, kStep);
  EXPECT_EQ(other->read_so_far().ahead_to, 30'000'000U + kStep);
  ahead.file_read(other, 30'000'000 + kStep, kStep);
  EXPECT_GT(other->read_so_far().ahead_to, 30'000'000U + 8 * kStep);
}

TEST_F(ReadingTest, NodesOfAContentAreFoundInWhatWasLookedAt) {
  const Entry secret = file("secret");
  add_snapshot({{"a/one", secret}, {"a/two", file("other")}, {"b/c/deep", secret}});
  add_snapshot({{"elsewhere", secret}});
  open_view();
  DomainView& domain = *view_->domains().all().front();
  const auto search = [&](const Reference& ref) {
    std::set<std::uint64_t> nodes;
    const auto done = find_nodes(domain, {ref}, [&](std::uint64_t node) { nodes.insert(node); });
    EXPECT_TRUE(done);
    return nodes;
  };
  EXPECT_EQ(search(secret.content), (std::set<std::uint64_t>{node_of("a/one"), node_of("b/c/deep")}));
  EXPECT_TRUE(search(value_of(parse_reference("sha256:" + std::string(64, '0')))).empty());
  answer_of(domain.tree(2));
  EXPECT_EQ(search(secret.content).size(), 3U);
}

TEST_F(ReadingTest, AFileInPartIsFoundWhateverItsPiecesAre) {
  add_snapshot({{"partial", partial_file({{0, "front"}}, 5000)}});
  open_view();
  int found = 0;
  const auto done = find_nodes(*view_->domains().all().front(), {file("front").content},
                               [&](std::uint64_t node) { found += node == node_of("partial") ? 1 : 0; });
  EXPECT_TRUE(done);
  EXPECT_EQ(found, 1);
}

TEST_F(ReadingTest, PlacesAndParentsAreThoseOfTheListing) {
  Tree tree;
  for (int k = 0; k < 5000; ++k) tree["big/n" + std::to_string(10000 + k)] = file("x");
  tree["a/b/c"] = file("c");
  add_snapshot(tree);
  open_view();
  const std::uint64_t big = node_of("big");
  for (const std::uint64_t index : {0U, 1U, 2500U, 4999U}) {
    const auto at = answer_of(view_->place_in_directory(node_of("big/n" + std::to_string(10000 + index))));
    EXPECT_EQ(at.directory, big);
    EXPECT_EQ(at.index, index);
  }
  EXPECT_EQ(view_->place_in_directory(FileView::kRoot).error().number, ENOENT);
  const auto inode = [&](std::uint64_t node) { return answer_of(view_->attributes(node)).status.st_ino; };
  EXPECT_EQ(answer_of(view_->parent_inode(node_of("a/b"))), inode(node_of("a")));
  EXPECT_EQ(answer_of(view_->parent_inode(node_of("a"))), inode(FileView::kRoot));
  EXPECT_EQ(answer_of(view_->parent_inode(FileView::kRoot)), inode(FileView::kRoot));
}

}  // namespace
}  // namespace asl::fusefs
