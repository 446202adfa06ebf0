#include "transfer/import_links.h"

#include <algorithm>
#include <utility>

#include <asl/engine/tree.h>

#include "transfer/member_cursor.h"
#include "transfer/member_key.h"

namespace asl {
namespace {

// Links to links to links: more rounds than this are no archive that a program wrote.
constexpr unsigned kRoundsMax = 40;
constexpr std::size_t kNumberSize = sizeof(std::uint64_t);

// The member that a link leads to, copied: the cursor moves on.
struct Found {
  std::string path;
  std::uint64_t number = 0;
  Bytes value;
  bool newest = false;
};

// An inode's own record: whether its own name is still its, the name, the member.
Bytes encode_inode(const Found& found) {
  Bytes value(1 + kNumberSize + found.path.size() + found.value.size());
  value.front() = found.newest ? std::byte{1} : std::byte{0};
  store_be(value.data() + 1, std::uint64_t{found.path.size()});
  std::byte* const path = value.data() + 1 + kNumberSize;
  std::ranges::copy(as_bytes(found.path), path);
  std::ranges::copy(found.value, path + found.path.size());
  return value;
}

Found decode_inode(ByteSpan value) {
  Found found;
  found.newest = value.front() == std::byte{1};
  const std::size_t path_size = load_be<std::uint64_t>(value.data() + 1);
  found.path = as_text(value.subspan(1 + kNumberSize, path_size));
  const ByteSpan member = value.subspan(1 + kNumberSize + path_size);
  found.value.assign(member.begin(), member.end());
  return found;
}

bool same_inode(ByteSpan key, std::uint64_t number) {
  return number_of_key(key) == number;
}

}  // namespace

ImportLinks::ImportLinks(io::Io& io, std::string directory, ImportProblems& problems, const StopToken& stop)
    : io_(io), directory_(std::move(directory)), problems_(problems), stop_(stop) {
  links_ = make_sorter();
  inodes_ = make_sorter();
  entries_ = make_sorter();
}

std::unique_ptr<ExternalSorter> ImportLinks::make_sorter() const {
  return std::make_unique<ExternalSorter>(io_, directory_);
}

Result<ImportLinks> ImportLinks::resolve(io::Io& io, const std::string& directory,
                                         const ExternalSorter& members, ImportProblems& problems,
                                         const StopToken& stop) {
  ImportLinks links(io, directory, problems, stop);
  ASL_TRY(links.collect(members));
  for (unsigned round = 1; links.links_->size() > 0; ++round)
    ASL_TRY(links.follow(members, round == kRoundsMax));
  ASL_TRY(links.give_names());
  return links;
}

// The links that are still there when the archive ends.
Result<void> ImportLinks::collect(const ExternalSorter& members) {
  ASL_ASSIGN(MemberCursor cursor, MemberCursor::open(members));
  std::uint64_t skipped = 0;
  while (true) {
    ASL_TRY(stop_.check());
    ASL_ASSIGN(const bool more, cursor.next_path(skipped));
    if (!more) return {};
    ASL_ASSIGN(const MemberValue member, decode_member(cursor.value()));
    if (!member.link_target) continue;
    const std::string own = number_key(cursor.number()) + std::string(cursor.path());
    ASL_TRY(links_->add(as_bytes(version_key(*member.link_target, cursor.number())), as_bytes(own)));
  }
}

// One step from every link: to an inode, to another link, or nowhere.
Result<void> ImportLinks::follow(const ExternalSorter& members, bool last_round) {
  const std::unique_ptr<ExternalSorter> links = std::exchange(links_, make_sorter());
  ASL_TRY(links->sort());
  ExternalSorter::Reader reader = links->read();
  ASL_ASSIGN(MemberCursor cursor, MemberCursor::open(members));
  ASL_ASSIGN(bool have, cursor.next());
  Found found;
  while (true) {
    ASL_TRY(stop_.check());
    ASL_ASSIGN(const bool more, reader.next());
    if (!more) return {};
    const Version wanted = version_of(reader.key());
    while (have && std::ranges::lexicographical_compare(cursor.key(), reader.key())) {
      if (cursor.path() == wanted.path)
        found = {std::string(cursor.path()), cursor.number(),
                 Bytes(cursor.value().begin(), cursor.value().end()), cursor.is_newest()};
      ASL_ASSIGN(have, cursor.next());
    }
    const std::string own_path(as_text(reader.value().subspan(kNumberSize)));
    if (found.value.empty() || found.path != wanted.path) {
      problems_.add(path_of_key(own_path), "hard link to something that is not in the archive");
      continue;
    }
    ASL_ASSIGN(const MemberValue member, decode_member(found.value));
    if (member.link_target && last_round) {
      problems_.add(path_of_key(own_path), "hard links that lead to each other");
    } else if (member.link_target) {
      ASL_TRY(links_->add(as_bytes(version_key(*member.link_target, found.number)), reader.value()));
    } else if (member.entry.type == EntryType::kDirectory) {
      problems_.add(path_of_key(own_path), "hard link to a directory");
    } else {
      const std::string number = number_key(found.number);
      ASL_TRY(inodes_->add(as_bytes(number), encode_inode(found)));
      ASL_TRY(inodes_->add(as_bytes(number + own_path), {}));
    }
  }
}

// Counts each inode's names, then writes its entry under every one of them.
Result<void> ImportLinks::give_names() {
  ASL_TRY(inodes_->sort());
  ExternalSorter::Reader counting = inodes_->read();
  ExternalSorter::Reader naming = inodes_->read();
  ASL_ASSIGN(bool more, counting.next());
  ASL_ASSIGN(bool more_names, naming.next());
  while (more) {
    ASL_TRY(stop_.check());
    const std::uint64_t number = number_of_key(counting.key());
    const Found inode = decode_inode(counting.value());
    std::uint64_t names = inode.newest ? 1 : 0;
    std::string first = inode.newest ? inode.path : std::string();
    for (; more && same_inode(counting.key(), number);) {
      if (counting.key().size() > kNumberSize) {
        const std::string_view path = as_text(counting.key().subspan(kNumberSize));
        if (names == 0 || path < first) first = path;
        ++names;
      }
      ASL_ASSIGN(more, counting.next());
    }
    ASL_ASSIGN(MemberValue member, decode_member(inode.value));
    member.entry.nlink = names;
    // An archive says nothing of inode numbers: the first name tells its inode from all others.
    if (names > 1) member.entry.hardlink_id = hardlink_id(path_of_key(first), 0);
    const Bytes value = encode_member(member);
    if (inode.newest) ASL_TRY(entries_->add(as_bytes(inode.path), value));
    while (more_names && same_inode(naming.key(), number)) {
      if (naming.key().size() > kNumberSize) ASL_TRY(entries_->add(naming.key().subspan(kNumberSize), value));
      ASL_ASSIGN(more_names, naming.next());
    }
  }
  inodes_.reset();
  return entries_->sort();
}

}  // namespace asl
