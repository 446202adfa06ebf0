// Trees: typed artifacts that list one directory, or one leaf of a large one (doc/format-tree.md).
// Names, symlink targets and xattr names are byte strings, not text.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <asl/engine/bytes.h>
#include <asl/engine/cm.h>
#include <asl/engine/error.h>
#include <asl/engine/reference.h>

namespace asl {

enum class EntryType : std::uint8_t {
  kFile = 0,
  kDirectory = 1,
  kSymlink = 2,
  kCharDevice = 3,
  kBlockDevice = 4,
  kFifo = 5,
  kSocket = 6,
};

// Entry flags.
inline constexpr std::uint32_t kEntryChanged = 1U << 0;             // it changed while it was read
inline constexpr std::uint32_t kEntryPartial = 1U << 1;             // content is a partial (partial.h)
inline constexpr std::uint32_t kEntryMetadataIncomplete = 1U << 2;  // some metadata could not be read
inline constexpr std::uint32_t kEntryNotFullyListed = 1U << 3;      // a directory with names missing
inline constexpr std::uint32_t kEntryFlagsKnown = 0xF;

inline constexpr std::uint16_t kModeMask = 07777;
inline constexpr std::uint32_t kNanosecondsPerSecond = 1'000'000'000;
// The longest name the kernel's FUSE protocol carries; most file systems stop at 255.
inline constexpr std::size_t kNameSizeMax = 1024;
inline constexpr std::size_t kSymlinkTargetSizeMax = 4095;    // PATH_MAX without its NUL
inline constexpr std::size_t kXattrNameSizeMax = 255;         // XATTR_NAME_MAX
inline constexpr std::size_t kXattrNamesTotalMax = 64 << 10;  // with a NUL each: XATTR_LIST_MAX
inline constexpr std::size_t kXattrsPerEntryMax = 16384;      // so that an entry always fits into a leaf
inline constexpr std::size_t kXattrInlineSizeMax = 4096;      // longer values are artifacts of their own
// Where the inline values of one entry would pass this in total, all of them are artifacts.
inline constexpr std::size_t kXattrInlineTotalMax = 64 << 10;
inline constexpr std::size_t kLeafSizeMax = 1 << 20;   // bounds what a look-up must decode
inline constexpr std::size_t kLeafEntriesMax = 16384;  // the same, for small entries
inline constexpr std::size_t kLeafEntriesMin = 1024;   // leaves are not cut by content before they have these
inline constexpr unsigned kLeafCutZeroBits = 12;       // of SHA-256(name): a cut every 4,096 names on average
inline constexpr std::size_t kFanOutSizeMax = 16 << 20;  // some hundred thousand leaves
// More entries than any file system holds; sums over a fan-out's leaves cannot overflow.
inline constexpr std::uint64_t kSubtreeEntriesMax = 1ULL << 40;

struct Xattr {
  Bytes name;
  Bytes value;    // the value, where `ref` is null
  Reference ref;  // the untyped artifact that is the value; null if inline
  bool operator==(const Xattr&) const = default;
};

struct Entry {
  std::string name;  // no '/', no NUL, not "", "." or ".."
  EntryType type = EntryType::kFile;
  std::uint16_t mode = 0;  // permission bits, setuid, setgid, sticky
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::int64_t mtime_s = 0;
  std::uint32_t mtime_ns = 0;
  std::uint64_t size_bytes = 0;
  std::uint64_t hole_bytes = 0;  // of the content's hole extents
  // A file's bytes (untyped, or a partial with kEntryPartial), a directory's tree; null for all others.
  Reference content;
  std::string symlink_target;  // empty only if not a symlink, or unreadable (kEntryMetadataIncomplete)
  std::uint64_t rdev = 0;
  std::uint64_t nlink = 0;
  std::uint64_t hardlink_id = 0;  // see hardlink_id(); 0 if not hard-linked
  std::vector<Xattr> xattrs;      // by name, unique
  std::uint32_t flags = 0;        // kEntry*
  std::uint64_t below = 0;        // number of entries in the subtree; 0 if not a directory
  std::optional<std::int64_t> btime_s;
  std::uint32_t btime_ns = 0;
  std::uint32_t inode_flags = 0;  // FS_IOC_GETFLAGS
  bool operator==(const Entry&) const = default;
};

struct TreeLeaf {
  std::vector<Entry> entries;  // strictly ascending by name
  bool operator==(const TreeLeaf&) const = default;
};

struct FanOutItem {
  std::string first_name;
  std::uint64_t entries = 0;  // names in that leaf
  std::uint64_t below = 0;    // the sum of 1 + entry.below over them
  Reference ref;              // the leaf
  bool operator==(const FanOutItem&) const = default;
};

struct TreeFanOut {
  std::vector<FanOutItem> leaves;  // two or more, strictly ascending by first name
  bool operator==(const TreeFanOut&) const = default;
};

using TreeNode = std::variant<TreeLeaf, TreeFanOut>;

bool is_valid_name(std::string_view name);
// Everything that can be said of an entry by itself. Errors: kMalformed, `object` is the name.
Result<void> check_entry(const Entry& entry);
// Whether an entry's inline xattr values pass kXattrInlineTotalMax, so that all of them must become
// artifacts.
bool xattrs_need_references(const Entry& entry);
// Names an inode whose entries are hard links: `device_path` is the path inside the snapshot (no leading
// slash) of the first entry, in tree order, on the inode's device. Never 0.
std::uint64_t hardlink_id(std::string_view device_path, std::uint64_t inode);

// The only encodings. Errors: kMalformed for what breaks a rule, kUnsupported for what passes a size limit.
Result<Bytes> encode_leaf(const TreeLeaf& leaf);
Result<Bytes> encode_fan_out(const TreeFanOut& node);
// Rejects everything that the functions above would not write, except that where leaves were cut is not
// checked. Errors: kIntegrity with the offset inside `bytes`; kUnsupported for another version.
Result<TreeNode> decode_tree(ByteSpan bytes);

// Walks a leaf without holding all its entries. `bytes` must outlive it.
class LeafReader {
 public:
  // Fails on a fan-out node too.
  static Result<LeafReader> open(ByteSpan bytes);
  std::uint32_t count() const { return count_; }
  // Where in the bytes the next entry begins.
  std::size_t offset() const { return reader_.offset(); }
  // Overwrites `entry` (its memory is reused) with the next one; false at the end, where everything has been
  // checked that decode_tree checks.
  Result<bool> next(Entry& entry);

 private:
  explicit LeafReader(ByteSpan bytes) : reader_(bytes) {}

  CmReader reader_;
  std::uint32_t count_ = 0;
  std::uint32_t read_ = 0;
  std::uint64_t below_ = 0;
  std::string previous_name_;
};

// Turns the entries of one directory into tree nodes, leaf by leaf. Holds one encoded leaf and one item per
// finished leaf. Not thread-safe.
class TreeBuilder {
 public:
  // Stores a node as a typed artifact of kTagTree and returns its reference. The bytes are valid only during
  // the call.
  using StoreNode = std::function<Result<Reference>(ByteSpan node)>;
  explicit TreeBuilder(StoreNode store_node) : store_node_(std::move(store_node)) {}

  // Names must come in strictly ascending byte order (kMalformed otherwise, or if check_entry fails).
  // After an error the builder must not be used further.
  Result<void> add(const Entry& entry);

  struct Finished {
    Reference root;             // goes into the directory's entry as content
    std::uint64_t entries = 0;  // names in the directory
    std::uint64_t below = 0;    // the sum of 1 + entry.below over them: the directory entry's `below`
  };
  // To be called once. An empty directory is one empty leaf.
  Result<Finished> finish();

 private:
  Result<void> cut_leaf();

  StoreNode store_node_;
  Bytes body_;   // the open leaf's entries, encoded
  Bytes entry_;  // one entry, encoded
  std::uint32_t leaf_entries_ = 0;
  std::uint64_t leaf_below_ = 0;
  std::string leaf_first_name_;
  std::string last_name_;
  std::uint64_t entries_ = 0;
  std::uint64_t below_ = 0;
  TreeFanOut fan_out_;
  std::size_t fan_out_size_ = 0;
};

}  // namespace asl
