#include "transfer/tar_reader.h"

#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>
#include <map>

#include "support.h"
#include "transfer/acl_text.h"
#include "transfer/member_key.h"
#include "transfer/pax_writer.h"
#include "transfer/tar_fields.h"

namespace asl {
namespace {

// An archive under construction: what PaxWriter writes, and headers by hand.
class Archive {
 public:
  PaxWriter& writer() { return writer_; }
  void add(std::string_view bytes) {
    const ByteSpan span = as_bytes(bytes);
    bytes_.insert(bytes_.end(), span.begin(), span.end());
  }
  void pad() { bytes_.resize(round_up(bytes_.size(), kTarBlockBytes)); }
  // A header with its checksum; `change` sets fields.
  template <typename Change>
  void add_header(char type, std::string_view name, std::uint64_t size, Change change) {
    UstarBlock block{};
    std::memcpy(block.name, name.data(), std::min(name.size(), sizeof block.name));
    std::memcpy(block.mode, "0000644", 7);
    std::memcpy(block.magic, "ustar\0", 6);
    std::memcpy(block.version, "00", 2);
    std::snprintf(block.size, sizeof block.size, "%011llo", static_cast<unsigned long long>(size));
    block.type = type;
    change(block);
    std::memset(block.checksum, ' ', sizeof block.checksum);
    unsigned sum = 0;
    for (const std::byte byte : std::as_bytes(std::span(&block, 1))) sum += std::to_integer<unsigned>(byte);
    std::snprintf(block.checksum, sizeof block.checksum, "%06o", sum);
    add(as_text(std::as_bytes(std::span(&block, 1))));
  }
  void add_header(char type, std::string_view name, std::uint64_t size = 0) {
    add_header(type, name, size, [](UstarBlock&) {});
  }
  void add_records(const std::string& text, char type = 'x') {
    add_header(type, "records", text.size());
    add(text);
    pad();
  }
  void end() { bytes_.resize(bytes_.size() + 2 * kTarBlockBytes); }
  Bytes& bytes() { return bytes_; }

  // Gives `step` bytes at a time.
  TarReader reader(std::size_t step = 1000) {
    at_ = 0;
    return TarReader([this, step](MutableByteSpan into) -> Result<std::size_t> {
      const std::size_t count = std::min({step, into.size(), bytes_.size() - at_});
      std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at_), count, into.begin());
      at_ += count;
      return count;
    });
  }

 private:
  Bytes bytes_;
  std::size_t at_ = 0;
  PaxWriter writer_{[this](ByteSpan some) -> Result<void> {
    bytes_.insert(bytes_.end(), some.begin(), some.end());
    return {};
  }};
};

std::string record(const std::string& key, const std::string& value) {
  std::size_t size = key.size() + value.size() + 3;
  std::string text;
  do {
    text = std::to_string(size) + " " + key + "=" + value + "\n";
  } while (text.size() != size++);
  return text;
}

ErrorCode code_of_next(TarReader reader) {
  TarInput member;
  while (true) {
    const auto more = reader.next(member);
    if (!more) return more.error().code;
    if (!*more) ADD_FAILURE() << "the archive was read to its end";
    if (!*more) return ErrorCode::kUsage;
  }
}

TEST(TarReader, gives_back_what_the_writer_was_given) {
  Archive archive;
  const std::string name = "d/" + std::string(300, 'n') + "\xff";
  TarMember member{.name = name, .mode = 04755, .uid = 3'000'000'000, .gid = 7};
  member.user = "us\xc3\xa9r";
  member.mtime_s = -2;
  member.mtime_ns = 250'000'000;
  member.size_bytes = 100'000;
  member.sparse = true;
  member.data_runs = {{4096, 10}, {90'000, 20}};
  const ByteSpan value = as_bytes("v\0=\n");
  member.extra.emplace_back(xattr_record_key("user.a=b%c"), Bytes(value.begin(), value.end()));
  ASL_ASSERT_OK(archive.writer().begin(member));
  ASL_ASSERT_OK(archive.writer().content(as_bytes("0123456789abcdefghijabcdefghij")));
  ASL_ASSERT_OK(archive.writer().begin(
      {.name = "dev", .type = TarType::kBlockDevice, .device_major = 259, .device_minor = 70'000}));
  ASL_ASSERT_OK(archive.writer().finish());

  TarReader reader = archive.reader();
  TarInput read;
  ASSERT_TRUE(test::value_of(reader.next(read)));
  EXPECT_EQ(read.name, name);
  EXPECT_EQ(read.type, TarInput::Type::kFile);
  EXPECT_EQ(read.mode, 04755);
  EXPECT_EQ(read.uid, 3'000'000'000);
  EXPECT_EQ(read.user, "us\xc3\xa9r");
  EXPECT_EQ(read.mtime, (TarTime{-2, 250'000'000}));
  EXPECT_EQ(read.size_bytes, 100'000U);
  EXPECT_EQ(read.data_runs, member.data_runs);
  ASSERT_EQ(read.xattrs.size(), 1U);
  EXPECT_EQ(read.xattrs[0].first, "user.a=b%c");
  EXPECT_EQ(read.xattrs[0].second, member.extra[0].second);
  Bytes content(30);
  ASL_ASSERT_OK(reader.read(content));
  EXPECT_EQ(as_text(content), "0123456789abcdefghijabcdefghij");
  EXPECT_FALSE(reader.read(content)) << "there is no more";
  ASSERT_TRUE(test::value_of(reader.next(read)));
  EXPECT_EQ(read.type, TarInput::Type::kBlockDevice);
  EXPECT_EQ(read.device_major, 259U);
  EXPECT_EQ(read.device_minor, 70'000U);
  EXPECT_FALSE(test::value_of(reader.next(read)));
  EXPECT_FALSE(test::value_of(reader.drain()));
}

TEST(TarReader, content_that_nobody_reads_is_passed_over) {
  Archive archive;
  archive.add_header('0', "a", 1000);
  archive.add(std::string(1000, 'x'));
  archive.pad();
  archive.add_header('5', "d", 4096);  // a directory's size means nothing
  archive.add_header('1', "l", 1000);  // nor does a link's
  archive.end();
  TarReader reader = archive.reader(7);
  TarInput member;
  std::string names;
  while (test::value_of(reader.next(member))) names += member.name;
  EXPECT_EQ(names, "adl");
}

TEST(TarReader, records_for_all_members_hold_until_one_says_otherwise) {
  Archive archive;
  archive.add_records(record("uname", "everybody") + record("mtime", "5.5"), 'g');
  archive.add_header('0', "a");
  archive.add_records(record("uname", "ann") + record("mtime", ""));
  archive.add_header('0', "b");
  archive.add_header('0', "c");
  archive.end();
  TarReader reader = archive.reader();
  TarInput member;
  ASSERT_TRUE(test::value_of(reader.next(member)));
  EXPECT_EQ(member.user, "everybody");
  EXPECT_EQ(member.mtime, (TarTime{5, 500'000'000}));
  ASSERT_TRUE(test::value_of(reader.next(member)));
  EXPECT_EQ(member.user, "ann");
  EXPECT_EQ(member.mtime, TarTime{});
  ASSERT_TRUE(test::value_of(reader.next(member)));
  EXPECT_EQ(member.user, "everybody");
}

TEST(TarReader, what_is_cut_short_is_never_a_whole_archive) {
  Archive archive;
  archive.add_records(record("path", "long name"));
  archive.add_header('0', "a", 600);
  archive.add(std::string(600, 'x'));
  archive.pad();
  const Bytes whole = archive.bytes();
  for (std::size_t size = 0; size <= whole.size(); size += 64) {
    archive.bytes().assign(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_EQ(code_of_next(archive.reader()), ErrorCode::kMalformed) << size;
  }
}

TEST(TarReader, a_changed_header_is_noticed) {
  Archive archive;
  archive.add_header('0', "a");
  archive.end();
  for (const std::size_t at : {0U, 100U, 156U, 400U}) {
    archive.bytes()[at] ^= std::byte{1};
    EXPECT_EQ(code_of_next(archive.reader()), ErrorCode::kMalformed) << at;
    archive.bytes()[at] ^= std::byte{1};
  }
}

TEST(TarReader, wrong_records_are_malformed) {
  for (const std::string& text :
       {std::string("5 a=b\n"), std::string("999 a=b\n"), std::string("x a=b\n"), std::string("6 =bc\n"),
        record("size", "1x"), record("mtime", "soon"), record("GNU.sparse.map", "1"),
        record("GNU.sparse.map", "10,5,3,4"), record("GNU.sparse.numbytes", "4"),
        record("LIBARCHIVE.xattr.user.a", "!!"), record("size", "18446744073709551615")}) {
    Archive archive;
    archive.add_records(text);
    archive.add_header('0', "a");
    archive.end();
    EXPECT_EQ(code_of_next(archive.reader()), ErrorCode::kMalformed) << text;
  }
}

TEST(TarReader, a_sparse_map_must_match_the_data) {
  for (const auto& [map, fits] : std::map<std::string, bool>{{"0,100", true},
                                                             {"0,50,999,50", true},
                                                             {"0,50,1000,50", false},
                                                             {"0,50", false},
                                                             {"0,50,950,51", false},
                                                             {"950,100", false}}) {
    Archive archive;
    archive.add_records(record("GNU.sparse.size", "1049") + record("GNU.sparse.map", map));
    archive.add_header('0', "a", 100);
    archive.add(std::string(100, 'x'));
    archive.pad();
    archive.end();
    TarReader reader = archive.reader();
    TarInput member;
    EXPECT_EQ(reader.next(member).has_value(), fits) << map;
  }
}

TEST(TarFields, numbers_in_every_form) {
  const auto number = [](std::string_view text) { return field_number(std::span(text.data(), text.size())); };
  EXPECT_EQ(number("0000644\0"), 0644);
  EXPECT_EQ(number("   755 "), 0755);
  EXPECT_EQ(number(std::string_view("\0\0\0\0", 4)), 0);
  EXPECT_EQ(number("12x"), std::nullopt);
  EXPECT_EQ(number("189"), std::nullopt);
  EXPECT_EQ(number(std::string_view("\x80\0\0\0\0\0\0\0\0\0\1\2", 12)), 258);
  EXPECT_EQ(number(std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe", 12)), -2);
  EXPECT_EQ(number(std::string_view("\x80\1\0\0\0\0\0\0\0\0\0\0", 12)), std::nullopt);
  EXPECT_EQ(number(std::string_view("\xff\0\0\0\0\0\0\0\0\0\0\0", 12)), std::nullopt);
}

TEST(TarFields, times_before_1970_and_with_a_fraction) {
  EXPECT_EQ(decimal_time("5"), (TarTime{5, 0}));
  EXPECT_EQ(decimal_time("5.000000001"), (TarTime{5, 1}));
  EXPECT_EQ(decimal_time("-1.5"), (TarTime{-2, 500'000'000}));
  EXPECT_EQ(decimal_time("-0.25"), (TarTime{-1, 750'000'000}));
  EXPECT_EQ(decimal_time("7.1234567899"), (TarTime{7, 123'456'789}));
  EXPECT_EQ(decimal_time("7."), (TarTime{7, 0}));
  EXPECT_EQ(decimal_time(""), std::nullopt);
  EXPECT_EQ(decimal_time("1.x"), std::nullopt);
  for (const auto& [seconds, nanoseconds] :
       {std::pair<std::int64_t, std::uint32_t>{-5, 1}, {-1, 999'999'999}, {9, 5}})
    EXPECT_EQ(decimal_time(pax_time(seconds, nanoseconds)), (TarTime{seconds, nanoseconds}));
}

TEST(TarFields, escapes) {
  EXPECT_EQ(decoded_xattr_name("user.a%3Db%25c%20"), "user.a=b%c%20");
  EXPECT_EQ(percent_decoded("user.%C3%a9%4"), "user.\xc3\xa9%4");
  EXPECT_EQ(as_text(*base64_decoded("aGVsbG8=")), "hello");
  EXPECT_EQ(as_text(*base64_decoded("aGVsbA")), "hell");
  EXPECT_EQ(base64_decoded("a*b"), std::nullopt);
}

TEST(AclText, is_read_in_every_form_that_is_written) {
  const AclIds users = [](const std::string& name) {
    return name == "ann" ? std::optional<std::uint32_t>(1001) : std::nullopt;
  };
  const AclIds groups = [](const std::string&) { return std::optional<std::uint32_t>(); };
  const std::vector<AclEntry> acl{{AclTag::kOwner, 6, 0},
                                  {AclTag::kUser, 4, 1001},
                                  {AclTag::kOwningGroup, 4, 0},
                                  {AclTag::kMask, 4, 0},
                                  {AclTag::kOther, 0, 0}};
  for (const char* text :
       {"user::rw-,user:ann:r--,group::r--,mask::r--,other::---",
        "user::rw-\nuser:ann:r--:1001\t#effective:r--\ngroup::r--\nmask::r--\nother::---\n",
        "u::rw,u:1001:r,g::r,m:r,o:-", "user::rw-,user:bob:r--:1001,group::r--,mask::r--,other::---"})
    EXPECT_EQ(acl_from_text(text, users, groups), acl) << text;
  EXPECT_EQ(acl_from_text(acl_to_text(
                              acl, [](std::uint32_t) { return "ann"; }, [](std::uint32_t) { return ""; }),
                          users, groups),
            acl);
  for (const char* text :
       {"user:bob:r--", "group:staff:r--", "nobody::r--", "user::q", "user", "other:x:r--"})
    EXPECT_EQ(acl_from_text(text, users, groups), std::nullopt) << text;
  EXPECT_FALSE(acl_is_mode_only(acl));
  EXPECT_TRUE(acl_is_mode_only({{AclTag::kOwner, 6, 0}, {AclTag::kOther, 0, 0}}));
}

TEST(MemberKey, sorts_as_trees_do) {
  const std::vector<std::string> paths{"", "a", "a/b", "a/b/c", "a/b!", "a!", "a.d", "b"};
  std::vector<std::string> keys;
  for (const std::string& path : paths) {
    keys.push_back(version_key(path_key(path), 3));
    keys.push_back(version_key(path_key(path), 200));
  }
  EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
  EXPECT_EQ(path_of_key(version_of(as_bytes(keys[7])).path), "a/b/c");
  EXPECT_EQ(version_of(as_bytes(keys[7])).number, 200U);
}

}  // namespace
}  // namespace asl
