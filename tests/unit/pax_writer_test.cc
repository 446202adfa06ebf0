#include "transfer/pax_writer.h"

#include <gtest/gtest.h>

#include "support.h"
#include "transfer/acl_text.h"

namespace asl {
namespace {

struct Archive {
  Bytes bytes;
  PaxWriter writer{[this](ByteSpan some) -> Result<void> {
    bytes.insert(bytes.end(), some.begin(), some.end());
    return {};
  }};
  std::string_view text(std::size_t offset, std::size_t length) const {
    return as_text(ByteSpan(bytes).subspan(offset, length));
  }
  // The field up to its first NUL.
  std::string field(std::size_t block, std::size_t offset, std::size_t length) const {
    const std::string_view whole = text(block * kTarBlockBytes + offset, length);
    return std::string(whole.substr(0, whole.find('\0')));
  }
};

TEST(PaxWriter, a_plain_member_is_one_header_and_its_padded_content) {
  Archive archive;
  ASL_ASSERT_OK(
      archive.writer.begin({.name = "a/b", .mode = 0644, .uid = 7, .gid = 8, .mtime_s = 9, .size_bytes = 5}));
  ASL_ASSERT_OK(archive.writer.content(as_bytes("hello")));
  ASL_ASSERT_OK(archive.writer.finish());
  EXPECT_EQ(archive.bytes.size(), kTarRecordBytes);
  EXPECT_EQ(archive.field(0, 0, 100), "a/b");
  EXPECT_EQ(archive.field(0, 100, 8), "0000644");
  EXPECT_EQ(archive.field(0, 108, 8), "0000007");
  EXPECT_EQ(archive.field(0, 124, 12), "00000000005");
  EXPECT_EQ(archive.field(0, 136, 12), "00000000011");
  EXPECT_EQ(archive.text(156, 1), "0");
  EXPECT_EQ(archive.text(257, 8), std::string_view("ustar\00000", 8));
  EXPECT_EQ(archive.text(512, 6), std::string_view("hello\0", 6));
  unsigned sum = 0;
  for (std::size_t k = 0; k < 512; ++k)
    sum += k >= 148 && k < 156 ? ' ' : std::to_integer<unsigned>(archive.bytes[k]);
  EXPECT_EQ(std::stoul(archive.field(0, 148, 8), nullptr, 8), sum);
}

TEST(PaxWriter, what_the_header_cannot_hold_stands_in_records_before_it) {
  Archive archive;
  const std::string name(300, 'n');
  ASL_ASSERT_OK(archive.writer.begin({.name = name, .uid = 5'000'000, .mtime_s = 1, .mtime_ns = 20}));
  ASL_ASSERT_OK(archive.writer.finish());
  EXPECT_EQ(archive.text(156, 1), "x");
  const std::string records = archive.field(1, 0, 512);
  EXPECT_EQ(records, "310 path=" + name + "\n20 mtime=1.00000002\n15 uid=5000000\n");
}

TEST(PaxWriter, long_paths_are_split_at_a_slash_where_they_can_be) {
  Archive archive;
  const std::string first(120, 'p');
  ASL_ASSERT_OK(archive.writer.begin({.name = first + "/file"}));
  ASL_ASSERT_OK(archive.writer.finish());
  EXPECT_EQ(archive.field(0, 0, 100), "file");
  EXPECT_EQ(archive.field(0, 345, 155), first);
}

TEST(PaxWriter, a_sparse_file_is_a_map_and_its_data) {
  Archive archive;
  ASL_ASSERT_OK(archive.writer.begin(
      {.name = "s", .size_bytes = 10'000, .sparse = true, .data_runs = {{4096, 3}, {8192, 2}}}));
  ASL_ASSERT_OK(archive.writer.content(as_bytes("abcde")));
  ASL_ASSERT_OK(archive.writer.finish());
  EXPECT_EQ(
      archive.field(1, 0, 512),
      "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n21 GNU.sparse.name=s\n29 GNU.sparse.realsize=10000\n");
  EXPECT_EQ(archive.field(2, 124, 12), "00000001005");  // 512 and 5
  EXPECT_EQ(archive.field(3, 0, 512), "3\n4096\n3\n8192\n2\n10000\n0\n");
  EXPECT_EQ(archive.field(4, 0, 512), "abcde");
}

TEST(PaxWriter, a_member_that_got_less_than_promised_is_refused) {
  Archive archive;
  ASL_ASSERT_OK(archive.writer.begin({.name = "a", .size_bytes = 5}));
  const auto finished = archive.writer.finish();
  ASSERT_FALSE(finished.has_value());
  EXPECT_EQ(finished.error().code, ErrorCode::kUsage);
}

TEST(PaxWriter, the_sinks_failure_is_passed_on) {
  PaxWriter writer([](ByteSpan) -> Result<void> { return fail(ErrorCode::kNoSpace, "full"); });
  ASL_ASSERT_OK(writer.begin({.name = "a"}));
  EXPECT_EQ(writer.finish().error().code, ErrorCode::kNoSpace);
}

TEST(PaxRecords, count_their_own_length) {
  EXPECT_EQ(pax_record_size("path", 1), 9U);   // "9 path=x\n"
  EXPECT_EQ(pax_record_size("path", 2), 11U);  // "11 path=xx\n": the second digit counts too
  EXPECT_EQ(pax_record_size("path", 90), 99U);
  EXPECT_EQ(pax_record_size("path", 91), 101U);
}

TEST(PaxRecords, times_before_1970_count_down) {
  EXPECT_EQ(pax_time(5, 0), "5");
  EXPECT_EQ(pax_time(5, 120'000'000), "5.12");
  EXPECT_EQ(pax_time(-5, 0), "-5");
  EXPECT_EQ(pax_time(-2, 500'000'000), "-1.5");
  EXPECT_EQ(pax_time(-1, 999'999'999), "-0.000000001");
  EXPECT_EQ(pax_time(std::numeric_limits<std::int64_t>::min(), 1), "-9223372036854775807.999999999");
}

TEST(PaxRecords, attribute_names_are_escaped_as_gnu_tar_does) {
  EXPECT_EQ(xattr_record_key("user.plain"), "SCHILY.xattr.user.plain");
  EXPECT_EQ(xattr_record_key("user.a=b%c"), "SCHILY.xattr.user.a%3Db%25c");
}

TEST(Acl, text_names_everybody_and_keeps_the_numbers) {
  const std::vector<AclEntry> acl{{AclTag::kOwner, 6, 0},   {AclTag::kUser, 5, 1001},
                                  {AclTag::kUser, 4, 1002}, {AclTag::kOwningGroup, 4, 0},
                                  {AclTag::kGroup, 7, 50},  {AclTag::kMask, 7, 0},
                                  {AclTag::kOther, 0, 0}};
  const auto user = [](std::uint32_t id) { return id == 1001 ? std::string("ann") : std::string(); };
  const auto group = [](std::uint32_t) { return std::string("staff"); };
  EXPECT_EQ(
      acl_to_text(acl, user, group),
      "user::rw-,user:ann:r-x:1001,user:1002:r--:1002,group::r--,group:staff:rwx:50,mask::rwx,other::---");
  EXPECT_EQ(decode_acl(encode_acl(acl)), acl);
}

TEST(Acl, encoding_sorts_entries_as_the_kernel_wants_them) {
  const std::vector<AclEntry> acl{
      {AclTag::kOther, 0, 0}, {AclTag::kUser, 4, 9}, {AclTag::kUser, 4, 3}, {AclTag::kOwner, 6, 0}};
  const std::vector<AclEntry> sorted{
      {AclTag::kOwner, 6, 0}, {AclTag::kUser, 4, 3}, {AclTag::kUser, 4, 9}, {AclTag::kOther, 0, 0}};
  EXPECT_EQ(decode_acl(encode_acl(acl)), sorted);
}

TEST(Acl, values_of_another_form_are_not_decoded) {
  const Bytes good = encode_acl({{AclTag::kOwner, 6, 0}});
  Bytes bad = good;
  bad[0] = std::byte{3};
  EXPECT_FALSE(decode_acl(bad)) << "another version";
  bad = good;
  bad.pop_back();
  EXPECT_FALSE(decode_acl(bad)) << "cut short";
  bad = good;
  bad[4] = std::byte{3};
  EXPECT_FALSE(decode_acl(bad)) << "no such tag";
  bad = good;
  bad[6] = std::byte{8};
  EXPECT_FALSE(decode_acl(bad)) << "no such permission";
  EXPECT_FALSE(decode_acl({}));
}

}  // namespace
}  // namespace asl
