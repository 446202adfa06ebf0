// What `asl put --batch` is measured against: a key-value store that is told to do no more than that. Reads
// netstrings from standard input and puts each into a new RocksDB under its SHA-256; batches, no write-ahead
// log, one flush at the end.
//
//   rocksdb_put DIRECTORY < STREAM
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <memory>
#include <openssl/evp.h>
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>
#include <string>

namespace {

constexpr int kBatch = 256;
constexpr std::size_t kInputBytes = 1 << 20;
constexpr std::size_t kDigestBytes = 32;
constexpr std::size_t kLengthDigitsMax = 10;

int fail(const std::string& message) {
  std::cerr << "rocksdb_put: " << message << "\n";
  return 1;
}

// False at the end of the stream; `good` tells whether that was between two netstrings.
bool next_netstring(std::FILE* in, std::string& value, bool& good) {
  std::string digits;
  int c = std::getc(in);
  good = c == EOF && std::ferror(in) == 0;
  for (; c >= '0' && c <= '9' && digits.size() < kLengthDigitsMax; c = std::getc(in))
    digits.push_back(static_cast<char>(c));
  if (digits.empty() || c != ':') return false;
  std::uint64_t length = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), length);
  value.resize(length);
  return std::fread(value.data(), 1, length, in) == length && std::getc(in) == ',';
}

rocksdb::Options database_options() {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.error_if_exists = true;
  options.compression = rocksdb::kNoCompression;
  options.IncreaseParallelism();
  return options;
}

int put_all(rocksdb::DB& db) {
  rocksdb::WriteOptions unlogged;
  unlogged.disableWAL = true;
  rocksdb::WriteBatch batch;
  std::string value;
  std::string key(kDigestBytes, '\0');
  bool good = false;
  while (next_netstring(stdin, value, good)) {
    if (EVP_Digest(value.data(), value.size(), reinterpret_cast<unsigned char*>(key.data()), nullptr,
                   EVP_sha256(), nullptr) != 1)
      return fail("SHA-256 is not there");
    if (const auto status = batch.Put(key, value); !status.ok()) return fail(status.ToString());
    if (batch.Count() < kBatch) continue;
    if (const auto status = db.Write(unlogged, &batch); !status.ok()) return fail(status.ToString());
    batch.Clear();
  }
  if (!good) return fail("this is not a stream of netstrings");
  if (const auto status = db.Write(unlogged, &batch); !status.ok()) return fail(status.ToString());
  if (const auto status = db.Flush({}); !status.ok()) return fail(status.ToString());
  const auto status = db.Close();
  return status.ok() ? 0 : fail(status.ToString());
}

}  // namespace

int main(int count, char** words) {
  if (count != 2) return fail("usage: rocksdb_put DIRECTORY < STREAM");
  std::setvbuf(stdin, nullptr, _IOFBF, kInputBytes);
  rocksdb::DB* opened = nullptr;
  const auto status = rocksdb::DB::Open(database_options(), words[1], &opened);
  if (!status.ok()) return fail(status.ToString());
  const std::unique_ptr<rocksdb::DB> db(opened);
  return put_all(*db);
}
