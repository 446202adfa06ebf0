#include <array>
#include <gtest/gtest.h>
#include <unistd.h>

#include "json_out.h"

namespace asl::cli {
namespace {

// What `write` prints.
template <typename Write>
std::string printed(Write write) {
  std::array<int, 2> pipe{};
  if (::pipe(pipe.data()) != 0) return "no pipe";
  {
    Output out(pipe[1]);
    write(out);
  }
  ::close(pipe[1]);
  std::string text(4096, '\0');
  const ssize_t size = ::read(pipe[0], text.data(), text.size());
  ::close(pipe[0]);
  text.resize(static_cast<std::size_t>(size));
  return text;
}

TEST(CliJson, SchemasNameTheCommand) {
  EXPECT_EQ(make_json("snapshot show")["schema"], "asl.snapshot-show.v1");
}

TEST(CliJson, NamesThatAreNotUtf8AreKeptInBase64) {
  Json object;
  put_bytes(object, "name", "caf\u00e9\n");
  put_bytes(object, "path", "a\xff");
  EXPECT_EQ(object.dump(), R"({"name":"café\n","path_b64":"Yf8="})");
}

TEST(CliJson, Base64MatchesItsStandard) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
}

TEST(CliJson, ListsAreWholeDocuments) {
  const std::string text = printed([](Output& out) {
    JsonList list(out, make_json("ls"), "entries");
    list.add({{"name", "a"}});
    list.add({{"name", "b"}});
    list.finish({{"count", 2}});
  });
  EXPECT_EQ(text,
            "{\"schema\":\"asl.ls.v1\",\"entries\":[\n{\"name\":\"a\"},\n{\"name\":\"b\"}\n],\"count\":2,"
            "\"complete\":true}\n");
  EXPECT_EQ(Json::parse(text)["entries"].size(), 2U);
}

TEST(CliJson, AListCutShortSaysSo) {
  const std::string text = printed([](Output& out) {
    JsonList list(out, make_json("ls"), "entries");
    list.add({{"name", "a"}});
  });
  EXPECT_EQ(Json::parse(text)["complete"], false);
  EXPECT_EQ(
      Json::parse(printed([](Output& out) { JsonList(out, make_json("ls"), "entries").finish(); }))["entries"]
          .size(),
      0U);
}

TEST(CliJson, ErrorsCarryWhatIsKnown) {
  Error error = integrity_error("extent does not match", "/b\xff", 4096);
  error.hint = "asl repair";
  const Json object = error_json("asl", error);
  EXPECT_EQ(object["schema"], "asl.error.v1");
  EXPECT_EQ(object["code"], "integrity");
  EXPECT_EQ(object["exit"], 5);
  EXPECT_EQ(object["path_b64"], "L2L/");
  EXPECT_EQ(object["offset"], 4096);
  EXPECT_EQ(object["hint"], "asl repair");
  EXPECT_FALSE(object.contains("errno"));
}

TEST(CliJson, OutputRemembersItsFailure) {
  Output out(-1);
  out.write("x");
  const auto flushed = out.flush();
  ASSERT_FALSE(flushed);
  EXPECT_EQ(flushed.error().sys_errno, EBADF);
  EXPECT_FALSE(out.good());
}

}  // namespace
}  // namespace asl::cli
